import { describe, expect, it } from "vitest";
import { choleskyInPlace, solveInPlace } from "../../../src/convert/rounding/cholesky.ts";
import { values } from "./random.ts";

/** A·Aᵀ + I, symmetric positive definite. */
function positiveDefinite(seed: number, n: number): Float64Array {
  const next = values(seed);
  const a = Float64Array.from({ length: n * n }, next);
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) matrix[i * n + j]! += a[i * n + k]! * a[j * n + k]!;
    }
    matrix[i * n + i]! += 1;
  }
  return matrix;
}

describe("Cholesky factor", () => {
  it.each([1, 2, 5, 12, 33])("of a %i×%i matrix multiplies back and solves", (n) => {
    const matrix = positiveDefinite(n, n);
    const factor = matrix.slice();
    choleskyInPlace(factor, n, 1e-9);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let product = 0;
        for (let k = 0; k <= j; k++) product += factor[i * n + k]! * factor[j * n + k]!;
        expect(product).toBeCloseTo(matrix[i * n + j]!, 10);
      }
    }
    const right = Float64Array.from({ length: n }, values(n + 1));
    const solution = right.slice();
    solveInPlace(factor, n, solution);
    for (let i = 0; i < n; i++) {
      let product = 0;
      for (let k = 0; k < n; k++) product += matrix[i * n + k]! * solution[k]!;
      expect(product).toBeCloseTo(right[i]!, 9);
    }
  });

  it("stays finite when the matrix is singular", () => {
    const factor = Float64Array.of(1, 1, 1, 1, 1, 1, 1, 1, 1);
    choleskyInPlace(factor, 3, 1e-6);
    expect(factor[0]).toBe(1);
    expect([factor[4], factor[8]]).toEqual([1e-3, 1e-3]);
    expect(factor.every(Number.isFinite)).toBe(true);
  });
});
