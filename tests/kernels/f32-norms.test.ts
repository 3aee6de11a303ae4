import { describe, expect, test } from "vitest";
import { NONE, UNIT, beyondBound, difference, floats, gamma, placeRows, takeRows } from "./f32-rows.ts";
import { KernelArena, builds } from "./instance.ts";
import { Random } from "./int8-layout.ts";
import { reference } from "./reference.ts";

type Place = "apart" | "over x" | "over residual";

interface LayerNormCase {
  rows: number;
  width: number;
  x: Float32Array;
  residual: Float32Array;
  scale: Float32Array;
  shift: Float32Array;
  epsilon: number;
}

function layerNormCase(rows: number, width: number, seed: number, withResidual = true): LayerNormCase {
  const random = new Random(seed);
  return {
    rows,
    width,
    x: floats(random, rows * width, 3),
    residual: withResidual ? floats(random, rows * width, 3) : NONE,
    scale: floats(random, width, 2),
    shift: floats(random, width, 1),
    epsilon: Math.fround(1e-5),
  };
}

function layerNorm(arena: KernelArena, { rows, width, x, residual, scale, shift, epsilon }: LayerNormCase, place: Place = "apart"): Float32Array {
  arena.reset();
  const xAt = arena.input(x);
  const residualAt = residual.length > 0 ? arena.input(residual) : 0;
  const [scaleAt, shiftAt] = [arena.input(scale), arena.input(shift)];
  const out = place === "apart" ? arena.output(rows * width * 4) : place === "over x" ? xAt : residualAt;
  arena.kernel("layerNorm")(xAt, residualAt, rows, width, scaleAt, shiftAt, epsilon, out);
  arena.checkGuards();
  return takeRows(arena, out, rows, width, width);
}

function layerNormTwin({ rows, width, x, residual, scale, shift, epsilon }: LayerNormCase): Float32Array {
  return reference("layerNorm", x, residual, rows, width, scale, shift, epsilon);
}

/** Float64 result and the error f32 may make: chains of ceil(width/16) + 4 additions, then a handful of roundings. */
function exactLayerNorm({ rows, width, x, residual, scale, shift, epsilon }: LayerNormCase) {
  const want = new Float64Array(rows * width);
  const bound = new Float64Array(rows * width);
  const chain = Math.ceil(width / 16) + 4;
  for (let row = 0; row < rows; row++) {
    const s = Array.from({ length: width }, (_, j) => x[row * width + j]! + (residual[row * width + j] ?? 0));
    const mean = s.reduce((sum, value) => sum + value, 0) / width;
    const size = s.reduce((sum, value) => sum + Math.abs(value), 0) / width;
    const inverse = 1 / Math.sqrt(s.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width + epsilon);
    for (let j = 0; j < width; j++) {
      const normal = (s[j]! - mean) * inverse;
      want[row * width + j] = normal * scale[j]! + shift[j]!;
      const fromMean = (gamma(chain + 2) * size + 2 * UNIT * Math.abs(s[j]!)) * inverse;
      bound[row * width + j] =
        (fromMean + gamma(chain + 8) * Math.abs(normal)) * Math.abs(scale[j]!) + 2 * UNIT * Math.abs(want[row * width + j]!) + 1e-30;
    }
  }
  return { want, bound };
}

/** Softmax over rows `stride` apart. */
function softmax(arena: KernelArena, x: Float32Array, rows: number, columns: number, stride: number): Float32Array {
  arena.reset();
  const at = placeRows(arena, x, rows, columns, stride, (columns % 4) * 4);
  arena.kernel("softmaxRows")(at, rows, columns, stride);
  arena.checkGuards();
  return takeRows(arena, at, rows, columns, stride);
}

