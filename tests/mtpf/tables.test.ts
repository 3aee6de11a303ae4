import { expect, test } from "vitest";
import { benchModule } from "./modules.ts";
import { run, type Written } from "./written-runs.ts";

const { resultTables } = await benchModule("tables");

const TASKS = [["a", "ner"], ["b", "tc"]] as const;
const RUNS = [run("none", null, { a: 2, b: 4 }), run("task-primary", 1, { a: 4, b: 5 }), run("task-primary", 2, { a: 5, b: 5 })];
const tables = (results: readonly Written[], tasks: readonly (readonly [string, string])[] = TASKS): Map<string, string[]> => resultTables(results, tasks) as Map<string, string[]>;
const text = (results: readonly Written[], name: string, tasks?: readonly (readonly [string, string])[]): string => tables(results, tasks).get(name)!.join("\n");

test("tables have a column for every regime that was run, its seeds beneath, and say where nothing was", () => {
  const parts = tables(RUNS);
  expect(parts.get("linear-100")).toEqual([
    "| task | none | task-primary |", "| --- | ---: | ---: |",
    "| a | 50.0 | 77.5 |", "| **NER mean** | **50.0** | **77.5** |",
    "| b | 75.0 | 80.0 |", "| **TC mean** | **75.0** | **80.0** |",
    "", "Seeds that are averaged: task-primary 1, 2.",
  ]);
  expect(parts.get("lora-10")).toEqual(['No regime has all cells of the protocol "lora" at 10 %.']);
  expect(parts.get("paper")!.join("\n")).toMatch(/\| NER \| 100 % \| linear \| 1, 2 \| \+55\.0 % \| \+27\.5 \[.*\] \| \+0\.8 % \|/);
  expect(parts.get("families")!.join("\n")).toContain("| NER (1), 100 %, linear | task-primary | 77.5 | 1, 2 | 75.0, 80.0 | +27.5 [");
  for (const lines of parts.values()) expect(lines.join("\n")).not.toMatch(/NaN|undefined|null/);
});

test("a second run that is under way changes no mean, and is named", () => {
  const tasks = [["a", "ner"], ["c", "ner"], ["b", "tc"]] as const;
  const whole = [run("none", null, { a: 2, c: 2, b: 4 }), run("task-primary", 1, { a: 4, c: 5, b: 5 })];
  const before = tables(whole, tasks);
  const after = tables([...whole, run("task-primary", 2, { a: 2, b: 2 })], tasks);
  const own = (lines: readonly string[]): string[] => lines.filter((line) => /NER|\| [ac] /.test(line) && !line.startsWith("Left") && !line.startsWith("Seeds"));
  expect(own(after.get("linear-100")!)).toEqual(own(before.get("linear-100")!));
  expect(own(after.get("families")!)).toEqual(own(before.get("families")!));
  expect(after.get("linear-100")!.slice(-4)).toEqual([
    "Seeds that are averaged, NER: task-primary 1.", "Seeds that are averaged, TC: task-primary 1, 2.",
    "", "Left out of NER, not all of its cells being written: task-primary-2 (tasks that are whole: 1).",
  ]);
});

test("a regime with a stray lora cell is in no table of lora, and takes nothing from those that are whole", () => {
  const stray = run("task-primary", 1, { a: 4, b: 5 });
  stray.cells.set("lora/a/10/1", { ...stray.cells.get("linear/a/10/1"), cell: "lora/a/10/1" });
  const results = [run("none", null, { a: 2, b: 4 }, ["linear", "lora"]), stray];
  const lines = tables(results).get("lora-10")!;
  expect(lines[0]).toBe("| task | none |");
  expect(lines.at(-1)).toBe("Left out of NER, not all of its cells being written: task-primary-1 (tasks that are whole: 0).");
  expect(text(results, "families")).toContain("| NER (1), 10 %, lora | none | 50.0 |");
  expect(text(results, "run-so-far")).toContain("LoRA fine-tuning: all 8 cells of none; some of task-primary-1 (1).");
});

