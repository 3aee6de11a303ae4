import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ProblemType } from "../../../src/format/types.ts";
import { classify, scoreFunction, type Classification } from "../../../src/heads/classify.ts";

interface GoldenCase {
  problemType: string | null;
  labels: string[];
  probabilities: number[];
  top: Record<string, Classification[]>;
}

const golden: { cases: GoldenCase[] } = JSON.parse(
  readFileSync(new URL("../../golden/heads/classify.json", import.meta.url), "utf8"),
);

const PROBLEM_TYPES: Record<string, ProblemType> = { single_label_classification: "single", multi_label_classification: "multi" };

test("a regression's numbers stay as they are", () => {
  expect(scoreFunction("regression", 1)).toBe("none");
  expect(scoreFunction("regression", 3)).toBe("none");
});

describe("results equal to the text-classification pipeline of transformers", () => {
  for (const { problemType, labels, probabilities, top } of golden.cases) {
    test.each(Object.keys(top))(`${labels.length} labels, ${problemType}, top_k %s`, (key) => {
      const topK = key === "None" ? null : Number(key);
      expect(classify(Float32Array.from(probabilities), labels, topK)).toEqual(top[key]);
    });

    test(`the function that fits ${labels.length} labels, ${problemType}`, () => {
      const sum = probabilities.reduce((total, value) => total + value, 0);
      const sumsToOne = Math.abs(sum - 1) < 1e-5;
      expect(scoreFunction(PROBLEM_TYPES[String(problemType)], labels.length)).toBe(sumsToOne ? "softmax" : "sigmoid");
    });
  }

  test("the default is the one likeliest label", () => {
    const [one] = golden.cases;
    expect(classify(Float32Array.from(one!.probabilities), one!.labels)).toEqual(one!.top["1"]);
  });
});

test("any topK is the head of the whole list, sorted by score, then by the order of the labels", () => {
  const scores = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(scores, fc.integer({ min: 1, max: 14 }), (quarters, topK) => {
      const probabilities = Float32Array.from(quarters, (quarter) => quarter / 4);
      const labels = quarters.map((_, index) => `label ${index}`);
      const all = classify(probabilities, labels, null);
      expect(classify(probabilities, labels, topK)).toEqual(all.slice(0, topK));
      expect(all.map(({ label }) => label).sort()).toEqual([...labels].sort());
      for (let index = 1; index < all.length; index++) {
        const [before, after] = [all[index - 1]!, all[index]!];
        const inOrder = labels.indexOf(before.label) < labels.indexOf(after.label);
        expect(before.score > after.score || (before.score === after.score && inOrder)).toBe(true);
      }
    }),
  );
});

describe("wrong input", () => {
  const refused = (code: string): object => expect.objectContaining({ name: "RootstockError", code });

  test("labels that do not fit", () => {
    expect(() => classify(Float32Array.of(0.5, 0.5), ["a"])).toThrowError(refused("labels-mismatch"));
  });

  test.each([1, 2, null])("NaN with topK %s", (topK) => {
    expect(() => classify(Float32Array.of(0.5, NaN), ["a", "b"], topK)).toThrowError(refused("engine-fault"));
    expect(() => classify(Float32Array.of(NaN, 0.5), ["a", "b"], topK)).toThrowError(refused("engine-fault"));
  });

});
