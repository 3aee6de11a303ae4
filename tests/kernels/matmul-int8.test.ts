import { describe, expect, test } from "vitest";
import { Random, packChannels, packCodes, packPanels, packRowTerms } from "./int8-layout.ts";
import { KernelArena, builds } from "./instance.ts";
import type { BuildName } from "./instance.ts";
import { reference } from "./reference.ts";

const KERNELS = builds.flatMap((build) => (build === "fixed" ? ["matmulFixed"] : ["matmulRel1", "matmulRel2"]).map((kernel) => ({ build, kernel })));

interface Problem {
  rows: number;
  depth: number;
  columns: number;
  codes: Int8Array; // [rows][depth]
  rowScales: Float32Array;
  rowZeros: Int32Array;
  weights: Int8Array; // [columns][depth]
  scales: Float32Array;
  bias: Float32Array;
}

function randomProblem(rows: number, depth: number, columns: number, seed: number): Problem {
  const random = new Random(seed);
  return {
    rows, depth, columns,
    codes: Int8Array.from({ length: rows * depth }, () => random.integer(-128, 127)),
    rowScales: Float32Array.from({ length: rows }, () => 0.001 + Math.abs(random.float(0.05))),
    rowZeros: Int32Array.from({ length: rows }, () => random.integer(-128, 127)),
    weights: Int8Array.from({ length: columns * depth }, () => random.integer(-63, 63)),
    scales: Float32Array.from({ length: columns }, () => 0.0001 + Math.abs(random.float(0.01))),
    bias: Float32Array.from({ length: columns }, () => random.float(2)),
  };
}

/** The twin's answer, f32 [rows][columns]. */
function expected(p: Problem): Float32Array {
  return reference<Float32Array>("matmulInt8", p.codes, p.rowScales, p.rowZeros, p.rows, p.depth, p.weights, p.scales, p.bias, p.columns);
}

/** The first `columns` channels and `rows` rows of a problem, laid out for a build; rows and channels keep their values. */
class Operands {
  readonly #arena: KernelArena;
  readonly #depth: number;
  #panels = 0;
  #channels = 0;
  #codes = 0;
  #rowTerms = 0;
  readonly #build: BuildName;

  constructor(arena: KernelArena, build: BuildName, depth: number) {
    this.#arena = arena;
    this.#build = build;
    this.#depth = depth;
  }

  setWeights(p: Problem, columns: number): void {
    const weights = p.weights.subarray(0, columns * this.#depth);
    this.#panels = this.#arena.input(packPanels(weights, columns, this.#depth));
    this.#channels = this.#arena.input(packChannels(weights, p.scales, p.bias, columns, this.#depth));
  }

  setRows(p: Problem, firstRow: number, rows: number): void {
    const codes = p.codes.subarray(firstRow * this.#depth, (firstRow + rows) * this.#depth);
    this.#codes = this.#arena.input(packCodes(codes, rows, this.#depth, this.#build));
    this.#rowTerms = this.#arena.input(packRowTerms(codes, p.rowScales.subarray(firstRow), p.rowZeros.subarray(firstRow), rows, this.#depth));
  }

  multiply(kernel: string, rows: number, columns: number, out: number, outStride: number): void {
    this.#arena.kernel(kernel)(this.#codes, this.#rowTerms, rows, this.#depth, this.#panels, this.#channels, columns, out, outStride);
  }
}

/** Counts elements that differ from `want` [*][wantColumns] (bits) or, between the rows, were written at all. */
function differences(arena: KernelArena, out: number, outStride: number, rows: number, columns: number, want: Float32Array, wantColumns: number, firstRow = 0): number {
  const wantBits = new Uint32Array(want.buffer);
  const length = (rows - 1) * outStride + columns;
  const bits = arena.bits(out, length);
  let found = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < outStride && row * outStride + column < length; column++) {
      const at = row * outStride + column;
      const right = column < columns ? wantBits[(firstRow + row) * wantColumns + column] : arena.untouched(out + at * 4);
      if (bits[at] !== right) found++;
    }
  }
  return found;
}

function runWhole(arena: KernelArena, build: BuildName, kernel: string, p: Problem, outStride: number): number {
  arena.reset();
  const operands = new Operands(arena, build, p.depth);
  operands.setWeights(p, p.columns);
  operands.setRows(p, 0, p.rows);
  const out = arena.output(((p.rows - 1) * outStride + p.columns) * 4);
  operands.multiply(kernel, p.rows, p.columns, out, outStride);
  arena.checkGuards();
  return out;
}

