import { describe, expect, test } from "vitest";
import { Random, packCodes, packRowTerms } from "./int8-layout.ts";
import { KernelArena, builds } from "./instance.ts";
import type { BuildName } from "./instance.ts";
import { reference } from "./reference.ts";

const NONE = new Float32Array(0);

interface Quantized {
  codes: number;
  codeBytes: number;
  rowTerms: number;
}

/** Runs the kernel; the last row of `x` ends where its buffer ends, so what lies past it is guard. */
function quantize(arena: KernelArena, build: BuildName, x: Float32Array, rows: number, depth: number, stride: number, columnScale: Float32Array): Quantized {
  arena.reset();
  const source = arena.input(x.subarray(0, (rows - 1) * stride + depth));
  const scaleAddress = columnScale.length > 0 ? arena.input(columnScale) : 0;
  const codeBytes = Math.ceil(rows / 4) * Math.ceil(depth / 4) * (build === "fixed" ? 32 : 16);
  const codes = arena.output(codeBytes);
  const rowTerms = arena.output(Math.ceil(rows / 4) * 64);
  arena.kernel("quantizeRows")(source, rows, depth, stride, scaleAddress, codes, rowTerms);
  arena.checkGuards();
  return { codes, codeBytes, rowTerms };
}

/** Whether codes and row terms, padding included, are the twin's. */
function equalsTwin(arena: KernelArena, build: BuildName, x: Float32Array, rows: number, depth: number, stride: number, columnScale: Float32Array): boolean {
  const codes = reference<Int8Array>("rowCodes", x, rows, depth, stride, columnScale);
  const scales = reference<Float32Array>("rowScales", x, rows, depth, stride, columnScale);
  const zeros = reference<Int32Array>("rowZeros", x, rows, depth, stride, columnScale);
  const got = quantize(arena, build, x, rows, depth, stride, columnScale);
  const tiles = packCodes(codes, rows, depth, build);
  const wantCodes = Buffer.from(tiles.buffer, tiles.byteOffset, tiles.byteLength);
  const wantTerms = Buffer.from(packRowTerms(codes, scales, zeros, rows, depth));
  return (
    wantCodes.equals(Buffer.from(arena.memory.buffer, got.codes, got.codeBytes)) &&
    wantTerms.equals(Buffer.from(arena.memory.buffer, got.rowTerms, wantTerms.length))
  );
}

/** Rows of every character in turn: both signs, one sign, constant, all zero, tiny, huge, exact halves between codes. */
function rowValue(kind: number, random: Random): number {
  const makers = [
    () => random.float(3),
    () => Math.abs(random.float(1)) + 0.5,
    () => -Math.abs(random.float(0.01)) - 1,
    () => 0.75,
    () => 0,
    () => random.float(1e-30),
    () => random.float(1e30),
    () => random.integer(-255, 255) / 2,
  ];
  return (makers[kind % makers.length] as () => number)();
}

