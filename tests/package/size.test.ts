import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { expect, it } from "vitest";

/** The core with both kernel binaries, of which a page loads one. */
const LIMIT = 66_500;
/** What a page loads before its model: the core, the tokenizers library, and the larger of the two binaries. */
const PAGE_LIMIT = 75_000;

const gzipped = (file: string | Uint8Array): number => gzipSync(file, { level: 9 }).length;
const binary = (name: string): Uint8Array => readFileSync(`build/wasm/${name}.wasm`);

async function chunks(input: string, external: string[]): Promise<string[]> {
  const bundle = await rolldown({ input, external, platform: "browser" });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  return output.flatMap((file) => (file.type === "chunk" ? [file.code] : []));
}

it(`core JavaScript and both kernel binaries are at most ${LIMIT} bytes gzipped (the tokenizers library apart)`, async () => {
  const files = [...(await chunks("src/index.ts", ["@huggingface/tokenizers"])), binary("fixed"), binary("relaxed")];
  expect(files.length).toBe(3);
  expect(files.reduce((sum, file) => sum + gzipped(file), 0)).toBeLessThanOrEqual(LIMIT);
});

it(`a page loads at most ${PAGE_LIMIT} bytes gzipped before its model`, async () => {
  const files = await chunks("src/index.ts", []);
  expect(files.length).toBe(1);
  const largest = Math.max(gzipped(binary("fixed")), gzipped(binary("relaxed")));
  expect(gzipped(files[0]!) + largest).toBeLessThanOrEqual(PAGE_LIMIT);
});

it("with the kernels inside, one file is at most as large as the page's two", async () => {
  const files = await chunks("src/inline.ts", []);
  expect(files.length).toBe(1);
  expect(gzipped(files[0]!)).toBeLessThanOrEqual(PAGE_LIMIT);
  expect(files[0]).not.toMatch(/\.wasm["'`]/); // nothing is looked for beside it
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
