import { describe, expect, test } from "vitest";
import { builds, moduleBytes } from "./instance.ts";

/** Engines where the relaxed build must not be missing: anything that is not Node 20 or 21. */
const hasRelaxedSimd = "Deno" in globalThis || "Bun" in globalThis || Number(process.versions.node.split(".")[0]) >= 22;

test("every build this engine should run is tested in this folder", () => {
  expect(builds).toEqual(hasRelaxedSimd ? ["fixed", "relaxed"] : ["fixed"]);
});

describe.each(builds)("%s.wasm", (name) => {
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
    expect(instance.exports["quantizeRows"]).toBeTypeOf("function");
  });
});

test("the builds keep their constants apart, so both can live in one memory below the arena", () => {
  const written = builds.map((name) => {
    const memory = new WebAssembly.Memory({ initial: 2 });
    new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(name)), { env: { memory } });
    return new Uint8Array(memory.buffer);
  });
  for (const bytes of written) expect(bytes.subarray(65_536).every((byte) => byte === 0)).toBe(true);
  const [first, second] = written;
  if (first !== undefined && second !== undefined) expect(first.some((byte, at) => byte !== 0 && second[at] !== 0)).toBe(false);
});
