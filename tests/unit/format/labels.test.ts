import { describe, expect, it } from "vitest";
import { readLabels, readLabelTable as readTable, type LabelTable } from "../../../src/format/labels.ts";
import { expectError } from "./crafted.ts";

const readLabelTable = (text: string): LabelTable | null => readTable(text, { labels: true, problemType: true });
const table = (id2label: unknown, more: object = {}): string => JSON.stringify({ id2label, ...more });

describe("readLabelTable", () => {
  it("orders labels by number and reads the problem type", () => {
    expect(readLabelTable(table({ 2: "c", 0: "a", 1: "b" }))).toEqual({ labels: ["a", "b", "c"] });
    expect(readLabelTable(table({ 0: "a" }, { problem_type: null }))).toEqual({ labels: ["a"] });
    for (const [name, type] of [["single_label_classification", "single"], ["multi_label_classification", "multi"], ["regression", "regression"]]) {
      expect(readLabelTable(table({ 0: "a" }, { problem_type: name }))?.problemType).toBe(type);
    }
    const twelve = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [String(11 - i), `l${11 - i}`]));
    expect(readLabelTable(table(twelve))?.labels?.at(-1)).toBe("l11");
  });

  it("reads tables of as many labels as a head may have", () => {
    const labels = Array.from({ length: 65_536 }, (_, i) => `label-${i}-${"x".repeat(80)}`);
    const text = JSON.stringify({ id2label: { ...labels }, label2id: Object.fromEntries(labels.map((label, i) => [label, i])) }, null, 2);
    expect(text.length).toBeGreaterThan(14e6);
    expect(readLabelTable(text)?.labels).toEqual(labels);
  });

  it("keeps the problem type of a table without labels", () => {
    for (const more of [{}, { id2label: null }, { id2label: {} }]) {
      expect(readLabelTable(JSON.stringify({ ...more, problem_type: "multi_label_classification" }))).toEqual({ problemType: "multi" });
    }
  });

  it("takes whole numbers for names", () => {
    expect(readLabelTable(table({ 0: 0, 1: -1, 2: "x" }))).toEqual({ labels: ["0", "-1", "x"] });
    for (const bad of [{ 0: 1.5 }, { 0: 2 ** 53 }, { 0: true }]) expectError(() => readLabelTable(table(bad)), "config-invalid", "a string");
  });

  it("looks at nothing that is not used", () => {
    const odd = table({ 7: null }, { problem_type: "ranking" });
    expect(readTable(odd, { labels: false, problemType: false })).toBeNull();
    expect(readTable(table({ 0: "a" }, { problem_type: "ranking" }), { labels: true, problemType: false })).toEqual({ labels: ["a"] });
    expect(readTable(table({ 7: null }, { problem_type: "regression" }), { labels: false, problemType: true })).toEqual({ problemType: "regression" });
    expectError(() => readTable("[]", { labels: false, problemType: false }), "config-invalid");
  });

  it("is null without labels", () => {
    for (const text of ["{}", '{"id2label":null}', '{"id2label":{}}']) expect(readLabelTable(text)).toBeNull();
  });

  it("refuses tables that are none", () => {
    for (const bad of [{ 1: "a" }, { 0: "a", 2: "b" }, { "00": "a" }, { "-1": "a" }, { "0x0": "a" }, { "1e0": "a" }, { " 0": "a" }, { x: "a" }, { 0: null }, ["a"], "a", { __proto__x: "a" }, { "9007199254740993": "a" }]) {
      expectError(() => readLabelTable(table(bad)), "config-invalid", "config.json: id2label");
    }
    expectError(() => readLabelTable('{"id2label":{"0":"\\ud800"}}'), "config-invalid", "surrogate");
    expectError(() => readLabelTable('{"id2label":{"__proto__":"a"}}'), "config-invalid");
    expectError(() => readLabelTable('{"id2label":{"0":"a","0":"b"}}'), "json-invalid", "twice");
    expectError(() => readLabelTable(table({ 0: "a" }, { problem_type: "ranking" })), "config-invalid", "multi_label_classification");
    expectError(() => readLabelTable(table({ 0: "a" }, { problem_type: 1 })), "config-invalid");
    expectError(() => readLabelTable("[]"), "config-invalid");
    const many = Object.fromEntries(Array.from({ length: 65_537 }, (_, i) => [i, "x"]));
    expectError(() => readLabelTable(table(many)), "limit-exceeded", "65536");
  });
});

describe("readLabels", () => {
  const folder = { labels: ["a", "b"] };

  it("prefers the caller's list", () => {
    expect(readLabels(undefined, folder, 2, "t")).toEqual(["a", "b"]);
    expect(readLabels(["x", "y"], folder, 2, "t")).toEqual(["x", "y"]);
    expect(readLabels(["x"], null, 1, "t")).toEqual(["x"]);
  });

  it("copies, so that the caller cannot change them later", () => {
    const given = ["x", "y"];
    const labels = readLabels(given, null, 2, "t");
    given[0] = "z";
    expect(labels).toEqual(["x", "y"]);
  });

  it("refuses none, the wrong number, repeated ones and no strings", () => {
    expectError(() => readLabels(undefined, null, 2, "people"), "labels-mismatch", "people", "id2label", "labels: [...]");
    expectError(() => readLabels(undefined, folder, 3, "t"), "labels-mismatch", "2 labels", "3 classes");
    expectError(() => readLabels(["a", "b"], folder, 1, "t"), "labels-mismatch", "2 labels");
    expectError(() => readLabels([], null, 1, "t"), "labels-mismatch", "0 labels");
    expectError(() => readLabels(["a", "a"], null, 2, "t"), "labels-mismatch", "twice");
    expectError(() => readLabels([1, 2] as unknown as string[], null, 2, "t"), "labels-mismatch", "a string");
  });
});
