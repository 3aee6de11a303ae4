import { expect, test } from "vitest";
import { someLabels } from "../encoder/gap.ts";
import { loadFloat32Encoder } from "../float32/encoder.ts";
import { FAMILIES, TEXTS, tinyFolder } from "../convert/tiny-folder.ts";
import { benchModule } from "./modules.ts";

const { loadFloat32 } = await benchModule("float32");

test.each(FAMILIES)("%s: the float32 encoder on the package's kernels is that of the tests' own, with an adapter too", async (family) => {
  const folder = tinyFolder(family);
  const [exact, plain] = [await loadFloat32(folder), await loadFloat32Encoder(folder)];
  const [a, b] = [await exact.embed(TEXTS), await plain.embed(TEXTS)];
  const near = (own: Float32Array, other: Float32Array): void => own.forEach((value, k) => expect(Math.abs(value - other[k]!)).toBeLessThan(1e-5));
  a.forEach((vector: Float32Array, text: number) => near(vector, b[text]!));
  const adapter = `tests/golden/peft/adapters/${family === "bert" ? "bert-odd" : family}-token`;
  for (const encoder of [exact, plain]) await encoder.addAdapter("task", adapter, { labels: someLabels(5) });
  const ids = Int32Array.of(2, 7, 19, 8, 3);
  const logits = await exact.logits(ids, "task");
  near(logits, await plain.logits(ids, "task"));
  expect(Math.max(...logits.map(Math.abs))).toBeGreaterThan(0.01);
});
