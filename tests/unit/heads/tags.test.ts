import { expect, test } from "vitest";
import { splitTag, tagScheme } from "../../../src/heads/tags.ts";

test.each([
  ["B-PER", { position: "B", type: "PER" }],
  ["I-creative-work", { position: "I", type: "creative-work" }],
  ["L-X", { position: "E", type: "X" }],
  ["U-X", { position: "S", type: "X" }],
  ["B-", { position: "B", type: "" }],
  ["O", null],
  ["", null],
  ["X-PER", null],
  ["b-PER", null],
  ["BPER", null],
])("splitTag(%j)", (tag, expected) => {
  expect(splitTag(tag)).toEqual(expected);
});

test("E, S, L and U are prefixes only beside B or I of the same type", () => {
  const labels = ["O", "E-mail", "S-Bahn", "B-PER", "E-PER", "I-LOC", "U-LOC", "S-ORG"];
  expect(tagScheme(labels).tags).toEqual([
    { position: "I", type: "O" },
    { position: "I", type: "E-mail" },
    { position: "I", type: "S-Bahn" },
    { position: "B", type: "PER" },
    { position: "E", type: "PER" },
    { position: "I", type: "LOC" },
    { position: "S", type: "LOC" },
    { position: "I", type: "S-ORG" },
  ]);
});

test("a scheme keeps its own copy of the labels", () => {
  const labels = ["O", "B-X"];
  const scheme = tagScheme(labels);
  labels[1] = "changed";
  expect(scheme.labels).toEqual(["O", "B-X"]);
});