describe.each(KERNELS)("$kernel", ({ build, kernel }) => {
  const arena = new KernelArena(build);

  test("equals the scalar twin for rows 1–17, columns 1–33, depth 1–70", () => {
    const [mostRows, mostColumns] = [17, 33];
    let compared = 0;
    for (let depth = 1; depth <= 70; depth++) {
      const p = randomProblem(mostRows, depth, mostColumns, depth);
      const want = expected(p);
      for (let columns = 1; columns <= mostColumns; columns++) {
        arena.reset();
        const operands = new Operands(arena, build, depth);
        operands.setWeights(p, columns);
        const outStride = columns + [0, 1, 3, 7][(columns + depth) % 4]!;
        for (let rows = 1; rows <= mostRows; rows++) {
          operands.setRows(p, 0, rows);
          const out = arena.output(((rows - 1) * outStride + columns) * 4, ((rows + depth) % 4) * 4);
          operands.multiply(kernel, rows, columns, out, outStride);
          const wrong = differences(arena, out, outStride, rows, columns, want, mostColumns);
          if (wrong > 0) expect.fail(`${wrong} differences at ${rows} x ${columns}, depth ${depth}`);
          compared++;
        }
        arena.checkGuards();
      }
    }
    expect(compared).toBe(17 * 33 * 70);
  });

  test.each([
    { rows: 22, depth: 384, columns: 384 },
    { rows: 17, depth: 384, columns: 1536 },
    { rows: 19, depth: 1536, columns: 384 },
    { rows: 13, depth: 384, columns: 1152 },
    { rows: 131, depth: 67, columns: 71 },
  ])("equals the scalar twin at $rows rows, $depth x $columns", ({ rows, depth, columns }) => {
    const p = randomProblem(rows, depth, columns, rows * depth + columns);
    for (const outStride of [columns, columns + 5, 1543]) {
      const out = runWhole(arena, build, kernel, p, outStride);
      expect(differences(arena, out, outStride, rows, columns, expected(p), columns)).toBe(0);
    }
  });

  test.each([
    { code: -128, weight: -63 }, // stored weight 1
    { code: -128, weight: 63 }, // stored weight 127: the largest pair sum, −32,512
    { code: 127, weight: -63 },
    { code: 127, weight: 63 },
  ])("is exact at codes $code and weights $weight", ({ code, weight }) => {
    for (const zero of [-128, 127]) {
      for (const depth of [3, 384, 1536]) {
        const p = randomProblem(9, depth, 37, 1);
        p.codes.fill(code);
        p.weights.fill(weight);
        p.rowZeros.fill(zero);
        p.rowScales.fill(1);
        p.scales.fill(1);
        p.bias.fill(0);
        const out = runWhole(arena, build, kernel, p, 41);
        expect(differences(arena, out, 41, 9, 37, expected(p), 37)).toBe(0);
        expect(arena.float32(out, 1)[0]).toBe((code - zero) * weight * depth + 0); // exact in f32; + 0 because −0 is not meant
      }
    }
  });

  test("is exact with extremes of both signs mixed", () => {
    const p = randomProblem(18, 1536, 40, 7);
    const random = new Random(99);
    p.codes.forEach((_, at) => (p.codes[at] = random.integer(0, 1) ? 127 : -128));
    p.weights.forEach((_, at) => (p.weights[at] = random.integer(0, 1) ? 63 : -63));
    const out = runWhole(arena, build, kernel, p, 40);
    expect(differences(arena, out, 40, 18, 40, expected(p), 40)).toBe(0);
  });

  test("gives a row the same bits alone and among others", () => {
    const p = randomProblem(23, 384, 200, 5);
    const want = expected(p);
    for (let row = 0; row < p.rows; row++) {
      arena.reset();
      const operands = new Operands(arena, build, p.depth);
      operands.setWeights(p, p.columns);
      operands.setRows(p, row, 1);
      const out = arena.output(p.columns * 4);
      operands.multiply(kernel, 1, p.columns, out, p.columns);
      expect(differences(arena, out, p.columns, 1, p.columns, want, p.columns, row)).toBe(0);
    }
  });

  test("passes a NaN or infinite row scale on to that row only", () => {
    const p = randomProblem(7, 33, 21, 3);
    const want = expected(p);
    p.rowScales[2] = Number.NaN;
    p.rowScales[5] = Number.POSITIVE_INFINITY;
    const got = arena.float32(runWhole(arena, build, kernel, p, 21), 7 * 21);
    for (let row = 0; row < 7; row++) {
      const values = got.subarray(row * 21, row * 21 + 21);
      if (row === 2 || row === 5) expect(values.every((value) => !Number.isFinite(value))).toBe(true);
      else expect(values).toEqual(want.subarray(row * 21, row * 21 + 21));
    }
  });
});