describe.each(builds)("quantizeRows of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  test("equals the scalar twin for rows 1–17, depth 1–70, any stride, with and without column scales", () => {
    let compared = 0;
    for (let depth = 1; depth <= 70; depth++) {
      const random = new Random(depth);
      const columnScale = Float32Array.from({ length: depth }, () => random.float(4));
      for (let rows = 1; rows <= 17; rows++) {
        const stride = depth + [0, 1, 5, 13][(rows + depth) % 4]!;
        const x = Float32Array.from({ length: rows * stride }, (_, at) => rowValue(depth + Math.floor(at / stride), random));
        for (const scale of [NONE, columnScale]) {
          if (!equalsTwin(arena, build, x, rows, depth, stride, scale)) expect.fail(`differs at ${rows} rows, depth ${depth}, stride ${stride}`);
          compared++;
        }
      }
    }
    expect(compared).toBe(17 * 70 * 2);
  });

  test.each([384, 1536])("equals the scalar twin at depth %i", (depth) => {
    const random = new Random(depth);
    const x = Float32Array.from({ length: 21 * depth }, () => random.float(5));
    expect(equalsTwin(arena, build, x, 21, depth, depth, NONE)).toBe(true);
  });

  test("rounds halves to even and uses the whole range", () => {
    // hi − lo = 255, so the inverse is exactly 1 and every half is a tie: −0.5 → 0, 0.5 → 0, 1.5 → 2, 2.5 → 2.
    const x = Float32Array.of(-100, 155, -0.5, 0.5, 1.5, 2.5, -1.5);
    const got = quantize(arena, build, x, 1, 7, 7, NONE);
    const tiles = new (build === "fixed" ? Int16Array : Int8Array)(arena.memory.buffer, got.codes, 32);
    const codes = [tiles[0], tiles[1], tiles[2], tiles[3], tiles[16], tiles[17], tiles[18]].map((code) => (code as number) - -28);
    expect(codes).toEqual([-100, 155, 0, 0, 2, 2, -2]);
  });

  test("gives a row of zeros scale 0, zero 0 and codes 0", () => {
    const got = quantize(arena, build, new Float32Array(40), 4, 10, 10, NONE);
    expect(new Uint8Array(arena.memory.buffer, got.rowTerms, 64).every((byte) => byte === 0)).toBe(true);
    expect(new Uint8Array(arena.memory.buffer, got.codes, got.codeBytes).every((byte) => byte === 0)).toBe(true);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38, -3.4e38, 1e-45])("takes %d in one row without harm to the others", (odd) => {
    const random = new Random(11);
    const x = Float32Array.from({ length: 6 * 21 }, () => random.float(2));
    const clean = quantize(arena, build, x, 6, 21, 21, NONE);
    const terms = Buffer.from(Buffer.from(arena.memory.buffer, clean.rowTerms, 128));
    for (const at of [0, 3, 19, 20]) {
      const spoilt = x.slice();
      spoilt[21 + at] = odd;
      const got = quantize(arena, build, spoilt, 6, 21, 21, NONE);
      for (const row of [0, 2, 3, 4, 5, 6, 7]) {
        const bytes = Buffer.from(arena.memory.buffer, got.rowTerms + row * 16, 16);
        expect(bytes.equals(terms.subarray(row * 16, row * 16 + 16))).toBe(true);
      }
      const scale = arena.float32(got.rowTerms + 16, 1)[0] as number;
      if (Number.isNaN(odd)) expect(scale).toBeNaN();
      else if (!Number.isFinite(odd)) expect(scale).toBe(Number.POSITIVE_INFINITY);
      else expect(equalsTwin(arena, build, spoilt, 6, 21, 21, NONE)).toBe(true);
    }
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("keeps padding rows at code 0 beside a row with %d", (odd) => {
    const x = Float32Array.from({ length: 5 * 8 }, (_, at) => at);
    x[4 * 8 + 1] = odd;
    x[4 * 8 + 6] = odd;
    const got = quantize(arena, build, x, 5, 8, 8, NONE);
    const tiles = new (build === "fixed" ? Int16Array : Int8Array)(arena.memory.buffer, got.codes + got.codeBytes / 2, 32);
    const padding = tiles.filter((_, at) => (at & 15) >= 4); // rows 5, 6 and 7 of both tiles of 4 k
    expect([...padding]).toEqual(Array.from({ length: 24 }, () => 0));
  });

  test("gives a row the same codes alone and among others", () => {
    const random = new Random(17);
    const x = Float32Array.from({ length: 11 * 45 }, () => random.float(2));
    const together = reference<Int8Array>("rowCodes", x, 11, 45, 45, NONE);
    for (let row = 0; row < 11; row++) {
      const got = quantize(arena, build, x.subarray(row * 45, row * 45 + 45), 1, 45, 45, NONE);
      const tiles = packCodes(together.slice(row * 45, row * 45 + 45), 1, 45, build);
      expect(Buffer.from(tiles.buffer).equals(Buffer.from(arena.memory.buffer, got.codes, got.codeBytes))).toBe(true);
    }
  });
});
