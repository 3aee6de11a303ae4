import { describe, expect, test } from "vitest";
import { NONE, difference, floats } from "./f32-rows.ts";
import { numericGradient, relativeGap } from "./gradients.ts";
import { KernelArena, trainBuilds } from "./instance.ts";
import { Random } from "./int8-layout.ts";
import { reference } from "./reference.ts";

type Vector = ArrayLike<number>;
const ALL = new Uint8Array(0);

interface Rows {
  rows: number;
  columns: number;
  logits: Float32Array;
  labels: Int32Array;
  weights: Float32Array;
  smoothing: number;
  allowed: Uint8Array;
}

function rowsCase(rows: number, columns: number, seed: number): Rows {
  const random = new Random(seed);
  const allowed = seed % 4 === 0 ? Uint8Array.from({ length: columns }, (_, c) => (c === 0 ? 1 : random.integer(0, 1))) : ALL;
  const label = (): number => {
    const chosen = random.integer(0, columns - 1);
    return allowed.length > 0 && allowed[chosen] === 0 ? 0 : chosen;
  };
  return {
    rows, columns, allowed,
    logits: floats(random, rows * columns, seed % 5 === 0 ? 60 : 5),
    labels: Int32Array.from({ length: rows }, (_, row) => (row % 4 === 3 ? -100 : label())),
    weights: seed % 2 === 0 ? floats(random, columns, 1).map((w) => Math.abs(w) + 0.1) : NONE,
    smoothing: Math.fround([0, 0.1, 0.3][seed % 3]!),
  };
}

/** PyTorch's definition in float64, the sum over the rows. */
function crossEntropy64({ rows, columns, labels, weights, smoothing, allowed }: Rows, logits: Vector): number {
  const classes = Array.from({ length: columns }, (_, c) => c).filter((c) => allowed.length === 0 || allowed[c] !== 0);
  const weight = (c: number): number => (weights.length > 0 ? weights[c]! : 1);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const label = labels[row]!;
    if (label < 0) continue;
    const z = (c: number): number => logits[row * columns + c]!;
    const largest = Math.max(...classes.map(z));
    const lse = largest + Math.log(classes.reduce((sum, c) => sum + Math.exp(z(c) - largest), 0));
    total += (1 - smoothing) * weight(label) * (lse - z(label));
    for (const c of classes) total += (smoothing / classes.length) * weight(c) * (lse - z(c));
  }
  return total;
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

