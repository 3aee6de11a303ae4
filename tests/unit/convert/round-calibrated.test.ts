import { describe, expect, it } from "vitest";
import { ColumnRange, divideColumns, multiplyColumns } from "../../../src/convert/rounding/column-scale.ts";
import { CrossMoment } from "../../../src/convert/rounding/cross-moment.ts";
import { feedback } from "../../../src/convert/rounding/feedback.ts";
import { roundCalibrated } from "../../../src/convert/rounding/round-calibrated.ts";
import { roundWithFeedback } from "../../../src/convert/rounding/round-with-feedback.ts";
import { SecondMoment } from "../../../src/convert/rounding/second-moment.ts";
import { roundPlain, type RoundedWeight } from "../../../src/model/round-plain.ts";
import { correlatedRows, randomRows } from "./random.ts";

function momentOf(rows: Float32Array, count: number): SecondMoment {
  const moment = new SecondMoment(rows.length / count);
  moment.add(rows, count);
  return moment;
}

/** (W − scale·codes)·x + (bias − rounded bias) for every row: [rows][out]. */
function outputErrors(weight: Float32Array, rounded: RoundedWeight, shift: readonly number[], rows: Float32Array, width: number): number[][] {
  const out = weight.length / width;
  return Array.from({ length: rows.length / width }, (_, row) =>
    Array.from({ length: out }, (_, o) => {
      let error = shift[o]!;
      for (let k = 0; k < width; k++) error += (weight[o * width + k]! - rounded.scales[o]! * rounded.codes[o * width + k]!) * rows[row * width + k]!;
      return error;
    }),
  );
}

function identity(n: number): Float32Array {
  return Float32Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
}

function meanSquare(errors: number[][]): number {
  return errors.flat().reduce((sum, error) => sum + error * error, 0) / errors.flat().length;
}

/** Inverse of a symmetric positive definite matrix by Gauss-Jordan. */
function inverse(matrix: Float64Array, n: number): number[][] {
  const rows = Array.from({ length: n }, (_, i) => [...matrix.subarray(i * n, i * n + n), ...Array.from({ length: n }, (_, j) => (i === j ? 1 : 0))]);
  for (let k = 0; k < n; k++) {
    const pivot = rows[k]![k]!;
    rows[k] = rows[k]!.map((value) => value / pivot);
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i]![k]!;
      rows[i] = rows[i]!.map((value, j) => value - factor * rows[k]![j]!);
    }
  }
  return rows.map((row) => row.slice(n));
}

/** The recursion as optimal brain quantisation states it: after each input, the rest moves and leaves the inverse. */
function byInverse(weight: Float64Array, scale: number, metric: Float64Array, n: number, order: Int32Array): number[] {
  const left = inverse(metric, n);
  const w = [...weight];
  const codes = new Array<number>(n);
  for (const k of order) {
    codes[k] = Math.max(-63, Math.min(63, Math.round(w[k]! / scale))) + 0;
    const error = (w[k]! - codes[k]! * scale) / left[k]![k]!;
    for (let j = 0; j < n; j++) w[j]! -= error * left[k]![j]!;
    const row = [...left[k]!];
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) left[i]![j]! -= (row[i]! * row[j]!) / row[k]!;
  }
  return codes;
}

describe("error feedback", () => {
  it("gives the codes of the recursion over the inverse", () => {
    const [out, n] = [7, 24];
    const weight = Float64Array.from(randomRows(5, out, n));
    const metric = momentOf(correlatedRows(6, 300, n), 300).covariance();
    const terms = feedback(metric, n, 0.02);
    const { codes, scales } = roundWithFeedback(weight, out, n, terms);
    let mean = 0;
    for (let k = 0; k < n; k++) mean += metric[k * n + k]! / n;
    for (let k = 0; k < n; k++) metric[k * n + k]! += 0.02 * mean;
    for (let o = 0; o < out; o++) {
      expect([...codes.subarray(o * n, o * n + n)]).toEqual(byInverse(weight.subarray(o * n, o * n + n), scales[o]!, metric, n, terms.order));
    }
  });

  it("keeps a channel's scale with the smallest output error of those tried", () => {
    // One large weight on an input that hardly moves: clipping it costs little, a finer step for the others gains more.
    const metric = Float64Array.of(1e-4, 0, 0, 0, 1, 0, 0, 0, 1);
    const { codes, scales } = roundWithFeedback(Float64Array.of(1, 0.76 / 63, (-5 * 0.76) / 63), 1, 3, feedback(metric, 3, 1e-6));
    expect(scales[0]).toBe(Math.fround(0.76 / 63));
    expect([...codes]).toEqual([63, 1, -5]);
  });

  it("rounds inputs of larger variance first, equal ones in their order", () => {
    expect([...feedback(Float64Array.of(1, 0, 0, 0, 3, 0, 0, 0, 1), 3, 0.01).order]).toEqual([1, 0, 2]);
  });

  it("is about plain rounding where no input was seen", () => {
    const weight = randomRows(8, 6, 10);
    const plain = roundPlain(weight, 6, 10);
    const none = roundCalibrated(weight, new Float32Array(6), 6, 10, new SecondMoment(10));
    const error = (rounded: RoundedWeight) => meanSquare(outputErrors(weight, rounded, new Array<number>(6).fill(0), identity(10), 10));
    expect(error(none)).toBeLessThanOrEqual(error(plain));
    expect(error(none)).toBeGreaterThan(error(plain) / 2);
    expect(none.bias).toEqual(new Float32Array(6));
  });
});

