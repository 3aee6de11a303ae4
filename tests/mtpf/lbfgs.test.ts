import { expect, test } from "vitest";
import { benchModule } from "./modules.ts";

const { minimise } = await benchModule("lbfgs");

test("the minimum of a quadratic is the solution of its linear system", () => {
  // A is positive definite with a condition of 555; scipy's L-BFGS-B takes 45 steps, b such that x* = (1, 2, …, 8).
  const n = 8;
  const a = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => (i === j ? 3 ** (i - 3) : 0) + 1 / (1 + i + j)));
  const wanted = Array.from({ length: n }, (_, i) => i + 1);
  const times = (x: ArrayLike<number>): number[] => a.map((row) => row.reduce((sum, entry, j) => sum + entry * x[j]!, 0));
  const b = times(wanted);
  const quadratic = (x: Float64Array, gradient: Float64Array): number => {
    const ax = times(x);
    gradient.set(ax.map((entry, i) => entry - b[i]!));
    return ax.reduce((sum, entry, i) => sum + x[i]! * (entry / 2 - b[i]!), 0);
  };
  const start = new Float64Array(n);
  const found = minimise(quadratic, start, { iterations: 200, tolerance: 1e-9 });
  for (let i = 0; i < n; i++) expect(found.x[i]).toBeCloseTo(wanted[i]!, 6);
  expect(found.iterations).toBeLessThan(60);
  expect(start).toEqual(new Float64Array(n));
});

test("Rosenbrock's valley is followed to its end", () => {
  const rosenbrock = ([x, y]: Float64Array, gradient: Float64Array): number => {
    gradient[0] = -2 * (1 - x!) - 400 * x! * (y! - x! * x!);
    gradient[1] = 200 * (y! - x! * x!);
    return (1 - x!) ** 2 + 100 * (y! - x! * x!) ** 2;
  };
  const found = minimise(rosenbrock, Float64Array.of(-1.2, 1), { iterations: 200, tolerance: 1e-9 });
  expect(found.x[0]).toBeCloseTo(1, 6);
  expect(found.x[1]).toBeCloseTo(1, 6);
});

test("it stops at the tolerance, at the number of steps, and where no step goes down", () => {
  const bowl = (x: Float64Array, gradient: Float64Array): number => {
    gradient.set(x.map((entry, i) => 2 * (i + 1) * entry));
    return x.reduce((sum, entry, i) => sum + (i + 1) * entry * entry, 0);
  };
  const start = Float64Array.of(3, -2, 1);
  const first = Math.hypot(6, -8, 6);
  const loose = minimise(bowl, start, { tolerance: 1e-2 });
  expect(loose.gradientNorm).toBeLessThanOrEqual(1e-2 * first);
  expect(minimise(bowl, start, { iterations: 1, tolerance: 0 }).iterations).toBe(1);
  // The gradient points the wrong way, so nothing that is tried is lower.
  const wrong = (x: Float64Array, gradient: Float64Array): number => {
    gradient.set(x.map((entry) => -2 * entry));
    return x.reduce((sum, entry) => sum + entry * entry, 0);
  };
  const stuck = minimise(wrong, start, {});
  expect(stuck.iterations).toBe(0);
  expect(stuck.x).toEqual(start);
});
