import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { readBeside, readBinaryAt } from "../../src/wasm/beside.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";

const ADVICE = /exclude rootstock from pre-bundling \(Vite: optimizeDeps: \{ exclude: \["rootstock"\] \}\), import "rootstock\/inline".+wasm\.fixed \(pipelines: load: \{ wasm \}\)\.$/;

it("reads the binaries from beside the code", async () => {
  expect(Buffer.compare(await readBeside("fixed", undefined) as Uint8Array, readFileSync("build/wasm/fixed.wasm"))).toBe(0);
});

it.each([
  ["a page", "data:text/html,<!DOCTYPE html><html></html>", /data:text\/html,.+\(it is no WebAssembly\)/],
  ["nothing", "data:application/wasm,", /\(it is no WebAssembly\)/],
  ["no file", "file:///nowhere/fixed.wasm", /file:\/\/\/nowhere\/fixed\.wasm \(ENOENT/],
])("says what to do when a bundler moved the code, and %s is where the binary should be", async (_, address, says) => {
  const attempt = readBinaryAt("fixed", () => new URL(address), undefined);
  await expect(attempt).rejects.toMatchObject({ code: "source-unreadable", message: expect.stringMatching(says) as unknown });
  await expect(attempt).rejects.toThrow(ADVICE);
});

it("says so in a bundle without import.meta.url", async () => {
  const { outputFiles } = await build({ entryPoints: ["src/index.ts"], bundle: true, format: "cjs", platform: "node", write: false, logLevel: "silent" });
  const module = { exports: {} as typeof import("../../src/index.ts") };
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
  new Function("module", "exports", "require", outputFiles[0]!.text)(module, module.exports, createRequire(import.meta.url));
  const { loadEncoder, RootstockError } = module.exports;
  const error: unknown = await loadEncoder(tinyFolder("bert"), { kernel: "fixed" }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RootstockError);
  expect(error).toMatchObject({ code: "source-unreadable", message: expect.stringMatching(/from beside the package's code \(Invalid URL/) as unknown });
  expect((error as Error).message).toMatch(ADVICE);
});

it("an abort is the reason, and no fault of the file", async () => {
  const reason = new Error("enough");
  await expect(readBinaryAt("fixed", () => new URL("data:,"), AbortSignal.abort(reason))).rejects.toBe(reason);
});
