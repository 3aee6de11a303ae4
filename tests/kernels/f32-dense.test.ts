import { describe, expect, test } from "vitest";
import { NONE, beyondBound, difference, floats, gamma, padColumns, placeLast, placeRows, takeRows } from "./f32-rows.ts";
import { KernelArena, builds } from "./instance.ts";
import { Random } from "./int8-layout.ts";
import { reference } from "./reference.ts";

const roundUp = (count: number): number => Math.ceil(count / 4) * 4;

interface Product {
  rows: number;
  depth: number;
  columns: number;
  x: Float32Array;
  weights: Float32Array;
  bias: Float32Array;
}

function productCase(rows: number, depth: number, columns: number, seed: number, withBias = true): Product {
  const random = new Random(seed);
  return {
    rows, depth, columns,
    x: floats(random, rows * depth, 2),
    weights: floats(random, depth * columns, 1),
    bias: withBias ? floats(random, columns, 1) : NONE,
  };
}

function dense(arena: KernelArena, { rows, depth, columns, x, weights, bias }: Product, gap = 0): Float32Array {
  arena.reset();
  const xAt = placeRows(arena, x, rows, depth, depth + gap, (gap % 4) * 4);
  const weightsAt = arena.input(padColumns(weights, depth, columns));
  const biasAt = bias.length > 0 ? arena.input(padColumns(bias, 1, columns)) : 0;
  const outStride = columns + gap * 2;
  const out = arena.output(((rows - 1) * outStride + columns) * 4, (gap % 4) * 4);
  arena.kernel("dense")(xAt, rows, depth, depth + gap, weightsAt, biasAt, columns, out, outStride);
  arena.checkGuards();
  return takeRows(arena, out, rows, columns, outStride);
}

const denseTwin = ({ rows, depth, columns, x, weights, bias }: Product): Float32Array =>
  reference("dense", x, rows, depth, weights, bias, columns);

interface LowRank {
  rows: number;
  depth: number;
  rank: number;
  columns: number;
  x: Float32Array;
  down: Float32Array;
  up: Float32Array;
  y: Float32Array;
}

function lowRankCase(rows: number, depth: number, rank: number, columns: number, seed: number): LowRank {
  const random = new Random(seed);
  return {
    rows, depth, rank, columns,
    x: floats(random, rows * depth, 2),
    down: floats(random, depth * rank, 1),
    up: floats(random, rank * columns, 1),
    y: floats(random, rows * columns, 5),
  };
}

function lowRankAdd(arena: KernelArena, { rows, depth, rank, columns, x, down, up, y }: LowRank, gap = 0): Float32Array {
  arena.reset();
  const xAt = placeRows(arena, x, rows, depth, depth + gap);
  const downAt = arena.input(padColumns(down, depth, rank));
  const upAt = arena.input(padColumns(up, rank, columns));
  const t = arena.output(rows * roundUp(rank) * 4);
  const yAt = placeRows(arena, y, rows, columns, columns + gap, (gap % 4) * 4);
  arena.kernel("lowRankAdd")(xAt, rows, depth, depth + gap, downAt, rank, upAt, columns, t, yAt, columns + gap);
  arena.checkGuards();
  return takeRows(arena, yAt, rows, columns, columns + gap);
}

const lowRankTwin = ({ rows, depth, rank, columns, x, down, up, y }: LowRank): Float32Array =>
  reference("lowRankAdd", x, rows, depth, down, rank, up, columns, y);

describe.each(builds)("dense of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  test("equals the scalar twin for rows 1–17, columns 1–70, any depth and stride, with and without bias", () => {
    for (let columns = 1; columns <= 70; columns++) {
      for (let rows = 1; rows <= 17; rows++) {
        const given = productCase(rows, 1 + ((columns * 13 + rows * 7) % 70), columns, columns * 100 + rows, (rows + columns) % 2 === 0);
        const found = difference(dense(arena, given, [0, 1, 3, 13][rows % 4]!), denseTwin(given));
        if (found !== undefined) expect.fail(`${rows} x ${given.depth} x ${columns}: ${found}`);
      }
    }
  });

  test.each([1, 2, 17, 384, 1536])("is within the rounding of a chain of %i", (depth) => {
    const given = productCase(6, depth, 11, depth);
    const want = new Float64Array(66);
    const bound = new Float64Array(66);
    for (let at = 0; at < 66; at++) {
      const [row, column] = [Math.floor(at / 11), at % 11];
      const parts = Array.from({ length: depth }, (_, k) => given.x[row * depth + k]! * given.weights[k * 11 + column]!);
      want[at] = parts.reduce((sum, part) => sum + part, given.bias[column]!);
      bound[at] = gamma(depth + 1) * parts.reduce((sum, part) => sum + Math.abs(part), Math.abs(given.bias[column]!));
    }
    expect(beyondBound(dense(arena, given), want, bound)).toBeUndefined();
  });

  test("gives a row the same bits alone and among others, NaN and infinite neighbours included", () => {
    const given = productCase(11, 29, 23, 7);
    given.x[29] = NaN;
    given.x[29 * 6] = Infinity;
    given.x[29 * 8] = 3.4e38;
    const together = dense(arena, given);
    for (let row = 0; row < 11; row++) {
      const alone = dense(arena, { ...given, rows: 1, x: given.x.slice(row * 29, row * 29 + 29) });
      expect(difference(alone, together.slice(row * 23, row * 23 + 23))).toBeUndefined();
      if (row !== 1 && row !== 6 && row !== 8) expect(alone.every(Number.isFinite)).toBe(true);
    }
    expect(together.subarray(23, 46).every(Number.isNaN)).toBe(true);
  });

  test("takes −0 and huge inputs as f32 arithmetic does", () => {
    const given = productCase(5, 3, 6, 1, false);
    given.x.set([-0, -0, -0, 3.4e38, 3.4e38, 3.4e38, -3.4e38, 0, 3.4e38, 1e-45, -1e-45, 0]);
    expect(difference(dense(arena, given), denseTwin(given))).toBeUndefined();
  });
});