test("lora stands beside linear heads over the runs that have both", () => {
  const results = [
    run("none", null, { a: 2, b: 4 }, ["linear", "lora"]), run("task-primary", 1, { a: 4, b: 5 }), run("task-primary", 2, { a: 5, b: 5 }, ["linear", "lora"]),
    run("task-primary", 3, { a: 10, b: 10 }, ["lora"]),
  ];
  const line = tables(results).get("protocols")!.find((one) => one.startsWith("| NER | 100 %"))!;
  expect(line).toMatch(/^\| NER \| 100 % \| task-primary \| 2 \| \+30\.0 \[.*\] \| \+30\.0 \[/);
  expect(text(results, "lora-100")).toContain("Seeds that are averaged: task-primary 2, 3.");
  expect(text(results, "linear-100")).toContain("Seeds that are averaged: task-primary 1, 2.");
});

test("differences name their seeds, each seed's own where there are several, and pairs that have none in common", () => {
  const results = [...RUNS, run("naive", 1, { a: 2, b: 5 }), run("naive", 2, { a: 4, b: 5 }), run("groups-only", 7, { a: 2, b: 2 })];
  const lines = text(results, "differences");
  expect(lines).toMatch(/\| task-primary − naive \| NER \| 100 % \| linear \| 1, 2 \| \+15\.0 \[.*\] \| \+25\.0, \+5\.0 \|/);
  expect(lines).toContain("Without a seed in common, and so not compared: task-primary − groups-only (NER, 100 %, linear)");
  expect(lines).not.toContain("| task-primary − groups-only");
});

test("ablations are of seed 1 alone, with nothing where a configuration lacks a family", () => {
  const results = [run("task-primary", 1, { a: 4, b: 5 }), run("task-primary", 2, { a: 2, b: 2 }), run("task-primary-r16", 1, { a: 5 }), run("task-primary-t10", 2, { a: 5, b: 5 })];
  expect(tables(results).get("ablations")).toEqual([
    "| configuration, seed 1 | what it has | NER dev | NER test | TC dev | TC test |", "| --- | ---: | ---: | ---: | ---: | ---: |",
    "| task-primary | k = 3, r = 8, losses 1 : 1, temperature 0.05 | 75.0 | 75.0 | 80.0 | 80.0 |", "| task-primary-r16 | rank 16 | 80.0 | 80.0 |  |  |",
  ]);
});

test("the paper's table gives text classification without the tasks that were met before as well", () => {
  const tasks = [["b", "tc"], ["hwu64", "tc"]] as const;
  const results = [run("none", null, { b: 4, hwu64: 2 }), run("task-primary", 1, { b: 5, hwu64: 5 })];
  expect(text(results, "paper", tasks)).toMatch(/\| TC \| 100 % \| linear \| 1 \| \+28\.0 % \| \+17\.5 \[.*\] \| \+8\.8 % \|\n\| TC without hwu64, wordnet_supersense \| 100 % \| linear \| 1 \| \+6\.7 % \| \+5\.0 \[.*\] \|  \|/);
});

test("what length gives is told of text classification without the tasks that were met before as well", () => {
  const tasks = [["a", "ner"], ["b", "tc"], ["hwu64", "tc"]] as const;
  const results = [run("task-primary-ner3", 1, { a: 4, b: 5, hwu64: 2 }), run("shipped", 1, { a: 5, b: 4, hwu64: 4 })];
  expect(text(results, "findings", tasks)).toMatch(/Five times as long.*which is shorter and else the same: NER \+5\.0 \[.*\], TC \+10\.0 \[.*\], TC without hwu64 and wordnet_supersense −5\.0 \[.*\]\./);
  expect(text(results, "did-not-work", tasks)).toMatch(/Longer, on text classification:\*\* five times as many updates gave TC \+10\.0 \[.*\], without hwu64 and wordnet_supersense −5\.0/);
});

test("the task that makes most of a mean is named with what the others have, and none where there is one task", () => {
  const tasks = [["a", "ner"], ["b", "tc"], ["c", "tc"], ["d", "tc"]] as const;
  const results = [run("none", null, { a: 2, b: 4, c: 2, d: 4 }, ["lora"]), run("task-primary", 1, { a: 4, b: 4, c: 5, d: 5 }, ["lora"])];
  expect(text(results, "findings", tasks)).toMatch(/none, TC: \+11\.7 \[.*\]; c alone \+30\.0 \[.*\], the others \+2\.5 \[.*\]\. none, TC \(10 %\)/);
  expect(text(results, "findings", tasks)).not.toContain("none, NER");
});

test("sentences have their figures from the results, and stand only where these are there", () => {
  const results = [...RUNS, run("naive", 1, { a: 2, b: 4 }), run("groups-only", 1, { a: 3, b: 4 })];
  const found = text(results, "findings");
  expect(found).toMatch(/A backbone trained with the groups adds \+9\.0 \[.*\] \(10 %: \+9\.0 \[.*\]\) to NER and \+5\.0/);
  expect(found).not.toMatch(/counted nine times|NER loss alone/);
  expect(found).not.toContain("Fine-tuned");
  const not = text(results, "did-not-work");
  expect(not).toContain("60 % of TC's linear cells at 10 % and 60 % of NER's");
  expect(not).toContain("60 % of TC's linear cells with all rows and 60 % of NER's are fitted with all 40 steps");
  expect(not).toContain("task-primary-r16 (rank 16)");
  expect(not).not.toContain("banking77");
});

test("a sentence says what fine-tuned adapters gain of each regime that has both families", () => {
  const results = [run("none", null, { a: 2, b: 4 }, ["lora"]), run("naive", 1, { a: 4, b: 5 }, ["lora"]), run("shipped", 1, { a: 5 }, ["lora"])];
  const lines = text(results, "findings").split("\n").filter((line) => line.includes("Fine-tuned"));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^- \*\*Fine-tuned \(LoRA\), against none:\*\* naive: NER \+25\.0 \[.*\], TC \+5\.0 \[.*\]\. naive \(10 %\): NER \+25\.0 \[.*\], TC \+5\.0 \[.*\]\.$/);
});

