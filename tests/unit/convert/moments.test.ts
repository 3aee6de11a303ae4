import { describe, expect, it } from "vitest";
import { CrossMoment } from "../../../src/convert/rounding/cross-moment.ts";
import { SecondMoment } from "../../../src/convert/rounding/second-moment.ts";
import { correlatedRows, randomRows } from "./random.ts";

/** Σ(a−mean a)(b−mean b)ᵀ / rows from the definition. */
function covarianceOf(a: Float32Array, b: Float32Array, rows: number): number[] {
  const [height, width] = [a.length / rows, b.length / rows];
  const mean = (x: Float32Array, n: number, k: number) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += x[row * n + k]!;
    return sum / rows;
  };
  const result: number[] = [];
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const [mi, mj] = [mean(a, height, i), mean(b, width, j)];
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += (a[row * height + i]! - mi) * (b[row * width + j]! - mj);
      result.push(sum / rows);
    }
  }
  return result;
}

function expectNear(actual: Float64Array, expected: number[]): void {
  expect(actual.length).toBe(expected.length);
  for (let at = 0; at < expected.length; at++) expect(Math.abs(actual[at]! - expected[at]!)).toBeLessThan(1e-12);
}

describe("moments of calibration rows", () => {
  it.each([[1, 1], [7, 63], [8, 64], [13, 65], [6, 200]])("width %i over %i rows is the covariance", (width, rows) => { // prettier-ignore
    const x = correlatedRows(width, rows, width);
    const moment = new SecondMoment(width);
    moment.add(x, rows);
    expectNear(moment.covariance(), covarianceOf(x, x, rows));
  });

  it("does not depend on how the rows are cut into calls", () => {
    const x = correlatedRows(3, 150, 9);
    const whole = new SecondMoment(9);
    whole.add(x, 150);
    const cut = new SecondMoment(9);
    for (let row = 0; row < 150; row += 7) cut.add(x.subarray(row * 9), Math.min(7, 150 - row));
    expect(cut.covariance()).toEqual(whole.covariance());
    expect(cut.mean()).toEqual(whole.mean());
  });

  it("is zero without rows and for an input that never moves", () => {
    expect([...new SecondMoment(2).covariance()]).toEqual([0, 0, 0, 0]);
    const moment = new SecondMoment(2);
    moment.add(Float32Array.of(0.1, 1, 0.1, 2, 0.1, 4), 3);
    const covariance = moment.covariance();
    expect(covariance[0]).toBeGreaterThanOrEqual(0);
    expect(covariance[0]).toBeLessThan(1e-15);
  });

  it.each([[5, 3, 40], [4, 9, 64], [7, 10, 130]])("pairs of widths %i and %i over %i rows", (out, width, rows) => { // prettier-ignore
    const missing = randomRows(out, rows, out);
    const inputs = correlatedRows(width, rows, width);
    const moment = new CrossMoment(out, width);
    moment.add(missing, inputs, rows);
    expectNear(moment.covariance(), covarianceOf(missing, inputs, rows));
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += missing[row * out]!;
    expect(moment.mean()[0]).toBeCloseTo(sum / rows, 12);
  });
});