describe.each(builds)("dense of %s.wasm at the end of memory", (build) => {
  const arena = new KernelArena(build, 3);

  test.each(["x", "weights"] as const)("reads no row past the last of %s", (last) => {
    for (const rows of [1, 2, 4, 5, 7]) {
      const given = productCase(rows, 21, 37, rows, false);
      arena.reset();
      const out = arena.output(rows * 37 * 4);
      const padded = padColumns(given.weights, 21, 37);
      const other = arena.input(last === "x" ? padded : given.x);
      const end = placeLast(arena, last === "x" ? given.x : padded);
      const [xAt, weightsAt] = last === "x" ? [end, other] : [other, end];
      arena.kernel("dense")(xAt, rows, 21, 21, weightsAt, 0, 37, out, 37);
      arena.checkGuards();
      expect(difference(takeRows(arena, out, rows, 37, 37), denseTwin(given))).toBeUndefined();
    }
  });
});

describe.each(builds)("lowRankAdd and addProduct of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  test("lowRankAdd equals the scalar twin for rows 1–17, ranks 1–19, columns 1–70, any depth and stride", () => {
    for (let columns = 1; columns <= 70; columns++) {
      for (let rows = 1; rows <= 17; rows++) {
        const seed = columns * 100 + rows;
        const given = lowRankCase(rows, 1 + ((seed * 7) % 70), 1 + ((columns + rows * 3) % 19), columns, seed);
        const found = difference(lowRankAdd(arena, given, [0, 1, 3, 13][rows % 4]!), lowRankTwin(given));
        if (found !== undefined) expect.fail(`${rows} x ${given.depth} x ${given.rank} x ${columns}: ${found}`);
      }
    }
  });

  test.each([[1, 384, 8, 384], [9, 384, 8, 384], [7, 1536, 16, 384]])("lowRankAdd is within the rounding of its two chains: %i x %i x %i x %i", (rows, depth, rank, columns) => {
    const given = lowRankCase(rows, depth, rank, columns, depth + rows);
    const want = new Float64Array(rows * columns);
    const bound = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const terms = Array.from({ length: rank }, (_, r) => Array.from({ length: depth }, (__, k) => given.x[row * depth + k]! * given.down[k * rank + r]!));
      const t = terms.map((parts) => parts.reduce((sum, part) => sum + part, 0));
      const size = terms.map((parts) => parts.reduce((sum, part) => sum + Math.abs(part), 0));
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column;
        want[at] = t.reduce((sum, value, r) => sum + value * given.up[r * columns + column]!, given.y[at]!);
        const magnitude = size.reduce((sum, value, r) => sum + value * Math.abs(given.up[r * columns + column]!), Math.abs(given.y[at]!));
        bound[at] = gamma(depth + rank + 1) * magnitude;
      }
    }
    expect(beyondBound(lowRankAdd(arena, given), want, bound)).toBeUndefined();
  });

  test("lowRankAdd gives a row the same bits alone and among others", () => {
    const given = lowRankCase(11, 42, 5, 35, 3);
    given.x[42 * 2] = NaN;
    const together = lowRankAdd(arena, given);
    for (let row = 0; row < 11; row++) {
      const alone = lowRankAdd(arena, { ...given, rows: 1, x: given.x.slice(row * 42, row * 42 + 42), y: given.y.slice(row * 35, row * 35 + 35) });
      expect(difference(alone, together.slice(row * 35, row * 35 + 35))).toBeUndefined();
      expect(alone.some(Number.isNaN)).toBe(row === 2);
    }
  });

  test("addProduct equals the scalar twin, and a zero term leaves y as it is", () => {
    for (let rows = 1; rows <= 17; rows++) {
      const columns = 1 + ((rows * 11) % 37);
      const given = lowRankCase(rows, 1, 1 + (rows % 9), columns, rows);
      const { rank, up, y } = given;
      for (const t of [floats(new Random(rows + 50), rows * rank, 2), new Float32Array(rows * rank)]) {
        arena.reset();
        const tStride = roundUp(rank) + (rows % 3);
        const tAt = placeRows(arena, t, rows, rank, tStride);
        const upAt = arena.input(padColumns(up, rank, columns));
        const yAt = placeRows(arena, y, rows, columns, columns + 3);
        arena.kernel("addProduct")(tAt, rows, rank, tStride, upAt, columns, yAt, columns + 3);
        arena.checkGuards();
        const got = takeRows(arena, yAt, rows, columns, columns + 3);
        expect(difference(got, reference("addProduct", t, rows, rank, up, columns, y))).toBeUndefined();
        if (t.every((value) => value === 0)) expect(difference(got, y)).toBeUndefined();
      }
    }
  });
});
