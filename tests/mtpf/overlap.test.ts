import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sentence, smallExperiment } from "./experiment.ts";

test("texts of the tasks that pre-finetuning has met are counted, whatever their case and white space, and apart what differs by other signs", () => {
  const { folder } = smallExperiment();
  const pretrain = join(folder, "data/pretrain");
  mkdirSync(pretrain);
  const write = (name: string, rows: readonly object[]): void => writeFileSync(join(pretrain, `${name}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  // Rows 0 and 20 have the same text (both lists go round); a row of the test set without its full stop.
  write("ner", [{ text: `  ${sentence(0).text.toUpperCase().replaceAll(" ", "  ")}` }]);
  write("pairs", [{ a: "other", b: sentence(61).text.replace(" .", "") }]);
  const { stdout, stderr } = spawnSync(process.execPath, ["bench/mtpf/overlap.mjs", "--data", join(folder, "data")], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  expect(stderr).toBe("");
  const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  const count = (from: number, to: number, texts: readonly string[]): string => String(Array.from({ length: to - from }, (_, i) => sentence(from + i).text).filter((text) => texts.includes(text)).length);
  const [same, nearly] = [[sentence(0).text], [sentence(0).text, sentence(61).text]];
  for (const task of ["names", "moves"]) {
    for (const [split, from, to] of [["train", 0, 40], ["dev", 40, 60], ["test", 60, 90]] as const) {
      expect(rows).toContainEqual([task, split, String(to - from), count(from, to, same), count(from, to, nearly)]);
    }
  }
});
