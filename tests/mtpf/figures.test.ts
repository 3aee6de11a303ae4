import { expect, test } from "vitest";
import { benchModule } from "./modules.ts";
import { run, texts } from "./written-runs.ts";

const { drawSubsets, interval, meanOfSubsets, resample } = await benchModule("bootstrap");
const { commonSeeds, difference, drawn, figuresOf, meansOver } = await benchModule("figures");

test("draws of an accuracy spread as a binomial does, and are the same rows in every cell", () => {
  const [a, b] = resample([texts(400, 5), texts(400, 5)], 2000, 1) as [Float64Array, Float64Array];
  expect(a).toEqual(b);
  const [low, high] = interval(a) as [number, number];
  // 0.8 ± 1.96·√(0.8·0.2/400) = ±0.0392
  expect(low).toBeGreaterThan(0.75);
  expect(low).toBeLessThan(0.77);
  expect(high).toBeGreaterThan(0.83);
  expect(high).toBeLessThan(0.85);
});

test("tasks of as many rows have draws of their own", () => {
  const [a] = resample([texts(400, 5)], 100, 1) as [Float64Array];
  const [b] = resample([texts(400, 5)], 100, 2) as [Float64Array];
  expect(a).not.toEqual(b);
});

test("F1 of a draw is that of its rows' sums, not a mean of rows", () => {
  const outcomes = { found: Uint8Array.of(3, 0), predicted: Uint8Array.of(3, 1), there: Uint8Array.of(3, 9) };
  const seen = new Set(Array.from((resample([outcomes], 200, 1) as [Float64Array])[0], (value) => value.toFixed(6)));
  // Both twice the first, both the second, or one of each.
  expect([...seen].sort()).toEqual(["0.000000", (6 / 16).toFixed(6), "1.000000"].sort());
});

test("cells over different rows are not compared", () => {
  expect(() => resample([texts(400, 5), texts(300, 5)], 10, 1)).toThrow("different test rows");
});

test("a mean over subsets is drawn too: of subsets that differ it spreads, of one it is that one", () => {
  const cells = [0.2, 0.5, 0.8].map((value) => new Float64Array(2000).fill(value));
  const draws = meanOfSubsets(cells, drawSubsets(3, 2000, 1)) as Float64Array;
  const seen = new Set(Array.from(draws, (value) => value.toFixed(1)));
  expect([...seen].sort()).toEqual(["0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8"]);
  expect(draws.reduce((sum, value) => sum + value, 0) / 2000).toBeCloseTo(0.5, 1);
  expect(meanOfSubsets([cells[2]!], drawSubsets(1, 2000, 1))).toEqual(cells[2]);
});

const RUNS = [run("none", null, { a: 2, b: 4 }), run("task-primary", 1, { a: 4, b: 5 }), run("task-primary", 2, { a: 5, b: 5 })];

function means(results: readonly object[], regimes: readonly string[], tasks: readonly string[], share = 100): Map<string, { mean: number; seeds: Map<number | null, { mean: number }> }> {
  return meansOver(drawn(new Map(regimes.map((regime) => [regime, figuresOf(results, regime, "linear", share, tasks).runs])), tasks), tasks);
}

test("a run counts where it has all tasks of a family; others are named, and are in no mean", () => {
  const results = [...RUNS, run("task-primary", 3, { a: 2 })];
  const { runs, dropped } = figuresOf(results, "task-primary", "linear", 100, ["a", "b"]);
  expect(runs.map(({ seed }: { seed: number }) => seed)).toEqual([1, 2]);
  expect(dropped).toEqual([{ name: "task-primary-3", has: 1 }]);
  expect(means(results, ["task-primary"], ["a", "b"]).get("task-primary")!.mean).toBeCloseTo((0.775 + 0.8) / 2, 12);
  expect(figuresOf(results, "task-primary", "linear", 100, ["a"]).runs).toHaveLength(3);
  expect(figuresOf(results, "naive", "linear", 100, ["a"])).toEqual({ runs: [], dropped: [] });
});

test("at 10 % a task counts with all its subsets", () => {
  const torn = run("naive", 1, { a: 2 });
  torn.cells.delete("linear/a/10/2");
  expect(figuresOf([torn], "naive", "linear", 10, ["a"])).toEqual({ runs: [], dropped: [{ name: "naive-1", has: 0 }] });
});

test("differences of means are paired, with what they are of the other; what has no seed goes with every one", () => {
  const of = means(RUNS, ["none", "task-primary"], ["a", "b"], 10);
  const { points, bySeed, seeds, interval: [low, high], relative } = difference(of.get("task-primary"), of.get("none"));
  expect(points).toBeCloseTo((0.775 + 0.8) / 2 - (0.5 + 0.75) / 2, 12);
  expect(seeds).toEqual([1, 2]);
  expect(bySeed[0]).toBeCloseTo((0.75 + 0.8) / 2 - (0.5 + 0.75) / 2, 12);
  expect(relative).toBeCloseTo((0.775 + 0.8) / (0.5 + 0.75) - 1, 12);
  expect(low).toBeLessThan(points);
  expect(high).toBeGreaterThan(points);
});

test("seeds are compared with their like alone", () => {
  // Seed 2 gives both much more: as a mean over all of each, the one without it would seem to lose.
  const results = [run("naive", 1, { a: 2 }), run("task-primary", 1, { a: 4 }), run("naive", 2, { a: 10 }), run("ner-only", 3, { a: 5 })];
  const of = means(results, ["naive", "task-primary", "ner-only"], ["a"]);
  expect(difference(of.get("task-primary"), of.get("naive"))).toMatchObject({ points: 0.25, seeds: [1], bySeed: [0.25] });
  expect(commonSeeds(of.get("naive"), of.get("ner-only"))).toEqual([]);
  expect(difference(of.get("naive"), of.get("ner-only"))).toBeNull();
});

test("two runs of the same answers differ by nothing, in every draw", () => {
  // Of draws of training rows that differ: each run's would spread if they were not the same.
  const of = means([run("naive", 1, { a: [2, 4, 10] }), run("task-primary", 1, { a: [2, 4, 10] })], ["naive", "task-primary"], ["a"], 10);
  expect(difference(of.get("task-primary"), of.get("naive"))).toMatchObject({ points: 0, interval: [0, 0] });
});
