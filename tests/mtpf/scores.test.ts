import { expect, test } from "vitest";
import { benchModule } from "./modules.ts";

const { metricOf, outcomesOf, packOutcomes, score, unpackOutcomes } = await benchModule("scores");

const sum = (values: Uint8Array): number => values.reduce((total, value) => total + value, 0);

/** Tags by a fixed rule, so that many spans are right, wrong, too long or too short. */
function tagged(seed: number, rows: number): string[][] {
  const choices = ["O", "O", "B-a", "I-a", "B-b", "I-b"];
  return Array.from({ length: rows }, (_, row) => Array.from({ length: 3 + (row % 9) }, (__, word) => choices[(row * 7 + word * word * 3 + (word % 3 === 0 ? seed : 0)) % 6]!));
}

test("summed over rows, outcomes give the span F1 of the library", () => {
  const rows = tagged(0, 200).map((tags) => ({ tags }));
  const predicted = tagged(1, 200);
  const { found, predicted: guessed, there } = outcomesOf({ kind: "ner" }, rows, predicted);
  const { metric, precision, recall } = score({ kind: "ner" }, rows, predicted);
  expect(metric).toBeGreaterThan(0.2);
  expect(metric).toBeLessThan(0.9);
  expect(metricOf(sum(found), sum(guessed), sum(there))).toBe(metric);
  expect(sum(found) / sum(guessed)).toBe(precision);
  expect(sum(found) / sum(there)).toBe(recall);
});

test("summed over rows, outcomes give the accuracy of the library", () => {
  const rows = Array.from({ length: 90 }, (_, row) => ({ label: "xyz"[row % 3]! }));
  const predicted = rows.map(({ label }, row) => (row % 4 === 0 ? "x" : label));
  const { found, predicted: guessed, there } = outcomesOf({ kind: "tc" }, rows, predicted);
  const { metric } = score({ kind: "tc" }, rows, predicted);
  expect(metricOf(sum(found), sum(guessed), sum(there))).toBeCloseTo(metric, 14);
});

test("outcomes come back from their line of text", () => {
  const outcomes = outcomesOf({ kind: "ner" }, tagged(0, 1500).map((tags) => ({ tags })), tagged(1, 1500));
  const line: string = packOutcomes(outcomes);
  expect(line.length).toBeLessThan(1500);
  expect(unpackOutcomes(line)).toEqual(outcomes);
});

test("nothing to be found and nothing found is 0, as the library has it", () => {
  expect(metricOf(0, 0, 0)).toBe(0);
});
