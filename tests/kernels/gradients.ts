// What the tests of backward steps share: differences in float64, and the two ways of comparing a training module with its twin.
import { expect } from "vitest";
import { difference } from "./f32-rows.ts";
import type { TrainBuild } from "./instance.ts";

/** Central differences of a float64 function: error about h² for functions of size 1. */
export function numericGradient(f: (x: Float64Array) => number, at: ArrayLike<number>, h = 1e-5): Float64Array {
  const x = Float64Array.from(at);
  return x.map((value, i) => {
    x[i] = value + h;
    const above = f(x);
    x[i] = value - h;
    const below = f(x);
    x[i] = value;
    return (above - below) / (2 * h);
  });
}

/** Largest distance over the largest value wanted (at least 1e-3 of it, so that a zero gradient can be compared). */
export function relativeGap(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let gap = 0;
  let largest = 1e-3;
  if (got.length !== want.length) return Infinity;
  for (let i = 0; i < want.length; i++) {
    gap = Math.max(gap, Math.abs(got[i]! - want[i]!));
    if (Number.isNaN(got[i]!)) return Infinity;
    largest = Math.max(largest, Math.abs(want[i]!));
  }
  return gap / largest;
}

/** Equal bits without fused steps; with them, which round once where the twin rounds twice, within `tolerance` of the largest value. */
export function expectTwin(build: TrainBuild, got: Float32Array, want: Float32Array, tolerance: number, what: string): void {
  const found = build === "train-fixed" ? difference(got, want) : undefined;
  if (found !== undefined) expect.fail(`${what}: ${found}`);
  if (build !== "train-fixed") expect(relativeGap(got, want), what).toBeLessThan(tolerance);
}

/** Σ w·y: a loss whose gradient by y is w. */
export function weighted(y: ArrayLike<number>, w: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum += y[i]! * w[i]!;
  return sum;
}
