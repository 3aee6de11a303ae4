import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { spanReport, tagsToSpans, withLost, type SpanReport } from "../../../src/metrics/spans.ts";
import { spansToTags } from "./spans-to-tags.ts";

interface GoldenCase {
  name: string;
  gold: string[][];
  predicted: string[][];
  predictedSpans: [label: string, start: number, end: number][][];
  expected: SpanReport;
}

interface Reference {
  task: string;
  classes: string[];
  expected: { precision: number; recall: number; f1: number };
  /** A sentence's tags as class indices. */
  gold: string[];
  predicted: string[];
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../golden/metrics/${name}`, import.meta.url), "utf8"));
}

const golden = read<{ cases: GoldenCase[] }>("spans.json");
const references = read<{ cases: Reference[] }>("references.json");
const refused = expect.objectContaining({ name: "RootstockError", code: "argument-invalid" });

describe("results equal to seqeval", () => {
  test.each(golden.cases)("$name", ({ gold, predicted, predictedSpans, expected }) => {
    predicted.forEach((tags, sentence) => {
      const spans = tagsToSpans(tags).map(({ label, start, end }) => [label, start, end]);
      expect(spans).toEqual(predictedSpans[sentence]);
    });
    const close = <T extends { precision: number; recall: number; f1: number }>(row: T): object => ({
      ...row,
      precision: expect.closeTo(row.precision, 12),
      recall: expect.closeTo(row.recall, 12),
      f1: expect.closeTo(row.f1, 12),
    });
    expect(spanReport(gold, predicted)).toEqual({ ...close(expected), perLabel: expected.perLabel.map(close) });
  });
});

// The convention for an I- that nothing opened decides several points here: begun as a span, as conlleval does,
// wikigold has F1 0.6176; left out (strict BIO) 0.6493; taken into the span before it 0.6464.
describe("the metric of a float32 model over a whole test set", () => {
  test.each(references.cases)("$task", ({ classes, gold, predicted, expected }) => {
    const tags = (line: string): string[] => line.split(" ").map((index) => classes[Number(index)]!);
    const report = spanReport(gold.map(tags), predicted.map(tags));
    expect(report.precision).toBeCloseTo(expected.precision, 12);
    expect(report.recall).toBeCloseTo(expected.recall, 12);
    expect(report.f1).toBeCloseTo(expected.f1, 12);
  });
});

test("where seqeval has no rule: BILOU, and tags without a prefix", () => {
  expect(tagsToSpans(["B-X", "I-X", "L-X", "L-X", "U-X", "U-X", "I-X"])).toEqual([
    { label: "X", start: 0, end: 3 },
    { label: "X", start: 3, end: 4 },
    { label: "X", start: 4, end: 5 },
    { label: "X", start: 5, end: 6 },
    { label: "X", start: 6, end: 7 },
  ]);
  expect(tagsToSpans(["person", "person", "ORG", "O", "person"])).toEqual([
    { label: "person", start: 0, end: 2 },
    { label: "ORG", start: 2, end: 3 },
    { label: "person", start: 4, end: 5 },
  ]);
});

test("a prefix with nothing behind it is a span without a type, as for seqeval", () => {
  expect(tagsToSpans(["B-", "I", "O"])).toEqual([{ label: "_", start: 0, end: 2 }]);
});

test("no span anywhere gives zeros, not NaN", () => {
  expect(spanReport([["O"]], [["O"]])).toEqual({ precision: 0, recall: 0, f1: 0, support: 0, perLabel: [] });
});

test("BIO tags give back the spans they were written from", () => {
  const steps = fc.array(
    fc.record({ gap: fc.nat(2), length: fc.integer({ min: 1, max: 3 }), label: fc.constantFrom("X", "Y", "a-b", "__proto__") }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(steps, fc.nat(3), (parts, rest) => {
      let end = 0;
      const spans = parts.map(({ gap, length, label }) => {
        const start = end + gap;
        end = start + length;
        return { label, start, end };
      });
      expect(tagsToSpans(spansToTags(spans, end + rest))).toEqual(spans);
    }),
  );
});

test("entities that were cut off are gold and not found, and join no other", () => {
  const { gold, predicted } = withLost(["O", "B-X"], ["O", "B-X"], ["X", "Y"]);
  expect(spanReport([gold], [predicted])).toMatchObject({ precision: 1, recall: 1 / 3, support: 3 });
});

test("sentences that cannot be compared", () => {
  expect(() => spanReport([], [])).toThrowError(refused);
  expect(() => spanReport([["O"]], [])).toThrowError(refused);
  expect(() => spanReport([["O"], ["O", "O"]], [["O"], ["O"]])).toThrowError(refused);
});
