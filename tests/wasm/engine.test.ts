import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { loadEncoder } from "../../src/index.ts";
import { supportsRelaxedSimd, supportsSimd } from "../../src/wasm/binaries.ts";

const ENCODER = "tests/golden/peft/base/bert-odd";
const IDS = [5, 40, 33, 12, 60, 7, 8];
const relaxed = new Uint8Array(readFileSync("build/wasm/relaxed.wasm"));

/** Every occurrence of an opcode replaced by another of the same length and signature: valid, and wrong. */
function withOpcode(bytes: Uint8Array, opcode: number[], replacement: number[]): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  let count = 0;
  for (let i = 0; i + opcode.length <= copy.length; i++) {
    if (!opcode.every((byte, j) => copy[i + j] === byte)) continue;
    copy.set(replacement, i);
    count++;
  }
  expect(count).toBeGreaterThan(0);
  return copy;
}

/** i16x8.relaxed_dot_i8x16_i7x16_s becomes i16x8.extmul_low_i8x16_s. */
const brokenRel2 = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => withOpcode(bytes, [0xfd, 0x92, 0x02], [0xfd, 0x9c, 0x01]);
/** i32x4.relaxed_dot_i8x16_i7x16_add_s becomes i8x16.relaxed_laneselect. */
const brokenRel1 = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => withOpcode(bytes, [0xfd, 0x93, 0x02], [0xfd, 0x89, 0x02]);

async function states(options: Parameters<typeof loadEncoder>[1]): Promise<{ kernel: string; notes: readonly string[]; states: Float32Array[] }> {
  using encoder = await loadEncoder(ENCODER, options);
  const { kernel, notes } = encoder.info;
  return { kernel, notes, states: await encoder.hiddenStates(IDS, null) };
}

describe("the choice of the int8 product", () => {
  it("knows what this engine runs", () => {
    expect(supportsSimd()).toBe(true);
    expect(supportsRelaxedSimd()).toBe(WebAssembly.validate(relaxed));
  });

  it("takes fixed when asked to, and says nothing", async () => {
    expect(await states({ kernel: "fixed" })).toMatchObject({ kernel: "fixed", notes: [] });
  });

  it.skipIf(supportsRelaxedSimd())("says why it takes fixed without relaxed SIMD (this engine has none)", async () => {
    expect(await states({})).toMatchObject({ kernel: "fixed", notes: ["no relaxed SIMD in this engine"] });
  });

  it.runIf(supportsRelaxedSimd())("gives the same bits with rel1, rel2 and fixed (needs relaxed SIMD)", async () => {
    const fixed = await states({ kernel: "fixed" });
    for (const kernel of ["rel1", "rel2"] as const) {
      expect(await states({ kernel })).toEqual({ kernel, notes: [], states: fixed.states });
    }
    expect((await states({})).kernel).toMatch(/^rel[12]$/);
  });

  it.runIf(supportsRelaxedSimd())("leaves out a product that fails its self-test, and says so (needs relaxed SIMD)", async () => {
    const fixed = await states({ kernel: "fixed" });
    const cases = [
      { binary: brokenRel2(relaxed), kernel: "rel1", notes: [/^rel2 failed/] },
      { binary: brokenRel1(relaxed), kernel: "rel2", notes: [/^rel1 failed/] },
      { binary: brokenRel1(brokenRel2(relaxed)), kernel: "fixed", notes: [/^rel2 failed/, /^rel1 failed/] },
    ];
    for (const { binary, kernel, notes } of cases) {
      const result = await states({ wasm: { relaxed: binary } });
      expect(result.kernel).toBe(kernel);
      expect(result.notes.length).toBe(notes.length);
      for (const [i, note] of notes.entries()) expect(result.notes[i]).toMatch(note);
      expect(result.states).toEqual(fixed.states);
    }
  });

  it("says engine-fault when the plain product is wrong too", async () => {
    const fixed = new Uint8Array(readFileSync("build/wasm/fixed.wasm"));
    // i32x4.dot_i16x8_s becomes i32x4.mul.
    const broken = withOpcode(fixed, [0xfd, 0xba, 0x01], [0xfd, 0xb5, 0x01]);
    await expect(loadEncoder(ENCODER, { kernel: "fixed", wasm: { fixed: broken } })).rejects.toMatchObject({ code: "engine-fault" });
  });

  it("says engine-fault for a binary that is not one", async () => {
    await expect(loadEncoder(ENCODER, { kernel: "fixed", wasm: { fixed: new Uint8Array(8) } })).rejects.toMatchObject({ code: "engine-fault" });
  });

  it("says simd-unsupported where the engine has no SIMD, and what to use", async () => {
    const validate = vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    try {
      await expect(loadEncoder(ENCODER)).rejects.toMatchObject({ code: "simd-unsupported", message: expect.stringMatching(/Node 20/) as unknown });
    } finally {
      validate.mockRestore();
    }
  });

  it("takes compiled modules, as workerd imports them", async () => {
    const module = new WebAssembly.Module(readFileSync("build/wasm/fixed.wasm"));
    expect((await states({ kernel: "fixed", wasm: { fixed: module } })).states).toEqual((await states({ kernel: "fixed" })).states);
  });
});
