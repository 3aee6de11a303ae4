import { expect, it } from "vitest";
import { multiLabelReport } from "../../../src/metrics/multi-label.ts";

it("is a micro average over all texts and labels, with unknown labels and empty lists among them", () => {
  const { perLabel, ...micro } = multiLabelReport([["a", "b"], ["a"], [], ["c"]], [["a"], ["a", "d"], ["b"], []]);
  // Right: a twice, of four gold labels (a, b, a, c) and four predicted ones (a, a, d, b). A macro average would be 0.25.
  expect(micro).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5, support: 4 });
  expect(perLabel).toEqual([
    { label: "a", precision: 1, recall: 1, f1: 1, support: 2 }, { label: "b", precision: 0, recall: 0, f1: 0, support: 1 },
    { label: "c", precision: 0, recall: 0, f1: 0, support: 1 }, { label: "d", precision: 0, recall: 0, f1: 0, support: 0 },
  ]);
  expect(multiLabelReport([["a", "b", "c"]], [["a"]])).toMatchObject({ precision: 1, recall: 1 / 3, f1: 0.5 });
});

it("refuses lists that cannot be compared", () => {
  const pairs: [string[][], string[][]][] = [[[], []], [[["a"]], []], [[["a"]], [["a"], ["b"]]]];
  for (const [gold, predicted] of pairs) {
    expect(() => multiLabelReport(gold, predicted)).toThrow(expect.objectContaining({ code: "argument-invalid" }) as Error);
  }
});
