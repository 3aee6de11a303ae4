import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { classificationReport, type ClassificationReport } from "../../../src/metrics/classification.ts";

const golden: { cases: { name: string; gold: string[]; predicted: string[]; expected: ClassificationReport }[] } =
  JSON.parse(readFileSync(new URL("../../golden/metrics/classification.json", import.meta.url), "utf8"));

describe("results equal to scikit-learn", () => {
  test.each(golden.cases)("$name", ({ gold, predicted, expected }) => {
    const report = classificationReport(gold, predicted);
    expect(report.accuracy).toBeCloseTo(expected.accuracy, 12);
    expect(report.macroF1).toBeCloseTo(expected.macroF1, 12);
    expect(report.support).toBe(expected.support);
    expect(report.perLabel).toEqual(
      expected.perLabel.map((row) => ({
        ...row,
        precision: expect.closeTo(row.precision, 12),
        recall: expect.closeTo(row.recall, 12),
        f1: expect.closeTo(row.f1, 12),
      })),
    );
  });
});

test.each([
  [[], []],
  [["a"], []],
  [["a"], ["a", "b"]],
])("lists that cannot be compared: %j and %j", (gold, predicted) => {
  expect(() => classificationReport(gold, predicted)).toThrowError(
    expect.objectContaining({ name: "RootstockError", code: "argument-invalid" }),
  );
});