describe("calibrated rounding", () => {
  const [out, width, count] = [13, 30, 400];
  const rows = correlatedRows(11, count, width);
  const weight = randomRows(12, out, width);
  const bias = randomRows(13, 1, out);
  const rounded = roundCalibrated(weight, bias, out, width, momentOf(rows, count));
  const shift = (corrected: Float32Array) => [...bias].map((value, o) => value - corrected[o]!);

  it("has less than a third of plain rounding's squared output error, on rows it has not seen as well", () => {
    const others = correlatedRows(11, 2 * count, width).subarray(count * width);
    const plain = roundPlain(weight, out, width);
    const none = new Array<number>(out).fill(0);
    for (const sample of [rows, others]) {
      const before = meanSquare(outputErrors(weight, plain, none, sample, width));
      const after = meanSquare(outputErrors(weight, rounded, shift(rounded.bias), sample, width));
      expect(after).toBeLessThan(before / 3);
    }
  });

  it("leaves no mean error", () => {
    const errors = outputErrors(weight, rounded, shift(rounded.bias), rows, width);
    for (let o = 0; o < out; o++) expect(Math.abs(errors.reduce((sum, row) => sum + row[o]!, 0) / count)).toBeLessThan(1e-6);
  });

  it("keeps codes in −63…63 and gives the same result again", () => {
    expect(rounded.codes.every((code) => Math.abs(code) <= 63)).toBe(true);
    expect(roundCalibrated(weight, bias, out, width, momentOf(rows, count))).toEqual(rounded);
  });

  it("moves what is missing from the output into weights and bias", () => {
    const part = randomRows(14, out, width).map((value) => value / 20);
    const missing = new Float32Array(count * out);
    for (let row = 0; row < count; row++) {
      for (let o = 0; o < out; o++) {
        let value = 0.5;
        for (let k = 0; k < width; k++) value += part[o * width + k]! * rows[row * width + k]!;
        missing[row * out + o] = value;
      }
    }
    const cross = new CrossMoment(out, width);
    cross.add(missing, rows, count);
    const moment = momentOf(rows, count);
    const whole = roundCalibrated(weight, bias, out, width, moment, { missing: cross, ridge: 1e-6 });
    const mean = roundCalibrated(weight, bias, out, width, moment, { missingMean: cross.mean() });
    const wanted = weight.map((value, at) => value + part[at]!);
    const wantedShift = (corrected: Float32Array) => shift(corrected).map((value) => value + 0.5);
    const without = meanSquare(outputErrors(wanted, rounded, wantedShift(rounded.bias), rows, width));
    const withMean = meanSquare(outputErrors(wanted, mean, wantedShift(mean.bias), rows, width));
    const withWhole = meanSquare(outputErrors(wanted, whole, wantedShift(whole.bias), rows, width));
    expect(withMean).toBeLessThan(without / 2);
    expect(withWhole).toBeLessThan(withMean / 10);
  });

  it("takes an input that never moves and one that is a copy of another", () => {
    const odd = rows.slice();
    for (let row = 0; row < count; row++) {
      odd[row * width] = 0.25;
      odd[row * width + 1] = odd[row * width + 2]!;
    }
    const result = roundCalibrated(weight, bias, out, width, momentOf(odd, count));
    expect(result.bias.every(Number.isFinite)).toBe(true);
    const errors = outputErrors(weight, result, shift(result.bias), odd, width);
    expect(meanSquare(errors)).toBeLessThan(meanSquare(outputErrors(weight, roundPlain(weight, out, width), new Array<number>(out).fill(0), odd, width)));
  });
});

describe("column scale", () => {
  it("is 1/√(largest |x|), 1 for an input that is always zero, and cancels against the weights", () => {
    const range = new ColumnRange(3);
    range.add(Float32Array.of(4, 0, 0.25, -16, 0, 0.01), 2);
    const scale = range.scale();
    expect([...scale]).toEqual([0.25, 1, 2]);
    expect([...divideColumns(Float32Array.of(1, 2, 3, -4, 5, -6), scale)]).toEqual([4, 2, 1.5, -16, 5, -3]);
    expect([...multiplyColumns(Float32Array.of(4, 3, 0.5, -8, 1, 1), scale)]).toEqual([1, 3, 1, -2, 1, 2]);
  });
});
