import { describe, expect, test } from "vitest";
import { builds, moduleBytes, trainBuilds } from "./instance.ts";

/** Engines where the relaxed build must not be missing: anything that is not Node 20 or 21. */
const hasRelaxedSimd = "Deno" in globalThis || "Bun" in globalThis || Number(process.versions.node.split(".")[0]) >= 22;

test("every build this engine should run is tested in this folder", () => {
  expect(builds).toEqual(hasRelaxedSimd ? ["fixed", "relaxed"] : ["fixed"]);
  expect(trainBuilds).toEqual(hasRelaxedSimd ? ["train-fixed", "train-relaxed"] : ["train-fixed"]);
});

describe.each([...builds, ...trainBuilds])("%s.wasm", (name) => {
  const module = new WebAssembly.Module(moduleBytes(name));

  test("imports env.memory and nothing else", () => {
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
  });

  test("exports functions only", () => {
    expect(new Set(WebAssembly.Module.exports(module).map((entry) => entry.kind))).toEqual(new Set(["function"]));
  });

  test.each([
    { initial: 1 },
    { initial: 1, maximum: 1 },
    { initial: 100, maximum: 4096 },
    { initial: 3, maximum: 65_536 },
  ])("links with any memory: %o", (limits) => {
    const instance = new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory(limits) } });
    expect(instance.exports[name.startsWith("train") ? "product" : "quantizeRows"]).toBeTypeOf("function");
  });
});

test("the builds keep their constants apart, so all of them can live in one memory below the arena", () => {
  const isWritten = new Uint8Array(65_536);
  for (const name of [...builds, ...trainBuilds]) {
    const memory = new WebAssembly.Memory({ initial: 2 });
    new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(name)), { env: { memory } });
    const bytes = new Uint8Array(memory.buffer);
    expect(bytes.subarray(65_536).every((byte) => byte === 0)).toBe(true);
    for (const [at, byte] of bytes.subarray(0, 65_536).entries()) {
      if (byte === 0) continue;
      expect(isWritten[at], `${name}.wasm writes over another module's constants at ${at}`).toBe(0);
      isWritten[at] = 1;
    }
  }
});
