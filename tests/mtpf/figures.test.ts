import { expect, test } from "vitest";
import { benchModule } from "./modules.ts";

const { interval, resample } = await benchModule("bootstrap");
const { difference, familyMeans, figuresOf } = await benchModule("figures");
const { packOutcomes } = await benchModule("scores");
const { resultTables } = await benchModule("tables");
const { conflictOf } = await benchModule("conflict");

interface Outcomes {
  readonly found: Uint8Array;
  readonly predicted: Uint8Array;
  readonly there: Uint8Array;
}

/** Texts of which every `wrong`-th is wrong. */
function texts(rows: number, wrong: number): Outcomes {
  const ones = new Uint8Array(rows).fill(1);
  return { found: ones.map((_, row) => (row % wrong === 0 ? 0 : 1)), predicted: ones, there: ones };
}

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

function run(regime: string, seed: number | null, wrong: Readonly<Record<string, number>>): { header: object; cells: Map<string, object> } {
  const cells = Object.entries(wrong).flatMap(([task, every]) => {
    const outcomes = texts(100, every);
    const test_ = outcomes.found.reduce((sum, one) => sum + one, 0) / 100;
    return [`linear/${task}/100`, ...[1, 2, 3].map((subset) => `linear/${task}/10/${subset}`)].map((cell) => ({ cell, test: test_, outcomes: packOutcomes(outcomes), cpuSeconds: 1 }));
  });
  return { header: { run: seed === null ? regime : `${regime}-${seed}`, regime, seed, pretraining: null }, cells: new Map(cells.map((cell) => [cell.cell, cell])) };
}

const RUNS = [run("none", null, { a: 2, b: 4 }), run("task-primary", 1, { a: 4, b: 5 }), run("task-primary", 2, { a: 5, b: 5 })];

test("a regime is the mean of its runs; tasks that a run lacks are left out of it", () => {
  const figures = figuresOf(RUNS, "task-primary", "linear", 100, ["a", "b", "c"]);
  expect([...figures.tasks.keys()]).toEqual(["a", "b"]);
  expect(figures.tasks.get("a").metric).toBeCloseTo((0.75 + 0.8) / 2, 12);
  expect(figuresOf(RUNS, "naive", "linear", 100, ["a"])).toBeNull();
});

test("differences of means are paired, with what they are of the other", () => {
  const regimes = new Map(["none", "task-primary"].map((name) => [name, figuresOf(RUNS, name, "linear", 10, ["a", "b"])]));
  const means = familyMeans(regimes, ["a", "b"]);
  const { points, interval: [low, high], relative } = difference(means.of.get("task-primary"), means.of.get("none"));
  expect(points).toBeCloseTo((0.775 + 0.8) / 2 - (0.5 + 0.75) / 2, 12);
  expect(relative).toBeCloseTo((0.775 + 0.8) / (0.5 + 0.75) - 1, 12);
  expect(low).toBeLessThan(points);
  expect(high).toBeGreaterThan(points);
  expect(means.of.get("task-primary").seeds).toHaveLength(2);
});

test("tables have a column for every regime that was run, and say where nothing was", () => {
  const parts = resultTables(RUNS, [["a", "ner"], ["b", "tc"]]) as Map<string, string[]>;
  expect(parts.get("linear-100")).toEqual([
    "| task | none | task-primary |", "| --- | ---: | ---: |",
    "| a | 50.0 | 77.5 |", "| **NER mean** | **50.0** | **77.5** |",
    "| b | 75.0 | 80.0 |", "| **TC mean** | **75.0** | **80.0** |",
  ]);
  expect(parts.get("lora-10")).toEqual(['No cells of the protocol "lora" at 10 % are written.']);
  expect(parts.get("paper")!.join("\n")).toContain("| NER | 100 % | linear | +55.0 % | +27.5 | +0.8 % |");
  expect(parts.get("families")!.join("\n")).toContain("2, ±3.5");
});

test("the conflict of a run is told part by part, single batches apart from means", () => {
  const probe = (batches: number, cosine: number, ratio: number, within: number | null) => ({ step: 10, batches, parts: [{ part: "layer 0", cosine, ratio, ner: within, tc: within }] });
  const [single, means] = conflictOf({ probes: [probe(1, -0.25, 0.25, null), probe(1, 0.5, 0.5, null), probe(1, -0.25, 2, null), probe(8, 0.125, 1, 0.75)] });
  expect(single).toMatchObject({ part: "layer 0", batches: 1, probes: 3, cosine: 0, ratio: 0.5, ner: null });
  expect(single.negative).toBeCloseTo(2 / 3, 4);
  expect(means).toMatchObject({ batches: 8, probes: 1, cosine: 0.125, spread: 0, negative: 0, ner: 0.75, tc: 0.75 });
});
