import { describe, expect, test } from "vitest";
import { NONE, beyondBound, difference, floats, gamma, placeRows, takeRows } from "./f32-rows.ts";
import { expectTwin } from "./gradients.ts";
import { KernelArena, trainBuilds, type TrainBuild } from "./instance.ts";
import { Random } from "./int8-layout.ts";
import { reference } from "./reference.ts";

type LayoutA = "rows" | "transposed";
type LayoutB = "row panels" | "column panels" | "rows";

interface Product {
  rows: number;
  depth: number;
  columns: number;
  /** [rows][depth] */
  a: Float32Array;
  /** [depth][columns] */
  b: Float32Array;
  bias: Float32Array;
  /** [rows][columns], added to; empty: written */
  out: Float32Array;
}

const roundUp = (count: number, to: number): number => Math.ceil(count / to) * to;

function transposed(x: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: x.length }, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!);
}

function productCase(rows: number, depth: number, columns: number, seed: number, kind: "plain" | "bias" | "add"): Product {
  const random = new Random(seed);
  return {
    rows, depth, columns,
    a: floats(random, rows * depth, 2),
    b: floats(random, depth * columns, 1),
    bias: kind === "bias" ? floats(random, columns, 1) : NONE,
    out: kind === "add" ? floats(random, rows * columns, 3) : NONE,
  };
}

/** Address, bytes from row to row and from step to step. */
function placeA(arena: KernelArena, { a, rows, depth }: Product, layout: LayoutA): [number, number, number] {
  if (layout === "rows") return [placeRows(arena, a, rows, depth, depth + 3), (depth + 3) * 4, 4];
  const wide = roundUp(rows, 4);
  const out = arena.output(depth * wide * 4);
  // The transpose of a matrix [rows][depth] has its rows as steps: read it the other way round.
  arena.kernel("transposeRows")(arena.input(a), rows, depth, depth, out);
  return [out, 4, wide * 4];
}

function placeB(arena: KernelArena, { b, depth, columns }: Product, layout: LayoutB): [number, number, number] {
  if (layout === "rows") return [arena.input(b), 32, columns * 4];
  const out = arena.output(roundUp(columns, 8) * depth * 4);
  if (layout === "row panels") {
    const rows = placeRows(arena, transposed(b, depth, columns), columns, depth, depth + 1);
    arena.kernel("packRowPanels")(rows, columns, depth, depth + 1, out);
  } else {
    arena.kernel("packColumnPanels")(placeRows(arena, b, depth, columns, columns + 2), depth, columns, columns + 2, out);
  }
  return [out, depth * 32, 32];
}

function run(arena: KernelArena, given: Product, a: LayoutA, b: LayoutB, gap = 0): Float32Array {
  arena.reset();
  const { rows, depth, columns, bias, out } = given;
  const [aAt, aRow, aStep] = placeA(arena, given, a);
  const [bAt, bPanel, bStep] = placeB(arena, given, b);
  const biasAt = bias.length > 0 ? arena.input(bias) : 0;
  const stride = columns + gap;
  const to = out.length > 0 ? placeRows(arena, out, rows, columns, stride, (gap % 4) * 4) : arena.output(((rows - 1) * stride + columns) * 4);
  arena.kernel("product")(aAt, rows, aRow, aStep, depth, bAt, bPanel, bStep, columns, biasAt, to, stride, out.length > 0 ? 1 : 0);
  arena.checkGuards();
  return takeRows(arena, to, rows, columns, stride);
}

function twin({ rows, depth, columns, a, b, bias, out }: Product): Float32Array {
  return out.length > 0 ? reference("addProduct", a, rows, depth, b, columns, out) : reference("dense", a, rows, depth, b, bias, columns);
}