describe.each(trainBuilds)("losses of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  function crossEntropy({ rows, columns, logits, labels, weights, smoothing, allowed }: Rows, scale: number): Float32Array {
    arena.reset();
    const [z, losses] = [arena.input(logits), arena.output(rows * 4)];
    const [w, a] = [weights.length > 0 ? arena.input(weights) : 0, allowed.length > 0 ? arena.input(allowed) : 0];
    arena.kernel("crossEntropy")(z, rows, columns, arena.input(labels), w, smoothing, a, scale, losses);
    arena.checkGuards();
    return Float32Array.of(...arena.float32(z, rows * columns), ...arena.float32(losses, rows));
  }

  test("crossEntropy equals its twin and agrees with differences for 1–30 classes: ignored labels, weights, smoothing, classes left out", () => {
    for (let columns = 1; columns <= 30; columns++) {
      const given = rowsCase(1 + (columns % 7), columns, columns);
      const { rows, logits, labels, weights, smoothing, allowed } = given;
      const got = crossEntropy(given, 0.25);
      expect(difference(got, reference("crossEntropy", logits, columns, labels, weights, smoothing, allowed, 0.25)), `${columns} classes`).toBeUndefined();
      const want = numericGradient((x) => crossEntropy64(given, x) / 4, logits);
      expect(relativeGap(got.subarray(0, rows * columns), want), `${columns} classes`).toBeLessThan(3e-6);
      const loss = got.subarray(rows * columns).reduce((sum, value) => sum + value, 0);
      expect(relativeGap([loss], [crossEntropy64(given, logits)])).toBeLessThan(3e-6);
      for (let row = 3; row < rows; row += 4) expect(got.subarray(row * columns, (row + 1) * columns).every((value) => value === 0)).toBe(true);
    }
  });

  test("crossEntropy hands on NaN, so that a training run can stop", () => {
    const given = rowsCase(2, 5, 1);
    given.logits[1] = NaN;
    const got = crossEntropy(given, 1);
    expect(got[10]).toBeNaN();
    expect(Number.isFinite(got[11])).toBe(true);
  });

  test("sigmoidCrossEntropy equals its twin and agrees with differences for 1–19 classes", () => {
    for (let columns = 1; columns <= 19; columns++) {
      const random = new Random(columns);
      const rows = 1 + (columns % 4);
      const logits = floats(random, rows * columns, 12);
      const targets = floats(random, rows * columns, 1).map((t) => (columns % 2 === 0 ? Math.abs(t) : t > 0 ? 1 : 0));
      const weights = columns % 3 === 0 ? floats(random, columns, 3).map(Math.abs) : NONE;
      arena.reset();
      const [z, losses] = [arena.input(logits), arena.output(rows * 4)];
      arena.kernel("sigmoidCrossEntropy")(z, rows, columns, arena.input(targets), weights.length > 0 ? arena.input(weights) : 0, 0.5, losses);
      arena.checkGuards();
      const got = Float32Array.of(...arena.float32(z, rows * columns), ...arena.float32(losses, rows));
      expect(difference(got, reference("sigmoidCrossEntropy", logits, columns, targets, weights, 0.5))).toBeUndefined();
      const exact = (x: Vector): number => {
        let sum = 0;
        for (const [i, t] of targets.entries()) sum += (1 - t) * x[i]! + (1 + ((weights[i % columns] ?? 1) - 1) * t) * softplus(-x[i]!);
        return sum;
      };
      expect(relativeGap(got.subarray(0, rows * columns), numericGradient((x) => exact(x) / 2, logits))).toBeLessThan(3e-6);
      expect(relativeGap([got.subarray(rows * columns).reduce((sum, value) => sum + value, 0)], [exact(logits)])).toBeLessThan(3e-6);
    }
  });

  test("contrastive equals its twin and agrees with differences for 1–13 pairs, with and without texts left out", () => {
    for (let count = 1; count <= 13; count++) {
      for (const [some, share] of [[false, 0.5], [true, 0.5], [true, 1]] as const) {
        const random = new Random(count + 50);
        const scores = floats(random, count * count, 20);
        const leftOut = some ? Uint8Array.from({ length: count * count }, () => (random.integer(0, 2) === 0 ? 1 : 0)) : ALL;
        arena.reset();
        const [s, losses, terms] = [arena.input(scores), arena.output(count * 4), arena.output(count * 16)];
        arena.kernel("contrastive")(s, count, some ? arena.input(leftOut) : 0, share, 1 / count, terms, losses);
        arena.checkGuards();
        const got = Float32Array.of(...arena.float32(s, count * count), ...arena.float32(losses, count));
        expect(difference(got, reference("contrastive", scores, count, leftOut, share, 1 / count)), `${count} pairs`).toBeUndefined();
        const takesPart = (i: number, j: number): boolean => i === j || !some || leftOut[i * count + j] === 0;
        const exact = (x: Vector): number => {
          const lse = (cells: [number, number][]): number => Math.log(cells.filter(([i, j]) => takesPart(i, j)).reduce((sum, [i, j]) => sum + Math.exp(x[i * count + j]!), 0));
          let sum = 0;
          for (let i = 0; i < count; i++) {
            const own = x[i * count + i]!;
            sum += share * lse(Array.from({ length: count }, (_, j) => [i, j])) + (1 - share) * lse(Array.from({ length: count }, (_, j) => [j, i])) - own;
          }
          return sum;
        };
        expect(relativeGap(got.subarray(0, count * count), numericGradient((x) => exact(x) / count, scores))).toBeLessThan(3e-6);
        expect(relativeGap([got.subarray(count * count).reduce((sum, value) => sum + value, 0)], [exact(scores)])).toBeLessThan(3e-6);
      }
    }
  });
});
