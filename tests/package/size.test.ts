import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { expect, it } from "vitest";

/** What a page loads for the core: its JavaScript and one kernel binary; both are counted here. */
const LIMIT = 60_000;

it(`core JavaScript and both kernel binaries are at most ${LIMIT} bytes gzipped (the tokenizers library apart)`, async () => {
  const bundle = await rolldown({ input: "src/index.ts", external: ["@huggingface/tokenizers"], platform: "browser" });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  const files = [
    ...output.filter((file) => file.type === "chunk").map((chunk) => chunk.code),
    ...["fixed", "relaxed"].map((name) => readFileSync(`build/wasm/${name}.wasm`)),
  ];
  expect(files.length).toBe(3);
  expect(files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0)).toBeLessThanOrEqual(LIMIT);
});

it("the core bundles for a browser: nothing of Node is imported", async () => {
  const bundle = await rolldown({ input: "src/index.ts", external: ["@huggingface/tokenizers"], platform: "browser" });
  const { output } = await bundle.generate({ format: "esm" });
  const [chunk] = output;
  expect([...chunk.imports, ...chunk.dynamicImports]).toEqual(["@huggingface/tokenizers"]);
});

it("the pool bundles for a browser: its worker is a file of its own, and birpc is all that it adds", async () => {
  const bundle = await rolldown({ input: ["src/pool/index.ts", "src/pool/worker.ts"], external: ["@huggingface/tokenizers", "birpc"], platform: "browser" });
  const { output } = await bundle.generate({ format: "esm" });
  const imports = output.flatMap((file) => (file.type === "chunk" ? [...file.imports, ...file.dynamicImports] : []));
  expect(new Set(imports.filter((name) => !output.some(({ fileName }) => fileName === name)))).toEqual(new Set(["@huggingface/tokenizers", "birpc"]));
});
