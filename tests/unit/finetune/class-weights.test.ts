import { describe, expect, it } from "vitest";
import { classWeights } from "../../../src/finetune/class-weights.ts";
import type { Example } from "../../../src/finetune/examples.ts";
import type { Classes } from "../../../src/finetune/label-book.ts";

/** Classes whose numbers in the data are in another order than their rows of the head. */
const classes = (labels: string[], indexOf: number[]): Classes => ({ labels, indexOf: Int32Array.from(indexOf) }) as unknown as Classes;
const example = (...gold: number[]): Example => ({ gold }) as unknown as Example;
const listed = (weights: Float32Array | undefined): number[] => Array.from(weights!, (value) => Number(value.toFixed(6)));

describe("balanced class weights", () => {
  it("are rows over classes times rows of the class, and 1 for a class that never occurs", () => {
    // Class 0 six times, class 1 three, class 2 never: 9/(3·6), 9/(3·3), 1.
    const rows = [...Array.from({ length: 6 }, () => example(1)), ...Array.from({ length: 3 }, () => example(0))];
    expect(listed(classWeights("balanced", "classification", classes(["a", "b", "c"], [1, 0, 2]), rows))).toEqual([0.5, 1, 1]);
  });

  it("count words of entities, not sentences", () => {
    // O five words, B-PER one: 6/(2·5), 6/(2·1).
    expect(listed(classWeights("balanced", "ner", classes(["O", "B-PER"], [0, 1]), [example(0, 0, 1), example(0, 0, 0)]))).toEqual([0.6, 3]);
  });

  it("of any number of labels are rows without it over rows with it, at least one over them", () => {
    const rows = [example(0), example(0, 1), example(0), example(0)];
    expect(listed(classWeights("balanced", "multi-label", classes(["every", "one"], [0, 1]), rows))).toEqual([0.25, 3]);
  });
});

describe("class weights of a record", () => {
  it("are what is given, and 1 where nothing is", () => {
    expect(listed(classWeights({ b: 4, c: 0.25 }, "classification", classes(["a", "b", "c"], [0, 1, 2]), []))).toEqual([1, 4, 0.25]);
  });

  it("name an entity once for its B- and I-, and O", () => {
    expect(listed(classWeights({ PER: 3, O: 0.5 }, "ner", classes(["O", "B-LOC", "I-LOC", "B-PER", "I-PER"], [0, 1, 2, 3, 4]), []))).toEqual([0.5, 1, 1, 3, 3]);
    expect(() => classWeights({ "B-PER": 3 }, "ner", classes(["O", "B-PER"], [0, 1]), [])).toThrow(/"B-PER" is no label of the training data/);
  });
});