describe.each(builds)("layerNorm of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  test("equals the scalar twin for rows 1–17, width 1–70, with and without residual, into any of its inputs", () => {
    for (let width = 1; width <= 70; width++) {
      for (let rows = 1; rows <= 17; rows++) {
        const withResidual = (rows + width) % 3 !== 0;
        const given = layerNormCase(rows, width, width * 100 + rows, withResidual);
        const want = layerNormTwin(given);
        for (const place of ["apart", "over x", ...(withResidual ? ["over residual" as const] : [])] as const) {
          const found = difference(layerNorm(arena, given, place), want);
          if (found !== undefined) expect.fail(`${rows} rows of ${width}, ${place}: ${found}`);
        }
      }
    }
  });

  test.each([2, 3, 16, 42, 70, 384, 1024])("is within the rounding of its sums at width %i", (width) => {
    const given = layerNormCase(5, width, width);
    const { want, bound } = exactLayerNorm(given);
    expect(beyondBound(layerNorm(arena, given), want, bound)).toBeUndefined();
  });

  test("does not cancel far from zero: a row of mean 1000 and deviation 1", () => {
    const given = layerNormCase(3, 384, 5, false);
    given.x = given.x.map((value) => 1000 + value);
    const { want, bound } = exactLayerNorm(given);
    expect(beyondBound(layerNorm(arena, given), want, bound)).toBeUndefined();
  });

  test("gives a constant row its shift", () => {
    const given = layerNormCase(2, 13, 8, false);
    given.x.fill(1);
    expect([...layerNorm(arena, given)]).toEqual([...given.shift, ...given.shift].map((value) => value + 0));
  });

  test("gives a row the same bits alone and among others, NaN and infinite neighbours included", () => {
    const given = layerNormCase(9, 45, 21);
    given.x[45] = NaN;
    given.x[45 * 3 + 44] = Infinity;
    given.x[45 * 5] = -3.4e38;
    const together = layerNorm(arena, given);
    for (let row = 0; row < 9; row++) {
      const slice = (data: Float32Array) => data.slice(row * 45, row * 45 + 45);
      const alone = layerNorm(arena, { ...given, rows: 1, x: slice(given.x), residual: slice(given.residual) });
      expect(difference(alone, slice(together))).toBeUndefined();
      expect(alone.some(Number.isNaN)).toBe(row % 2 === 1 && row < 6);
    }
  });

  test("gives NaN, as its twin does, where squares overflow, and the row's values just below", () => {
    for (const size of [1e18, 6e18, 7e18, 3e19, 1e21, 1e30, 1e38]) {
      const given = layerNormCase(2, 8, 4, false);
      given.x = given.x.map((_, i) => (i < 8 ? size : 1) * (i % 2 === 0 ? 1 : -1));
      const got = layerNorm(arena, given);
      expect(difference(got, layerNormTwin(given)), `${size}`).toBeUndefined();
      expect(Array.from(got, Number.isNaN)).toEqual(Array.from(got, (_, i) => i < 8 && size > 6.5e18)); // 8 squares of it are 3.4e38
    }
  });
});

describe.each(builds)("softmaxRows of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  test("equals the scalar twin for rows 1–17, columns 1–70, any stride", () => {
    for (let columns = 1; columns <= 70; columns++) {
      for (let rows = 1; rows <= 17; rows++) {
        const x = floats(new Random(columns * 100 + rows), rows * columns, [1, 20, 200][rows % 3]!);
        const stride = columns + [0, 1, 5, 13][(rows + columns) % 4]!;
        const found = difference(softmax(arena, x, rows, columns, stride), reference("softmaxRows", x, rows, columns));
        if (found !== undefined) expect.fail(`${rows} rows of ${columns}, stride ${stride}: ${found}`);
      }
    }
  });

  test.each([1, 2, 7, 77, 1000])("is within its error bound with %i columns", (columns) => {
    const x = floats(new Random(columns), columns, 10);
    const largest = Math.max(...x);
    const weights = Float64Array.from(x, (value) => Math.exp(value - largest));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const want = weights.map((weight) => weight / sum);
    // exp: 3e-7 in numerator and sum each; the rounded difference in its exponent; the sum's chain; the division.
    const bound = want.map((p, at) => p * (6e-7 + (largest - x[at]!) * UNIT + gamma(Math.ceil(columns / 16) + 6)) + 1e-37);
    expect(beyondBound(softmax(arena, x, 1, columns, columns), want, bound)).toBeUndefined();
  });

  test("takes huge and infinite logits", () => {
    expect([...softmax(arena, Float32Array.of(3.4e38, -3.4e38, 0), 1, 3, 3)].map((p) => Math.round(p * 1e6))).toEqual([1e6, 0, 0]);
    expect([...softmax(arena, Float32Array.of(-Infinity, 0, 0, 0, 0), 1, 5, 5)].map((p) => Math.round(p * 4))).toEqual([0, 1, 1, 1, 1]);
    expect([...softmax(arena, Float32Array.of(-Infinity, -Infinity), 1, 2, 2)]).toEqual([0.5, 0.5]);
    expect(softmax(arena, Float32Array.of(NaN, 1, 2), 1, 3, 3).every(Number.isNaN)).toBe(true);
    expect([...softmax(arena, Float32Array.of(-0, 0), 1, 2, 2)]).toEqual([0.5, 0.5]);
  });

  test("gives a row the same bits alone and among others", () => {
    const x = floats(new Random(4), 9 * 31, 8);
    x[31] = NaN;
    x[31 * 4] = Infinity;
    const together = softmax(arena, x, 9, 31, 33);
    for (let row = 0; row < 9; row++) {
      const alone = softmax(arena, x.slice(row * 31, row * 31 + 31), 1, 31, 31);
      expect(difference(alone, together.slice(row * 31, row * 31 + 31))).toBeUndefined();
      expect(alone.some(Number.isNaN)).toBe(row === 1 || row === 4);
    }
  });
});
