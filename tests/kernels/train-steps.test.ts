import { describe, expect, test } from "vitest";
import { NONE, difference, floats } from "./f32-rows.ts";
import { numericGradient, relativeGap, weighted } from "./gradients.ts";
import { KernelArena, trainBuilds } from "./instance.ts";
import { Random } from "./int8-layout.ts";
import { reference } from "./reference.ts";

type Vector = ArrayLike<number>;

function layerNorm64(x: Vector, rows: number, width: number, gamma: Vector, beta: Vector, epsilon: number): Float64Array {
  const out = new Float64Array(rows * width);
  for (let r = 0; r < rows; r++) {
    let mean = 0;
    let variance = 0;
    for (let j = 0; j < width; j++) mean += x[r * width + j]! / width;
    for (let j = 0; j < width; j++) variance += (x[r * width + j]! - mean) ** 2 / width;
    for (let j = 0; j < width; j++) out[r * width + j] = ((x[r * width + j]! - mean) / Math.sqrt(variance + epsilon)) * gamma[j]! + beta[j]!;
  }
  return out;
}

const EPSILON = Math.fround(1e-5);

describe.each(trainBuilds)("row steps of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  function normForward(x: Float32Array, residual: Float32Array, rows: number, width: number, gamma: Float32Array, beta: Float32Array) {
    arena.reset();
    const [normal, inverse, out] = [arena.output(rows * width * 4), arena.output(rows * 4), arena.output(rows * width * 4)];
    arena.kernel("layerNormForward")(arena.input(x), residual.length > 0 ? arena.input(residual) : 0, rows, width, arena.input(gamma), arena.input(beta), EPSILON, normal, inverse, out);
    arena.checkGuards();
    const [n, i, y] = [arena.float32(normal, rows * width).slice(), arena.float32(inverse, rows).slice(), arena.float32(out, rows * width).slice()];
    return { normal: n, inverse: i, out: y };
  }

  function normBackward(dy: Float32Array, normal: Float32Array, inverse: Float32Array, gamma: Float32Array, rows: number, width: number, inPlace = false): Float32Array {
    arena.reset();
    const from = arena.input(dy);
    const to = inPlace ? from : arena.output(rows * width * 4);
    arena.kernel("layerNormBackward")(from, arena.input(normal), arena.input(inverse), arena.input(gamma), rows, width, to);
    arena.checkGuards();
    return arena.float32(to, rows * width).slice();
  }

  test("layerNormForward and layerNormBackward equal their twins, and the served layerNorm, for widths 1–40 and rows 1–5", () => {
    for (let width = 1; width <= 40; width++) {
      const rows = 1 + (width % 5);
      const random = new Random(width);
      const [x, residual] = [floats(random, rows * width, 3), width % 3 === 0 ? NONE : floats(random, rows * width, 3)];
      const [gamma, beta, dy] = [floats(random, width, 2), floats(random, width, 1), floats(random, rows * width, 1)];
      const { normal, inverse, out } = normForward(x, residual, rows, width, gamma, beta);
      const all = Float32Array.of(...normal, ...inverse, ...out);
      expect(difference(all, reference("layerNormForward", x, residual, rows, width, gamma, beta, EPSILON)), `width ${width}`).toBeUndefined();
      expect(difference(out, reference("layerNorm", x, residual, rows, width, gamma, beta, EPSILON))).toBeUndefined();
      const ds = reference<Float32Array>("layerNormBackward", dy, normal, inverse, gamma, rows, width);
      for (const inPlace of [false, true]) expect(difference(normBackward(dy, normal, inverse, gamma, rows, width, inPlace), ds)).toBeUndefined();
    }
  });

  test("layerNormBackward, columnDots and columnSums agree with differences of LayerNorm", () => {
    const [rows, width] = [3, 21];
    const random = new Random(5);
    const [x, gamma, beta, dy] = [floats(random, rows * width, 2), floats(random, width, 2), floats(random, width, 1), floats(random, rows * width, 1)];
    const { normal, inverse } = normForward(x, NONE, rows, width, gamma, beta);
    const loss = (values: Vector, g: Vector, b: Vector): number => weighted(layerNorm64(values, rows, width, g, b, EPSILON), dy);
    expect(relativeGap(normBackward(dy, normal, inverse, gamma, rows, width), numericGradient((v) => loss(v, gamma, beta), x))).toBeLessThan(3e-6);
    expect(relativeGap(columns(dy, normal, width), numericGradient((v) => loss(x, v, beta), gamma))).toBeLessThan(3e-6);
    expect(relativeGap(columns(dy, NONE, width), numericGradient((v) => loss(x, gamma, v), beta))).toBeLessThan(3e-6);
  });

  function columns(x: Float32Array, y: Float32Array, width: number, sums: Float32Array = new Float32Array(width)): Float32Array {
    arena.reset();
    const to = arena.input(sums);
    const rows = x.length / width;
    if (y.length > 0) arena.kernel("columnDots")(arena.input(x), arena.input(y), rows, width, to);
    else arena.kernel("columnSums")(arena.input(x), rows, width, to);
    arena.checkGuards();
    return arena.float32(to, width).slice();
  }

  test("columnDots and columnSums equal their twin for columns 1–70, and add to what is there", () => {
    for (let width = 1; width <= 70; width++) {
      const random = new Random(width);
      const count = width * (1 + (width % 6));
      const [x, y, sums] = [floats(random, count, 2), floats(random, count, 2), floats(random, width, 1)];
      for (const other of [y, NONE]) expect(difference(columns(x, other, width, sums), reference("columnDots", x, other, width, sums)), `${width} columns`).toBeUndefined();
    }
  });

  test("scatterAddRows equals its twin, repeated rows included, and is the transpose of gathering", () => {
    for (let width = 1; width <= 21; width++) {
      const random = new Random(width);
      const ids = Int32Array.from({ length: 1 + width }, () => random.integer(0, 4));
      const [x, table] = [floats(random, ids.length * width, 1), floats(random, 5 * width, 1)];
      arena.reset();
      const to = arena.input(table);
      arena.kernel("scatterAddRows")(arena.input(x), arena.input(ids), ids.length, width, to);
      arena.checkGuards();
      const got = arena.float32(to, 5 * width).slice();
      expect(difference(got, reference("scatterAddRows", x, ids, width, table))).toBeUndefined();
      const gathered = (v: Vector): number[] => [...ids].flatMap((id) => Array.from({ length: width }, (_, j) => v[id * width + j]!));
      const slope = numericGradient((v) => weighted(gathered(v), x), table);
      expect(relativeGap(got.map((value, i) => value - table[i]!), slope)).toBeLessThan(1e-5);
    }
  });

  test("meanRowsBackward and l2NormalizeBackward equal their twins and agree with differences", () => {
    for (let width = 1; width <= 37; width++) {
      const random = new Random(width + 3);
      const rows = 1 + (width % 5);
      const mask = Uint8Array.from({ length: rows }, (_, row) => (row === 0 ? 1 : random.integer(0, 1)));
      const [x, d] = [floats(random, rows * width, 1), floats(random, width, 1)];
      arena.reset();
      const dx = arena.output(rows * width * 4);
      arena.kernel("meanRowsBackward")(arena.input(d), rows, width, arena.input(mask), dx);
      arena.checkGuards();
      const got = arena.float32(dx, rows * width).slice();
      expect(difference(got, reference("meanRowsBackward", d, mask))).toBeUndefined();
      const counted = mask.reduce((sum, bit) => sum + bit, 0);
      const mean = (v: Vector) => Array.from({ length: width }, (_, j) => [...mask].reduce((sum, bit, row) => sum + (bit * v[row * width + j]!) / counted, 0));
      expect(relativeGap(got, numericGradient((v) => weighted(mean(v), d), x))).toBeLessThan(2e-6);

      const single = x.slice(0, width).map((value) => value + 0.5);
      const unit = (v: Vector) => Array.from(v, (value) => value / Math.sqrt(weighted(v, v)));
      const slope = l2Backward(single, d);
      expect(difference(slope, reference("l2NormalizeBackward", single, d))).toBeUndefined();
      expect(relativeGap(slope, numericGradient((v) => weighted(unit(v), d), single))).toBeLessThan(1e-5);
      expect(l2Backward(new Float32Array(width), d).every((value) => value === 0)).toBe(true);
    }
  });

  function l2Backward(x: Float32Array, dy: Float32Array): Float32Array {
    arena.reset();
    const to = arena.input(dy);
    arena.kernel("l2NormalizeBackward")(arena.input(x), to, x.length);
    arena.checkGuards();
    return arena.float32(to, x.length).slice();
  }

  test("rowNorms, addTo, scaleValues and transposeRows equal their twins for widths 1–37", () => {
    for (let width = 1; width <= 37; width++) {
      const rows = 1 + (width % 7);
      const [x, y] = [floats(new Random(width), rows * width, 2), floats(new Random(width + 1), rows * width, 2)];
      arena.reset();
      const [at, sum, norms, turned] = [arena.input(x), arena.input(y), arena.output(rows * 4), arena.output(width * ((rows + 3) & ~3) * 4)];
      arena.kernel("rowNorms")(at, rows, width, norms);
      arena.kernel("transposeRows")(at, rows, width, width, turned);
      arena.kernel("addTo")(at, x.length, sum);
      arena.kernel("scaleValues")(at, x.length, 1.7);
      arena.checkGuards();
      expect(difference(arena.float32(norms, rows).slice(), reference("rowNorms", x, width))).toBeUndefined();
      expect(difference(arena.float32(sum, x.length).slice(), reference("addTo", x, y))).toBeUndefined();
      expect(difference(arena.float32(at, x.length).slice(), reference("scaleValues", x, 1.7))).toBeUndefined();
      const padded = (rows + 3) & ~3;
      for (let i = 0; i < x.length; i++) expect(arena.float32(turned, width * padded)[(i % width) * padded + Math.floor(i / width)]).toBe(x[i]);
    }
  });
});