test("the spread of one draw of training rows is that of the difference, and of the mean of three its 1/√3", () => {
  // Right of each draw: 0.5, 0.75 and 0.8 beside 0.5: differences 0, 0.25 and 0.3 with a standard deviation of 0.16073.
  const results = [run("none", null, { a: 2, b: 2 }), run("naive", 1, { a: [2, 4, 5], b: 4 })];
  expect(text(results, "findings")).toContain("has a standard deviation of 16.07 to 16.07 points on NER and 0.00 to 0.00 on TC from one draw, of 9.28 to 9.28 and 0.00 to 0.00 as a mean of three.");
});

test("what ships is named where it is worse than the shorter run, by intervals without 0", () => {
  const results = [run("task-primary", 1, { a: 10, b: 5 }), run("shipped", 1, { a: 2, b: 5 })];
  expect(text(results, "did-not-work")).toMatch(/is worse at \(all rows, seed 1\):\*\* a −40\.0 \[[^\]]*\]\.$/m);
  expect(text([results[0]!, run("shipped", 1, { a: 5, b: 5 })], "did-not-work")).not.toContain(", b ");
  expect(text([results[0]!, run("shipped", 1, { a: 10, b: 5 })], "did-not-work")).not.toContain("is worse at");
});

test("a sentence holds the ablations against the regimes that they stand in for, of seed 1 alone", () => {
  const results = [run("naive", 1, { a: 2, b: 4 }), run("naive", 2, { a: 5, b: 5 }), run("pcgrad", 1, { a: 4, b: 5 }), run("shared-group", 2, { a: 2, b: 2 })];
  const lines = text(results, "findings").split("\n").filter((line) => line.includes("Other ways"));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/\(all rows, seed 1\):\*\* Gradient surgery on the backbone \(PCGrad\), beside plain mixing: NER \+25\.0 \[.*\], TC \+5\.0 \[.*\]\.$/);
});

test("adapters that have less with all rows than with a tenth of them are named", () => {
  const results = [run("none", null, { a: [4, 5, 5], b: [2, 4, 5] }, ["lora"]), run("naive", 1, { a: 4, b: 5 }, ["lora"])];
  expect(text(results, "did-not-work")).toMatch(/Ten times the rows, and less .*\*\* none at a 75\.0 \(78\.3\), none at b 50\.0 \(68\.3\)\. Training/);
  expect(text(results.slice(1), "did-not-work")).not.toContain("Ten times");
});

test("a gain of fine-tuned text classifiers is told without the tasks at which one of the two fell", () => {
  const tasks = [["a", "ner"], ["b", "tc"], ["c", "tc"], ["d", "tc"]] as const;
  // With all rows none is worse at b than with a tenth, and task-primary at c; both are at a, which is no text classification.
  const none = run("none", null, { a: [2, 5, 5], b: [2, 5, 5], c: 4, d: 4 }, ["lora"]);
  const groups = run("task-primary", 2, { a: [4, 5, 5], b: 5, c: [2, 5, 5], d: 5 }, ["lora"]);
  expect(text([none, groups], "findings", tasks)).toMatch(/fell to one answer \(LoRA, all rows\), task-primary beside:\*\* none, TC without b and c: \+5\.0 \[/);
  expect(text([none, groups], "findings", tasks.slice(0, 3))).not.toContain("fell to one answer");
  expect(text([none, run("task-primary", 2, { a: 4, b: 5, c: 5, d: 5 }, ["lora"])], "findings", tasks)).toContain("none, TC without b: +");
});
