import { expect, test } from "vitest";
import { loadFloat32Encoder } from "../float32/encoder.ts";
import { FAMILIES, TEXTS, tinyFolder } from "../convert/tiny-folder.ts";
import { benchModule } from "./modules.ts";

const { loadFloat32 } = await benchModule("float32");

test.each(FAMILIES)("%s: the float32 encoder on the package's kernels is that of the tests' own", async (family) => {
  const folder = tinyFolder(family);
  const [exact, plain] = [await loadFloat32(folder), await loadFloat32Encoder(folder)];
  const [a, b] = [await exact.embed(TEXTS), await plain.embed(TEXTS)];
  a.forEach((vector: Float32Array, text: number) => vector.forEach((value, k) => expect(Math.abs(value - b[text]![k]!)).toBeLessThan(1e-5)));
});
