import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { program } from "./program.ts";

const DATA = "../shared/data";

interface Check {
  readonly adapter: string;
  readonly task: string;
  readonly rows: number;
  readonly float32: number;
  readonly int8: number;
}

/** What bench/mtpf/int8.mjs wrote: the metrics of the shipped adapters on whole test sets, as served and in float32. */
const checks = JSON.parse(readFileSync("bench/mtpf/results/int8.json", "utf8")) as readonly Check[];

it("every shipped adapter is measured in float32; int8 is within 0.5 points of each, 0.2 in the mean", () => {
  expect(checks.map(({ adapter }) => adapter)).toEqual(readdirSync("models/adapters").sort());
  const differences = checks.map(({ float32, int8 }) => 100 * Math.abs(int8 - float32));
  expect(Math.max(...differences)).toBeLessThanOrEqual(0.5);
  expect(differences.reduce((a, b) => a + b) / differences.length).toBeLessThanOrEqual(0.2);
});

describe.skipIf(!existsSync(DATA))("the shipped encoder on whole test sets (needs ../shared/data)", () => {
  it.each(checks)("$adapter: the metric that is written of it", async ({ adapter, task, rows, int8 }) => {
    const test = [`${DATA}/${task}/test.jsonl`, `${DATA}/${task}/test.jsonl.gz`].find((path) => existsSync(path))!;
    const { code, stdout, stderr } = await program(["eval", "--adapter", `models/adapters/${adapter}`, "--data", test, "--tokens", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { rows: seen, report } = JSON.parse(stdout) as { rows: number; report: { f1?: number; accuracy?: number } };
    expect(seen).toBe(rows);
    expect(report.f1 ?? report.accuracy!).toBeCloseTo(int8, 12);
  });
});
