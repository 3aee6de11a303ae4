// A training that fell to one answer says so.
import { describe, expect, it } from "vitest";
import { fallenWarnings } from "../../src/finetune/fallen.ts";
import { trainAdapter } from "../../src/finetune/index.ts";
import { classificationReport } from "../../src/metrics/classification.ts";
import { multiLabelReport } from "../../src/metrics/multi-label.ts";
import { spanReport } from "../../src/metrics/spans.ts";
import { labelledRows, tinyEncoder, TOY } from "./fixture.ts";

describe("of classes", () => {
  const warningsOf = (gold: string[], predicted: string[]): string[] => {
    const { accuracy, perLabel } = classificationReport(gold, predicted);
    return fallenWarnings({ kind: "classification", best: { step: 1, metric: accuracy }, perEntity: perLabel });
  };

  it("one label for every row is told, with how many have another", () => {
    expect(warningsOf(["a", "b", "a", "c"], ["a", "a", "a", "a"])).toEqual([expect.stringMatching(/^dev: every row was given "a", and 2 of 4 have another label\. Learning may have fallen/)]);
  });

  it.each<[string, string[], string[]]>([
    ["two labels that were given", ["a", "b", "a"], ["a", "b", "b"]],
    ["one that is right and one that is not", ["a", "b", "a"], ["a", "x", "a"]],
    ["a label that was not given to all of its own", ["a", "b", "a"], ["a", "a", "b"]],
    ["rows that all have that label", ["a", "a"], ["a", "a"]],
  ])("nothing is told of %s", (_, gold, predicted) => expect(warningsOf(gold, predicted)).toEqual([]));
});

it.each<[string[], string[]]>([
  [["B-P", "I-P", "B-Q"], ["O", "O", "O"]],
  [["B-P", "I-P", "B-Q"], ["B-Q", "O", "B-P"]],
])("of entities not one of which was found: %j as %j", (gold, predicted) => {
  const { f1, perLabel } = spanReport([gold, ["O"]], [predicted, ["O"]]);
  expect(fallenWarnings({ kind: "ner", best: { step: 1, metric: f1 }, perEntity: perLabel })).toEqual([expect.stringMatching(/^dev: not one of its 2 entities was found\./)]);
});

it("of entities one of which was found, or of which there are none, nothing is told", () => {
  for (const [gold, predicted] of [[["B-P", "B-Q"], ["B-P", "O"]], [["O", "O"], ["O", "B-P"]]] as const) {
    const { f1, perLabel } = spanReport([gold], [predicted]);
    expect(fallenWarnings({ kind: "ner", best: { step: 1, metric: f1 }, perEntity: perLabel })).toEqual([]);
  }
});

it("of several labels a text", () => {
  const { f1, perLabel } = multiLabelReport([["a", "b"], []], [[], []]);
  expect(fallenWarnings({ kind: "multi-label", best: { step: 1, metric: f1 }, perEntity: perLabel })).toEqual([expect.stringMatching(/^dev: not one of its 2 labels was given\./)]);
});

it("without dev nothing is told", () => expect(fallenWarnings({ kind: "ner", best: null })).toEqual([]));

it("stands among a training's warnings, and on its card", async () => {
  const [praise, blame] = ["praise", "blame"].map((label) => labelledRows(90).filter((row) => row.label === label));
  const data = { name: "mood", train: [...praise!, blame![0]!], dev: [...praise!.slice(0, 5), ...blame!.slice(1, 5)] };
  const { history, files } = await trainAdapter(await tinyEncoder(), data, { ...TOY, epochs: 1 });
  expect(history.warnings).toEqual([expect.stringMatching(/^dev: every row was given "praise", and 4 of 9 have another label\./)]);
  expect(new TextDecoder().decode(files.get("README.md"))).toContain("4 of 9 have another label");
});
