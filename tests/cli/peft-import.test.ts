import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { wordEnds, wordTags } from "../../src/cli/word-tags.ts";
import { loadEncoder, type Entity } from "../../src/index.ts";
import { spanReport } from "../../src/metrics/spans.ts";
import { ENCODER, program } from "./program.ts";

// An adapter that examples/peft/train.py trained with PEFT on the encoder in float32, as `rootstock export` writes it, and what it wrote of the dev rows beside it.
const FOLDER = "tests/golden/peft-import";

const rows = readFileSync(`${FOLDER}/dev.jsonl`, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as { tokens: string[]; tags: string[] });
const told = JSON.parse(readFileSync(`${FOLDER}/metrics.json`, "utf8")) as { metric: string; value: number; predictions: string[][] };

const reportOf = (predictions: readonly string[][]) => spanReport(rows.map(({ tags }) => tags), predictions);
const agreeing = (found: readonly string[], expected: readonly string[]): number => found.filter((tag, word) => tag === expected[word]).length;

it("the script's F1 is ours", () => {
  expect(told.metric).toBe("span_f1");
  expect(reportOf(told.predictions).f1).toBeCloseTo(told.value, 12);
});

it("the imported adapter evaluates to what PEFT reported, as near as int8 allows", async () => {
  const encoder = await loadEncoder(ENCODER);
  await encoder.addAdapter("slots", FOLDER);
  const results = await encoder.runBatch(rows.map(({ tokens }) => ({ tokens, tasks: ["slots"] })), { aggregation: "none", ignoreLabels: [] });
  const predictions = results.map(({ slots }, i) => wordTags(wordEnds(rows[i]!.tokens), slots as Entity[]));
  const words = rows.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const others = words - rows.reduce((sum, _, i) => sum + agreeing(predictions[i]!, told.predictions[i]!), 0);
  // Words whose two best labels are all but equally likely: 17 of 4,075, on every engine.
  expect(others / words).toBeLessThan(0.01);

  const { code, stdout } = await program(["eval", "--adapter", FOLDER, "--data", `${FOLDER}/dev.jsonl`, "--json"]);
  expect(code).toBe(0);
  const { report } = JSON.parse(stdout) as { report: { f1: number; support: number } };
  expect(report.f1).toBe(reportOf(predictions).f1);
  // Each of them makes an entity right or wrong, one as likely as the other: three deviations of their sum, over all entities.
  expect(Math.abs(report.f1 - told.value)).toBeLessThan((3 * Math.sqrt(others)) / report.support);
});

it("inspect says what it is", async () => {
  const { code, stdout } = await program(["inspect", FOLDER]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/LoRA, rank 4, alpha 16/);
  expect(stdout).toMatch(/value, query/);
});