/** Float64 sums, and what a chain of `depth` steps may lose, fused or not. */
function exact({ rows, depth, columns, a, b, bias, out }: Product): { want: Float64Array; bound: Float64Array } {
  const want = new Float64Array(rows * columns);
  const bound = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const at = r * columns + c;
      let size = Math.abs(bias[c] ?? 0) + Math.abs(out[at] ?? 0);
      want[at] = (bias[c] ?? 0) + (out[at] ?? 0);
      for (let k = 0; k < depth; k++) {
        const term = a[r * depth + k]! * b[k * columns + c]!;
        want[at]! += term;
        size += Math.abs(term);
      }
      bound[at] = gamma(depth + 2) * size;
    }
  }
  return { want, bound };
}

const LAYOUTS: [LayoutA, LayoutB][] = [["rows", "row panels"], ["rows", "column panels"], ["transposed", "column panels"], ["transposed", "rows"], ["rows", "rows"]];

function check(build: TrainBuild, arena: KernelArena, given: Product, [a, b]: [LayoutA, LayoutB], gap: number): void {
  const got = run(arena, given, a, b, gap);
  expectTwin(build, got, twin(given), 1e-5, `${given.rows}×${given.depth}×${given.columns}, ${a}, ${b}`);
  const { want, bound } = exact(given);
  expect(beyondBound(got, want, bound)).toBeUndefined();
}

describe.each(trainBuilds)("product of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  test("is the sum of products for rows 1–20, columns 1–21 and odd depths, in every layout of its operands", () => {
    for (let rows = 1; rows <= 20; rows++) {
      for (let columns = 1; columns <= 21; columns++) {
        const seed = rows * 100 + columns;
        const given = productCase(rows, 1 + (seed % 19), columns, seed, (["plain", "bias", "add"] as const)[seed % 3]!);
        check(build, arena, given, LAYOUTS[seed % LAYOUTS.length]!, seed % 4);
      }
    }
  });

  test.each([[33, 384, 40], [5, 1536, 17], [64, 64, 384]])("%i×%i×%i in every layout and kind", (rows, depth, columns) => {
    for (const layout of LAYOUTS) {
      for (const kind of ["plain", "bias", "add"] as const) check(build, arena, productCase(rows, depth, columns, 7, kind), layout, 1);
    }
  });

  test("gives a row the same bits alone and among others", () => {
    const given = productCase(15, 23, 13, 3, "bias");
    given.a[23 * 4] = NaN;
    const together = run(arena, given, "rows", "row panels");
    for (let row = 0; row < 15; row++) {
      const alone = run(arena, { ...given, rows: 1, a: given.a.slice(row * 23, row * 23 + 23) }, "rows", "row panels");
      expect(difference(alone, together.slice(row * 13, row * 13 + 13))).toBeUndefined();
    }
  });

  // dX and dW of y = x·Wᵀ are products themselves, so a product that is right makes them right: that these are the right ones
  // is what central differences say, exact for a function that is linear in each operand.
  test("dX = dY·W and dW = dYᵀ·X agree with differences of Σ dY∘(x·Wᵀ)", () => {
    const [rows, inputs, outputs] = [7, 11, 9];
    const random = new Random(12);
    const x = floats(random, rows * inputs, 1);
    const w = floats(random, outputs * inputs, 1);
    const dy = floats(random, rows * outputs, 1);
    const loss = (values: ArrayLike<number>, weights: ArrayLike<number>): number => {
      let sum = 0;
      for (let r = 0; r < rows; r++) {
        for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) sum += dy[r * outputs + o]! * values[r * inputs + i]! * weights[o * inputs + i]!;
      }
      return sum;
    };
    const none = { bias: NONE, out: NONE };
    const dx = run(arena, { rows, depth: outputs, columns: inputs, a: dy, b: w, ...none }, "rows", "column panels");
    const dw = run(arena, { rows: outputs, depth: rows, columns: inputs, a: transposed(dy, rows, outputs), b: x, ...none }, "rows", "column panels");
    for (const [i, got] of dx.entries()) expect(got).toBeCloseTo(loss(x.map((v, j) => (j === i ? v + 1 : v)), w) - loss(x, w), 4);
    for (const [i, got] of dw.entries()) expect(got).toBeCloseTo(loss(x, w.map((v, j) => (j === i ? v + 1 : v))) - loss(x, w), 4);
  });
});
