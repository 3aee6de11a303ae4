import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { program } from "./program.ts";

const DATA = "../shared/data";
const GOLDEN = "../shared/fixtures/adapters";

/** Adapter folder → task, as the models' README lists them. */
const TASKS = [
  ["wikigold-lora", "wikigold"],
  ["snips-slots-lora-all", "snips_slots"],
  ["vader-dora", "vader_sentiment"],
  ["banking77-rslora", "banking77"],
  ["clinc150-lora-pattern", "clinc150"],
  ["sms-spam-ia3", "sms_spam"],
] as const;

describe.skipIf(!existsSync(DATA) || !existsSync(GOLDEN))("the shipped encoder on whole test sets (needs ../shared)", () => {
  const differences: number[] = [];

  for (const [adapter, task] of TASKS) {
    it(`${adapter}: within 0.5 points of its float32 metric`, async () => {
      const golden = JSON.parse(readFileSync(`${GOLDEN}/${adapter}/golden.json`, "utf8")) as { test_metric_f32: { span_f1?: number; accuracy?: number } };
      const { code, stdout, stderr } = await program(["eval", "--adapter", `models/adapters/${adapter}`, "--data", `${DATA}/${task}/test.jsonl`, "--tokens", "--json"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const { rows, report } = JSON.parse(stdout) as { rows: number; report: { f1?: number; accuracy?: number } };
      expect(rows).toBe(readFileSync(`${DATA}/${task}/test.jsonl`, "utf8").trim().split("\n").length);
      const metric = report.f1 ?? report.accuracy!;
      const difference = 100 * (metric - (golden.test_metric_f32.span_f1 ?? golden.test_metric_f32.accuracy!));
      differences.push(Math.abs(difference));
      expect(Math.abs(difference)).toBeLessThanOrEqual(0.5);
    });
  }

  it("all six: within 0.2 points in the mean", () => {
    expect(differences.length).toBe(TASKS.length);
    expect(differences.reduce((a, b) => a + b) / differences.length).toBeLessThanOrEqual(0.2);
  });
});
