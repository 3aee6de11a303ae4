import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { benchModule } from "./modules.ts";

const { SoftmaxRegression, standard } = await benchModule("softmax");

interface Golden {
  readonly width: number;
  readonly classes: number;
  readonly features: number[];
  readonly labels: number[];
  readonly cases: readonly { readonly l2: number; readonly value: number; readonly weights: number[]; readonly biases: number[]; readonly predicted: number[] }[];
}
const golden = JSON.parse(readFileSync("tests/golden/mtpf/softmax.json", "utf8")) as Golden;
const { width, classes } = golden;
const features = Float32Array.from(golden.features);
const labels = Int32Array.from(golden.labels);
const all = Int32Array.from(labels, (_, row) => row);

test("weights, values and predictions are those of scikit-learn", async () => {
  const head = await SoftmaxRegression.make({ rows: labels.length, width, classes });
  head.load(features, all, labels);
  for (const { l2, value, weights, biases, predicted } of golden.cases) {
    const fit = head.fit({ l2, iterations: 500, tolerance: 1e-6 });
    // Losses and gradients are float32: seven digits of values near 1.
    expect(fit.value).toBeCloseTo(value, 6);
    // A gradient of g leaves weights within g/(2·l2) of the minimum; twice that, because biases are not held, and float32's seventh digit.
    const most = fit.gradientNorm / l2 + 1e-5;
    expect(most).toBeLessThan(5e-3);
    const own = Array.from<number>(fit.x.subarray(0, classes * width));
    own.forEach((weight, i) => expect(Math.abs(weight - weights[i]!)).toBeLessThan(most));
    const bias = Array.from<number>(fit.x.subarray(classes * width));
    const centre = bias.reduce((sum, entry) => sum + entry, 0) / classes;
    bias.forEach((entry, i) => expect(Math.abs(entry - centre - biases[i]!)).toBeLessThan(most));
    expect(Array.from(head.predict(fit.x, features))).toEqual(predicted);
  }
});

test("the gradient is that of the value", async () => {
  const head = await SoftmaxRegression.make({ rows: labels.length, width, classes });
  head.load(features, all, labels);
  // Differences of the value around a point away from 0.
  const point = Float64Array.from({ length: classes * (width + 1) }, (_, i) => Math.sin(i * 1.7) / 2);
  const gradient = new Float64Array(point.length);
  head.evaluate(point, gradient, 0.05);
  const norm = Math.hypot(...gradient);
  for (let i = 0; i < point.length; i++) {
    const moved = (by: number): number => head.evaluate(point.map((entry, j) => (j === i ? entry + by : entry)), new Float64Array(point.length), 0.05);
    expect(Math.abs((moved(1e-2) - moved(-1e-2)) / 2e-2 - gradient[i]!)).toBeLessThan(1e-3 * norm);
  }
});

test("more rows than a chunk, and only those that are named, are trained on", async () => {
  // 1,300 rows in 3 chunks: the golden rows again and again, between rows of wrong labels that are left out.
  const times = 9;
  const many = Int32Array.from({ length: labels.length * times }, (_, row) => labels[row % labels.length]!);
  const mixed = Float32Array.from({ length: 2 * many.length * width }, (_, i) => features[(Math.floor(i / width / 2) % labels.length) * width + (i % width)]!);
  const mixedLabels = Int32Array.from({ length: 2 * many.length }, (_, row) => (row % 2 === 0 ? many[row / 2]! : 0));
  const head = await SoftmaxRegression.make({ rows: 2 * many.length, width, classes });
  head.load(mixed, Int32Array.from(many, (_, row) => 2 * row), mixedLabels);
  const [{ l2, value, predicted }] = golden.cases as [Golden["cases"][0]];
  const fit = head.fit({ l2, iterations: 500, tolerance: 1e-6 });
  expect(fit.value).toBeCloseTo(value, 5);
  expect(Array.from(head.predict(fit.x, features))).toEqual(predicted);
});

test("features are standardised over the rows that are named; a constant one becomes 0", () => {
  const [mean, inverse] = standard(Float32Array.of(1, 5, 100, 5, 3, 5), Int32Array.of(0, 2), 2);
  expect(Array.from(mean)).toEqual([2, 5]);
  expect(Array.from(inverse)).toEqual([1, 1]);
});
