import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TrainingHistory } from "../../src/finetune/types.ts";
import { endedAt } from "./end-at.ts";
import { program } from "./program.ts";
import { labelRow, labelsRow, rowsOf, spansRow, taggedRow, TrainFolder } from "./train-folder.ts";

/** With dropout, as little as lets the rows be learnt in so few updates. */
const OPTIONS = ["--epochs", "3", "--batch-size", "16", "--learning-rate", "0.01", "--head-learning-rate", "0.01", "--dropout", "0.02", "--lora-dropout", "0.1"];
/** Updates of OPTIONS on 400 rows, 40 of them held out. */
const STEPS = 3 * Math.ceil(360 / 16);

let folder: TrainFolder;

beforeAll(() => {
  folder = new TrainFolder();
  for (const [name, make] of Object.entries<(n: number) => object>({ ner: taggedRow, spans: spansRow, label: labelRow, labels: labelsRow })) folder.rows(`${name}.jsonl`, rowsOf(400, make));
});

afterAll(() => folder.remove());

const history = (out: string): TrainingHistory => folder.history(out);

describe.each(["ner", "spans", "label", "labels"])("%s", (kind) => {
  it("two workers write the same bits at each run; dev is measured as by one", async () => {
    for (const [out, ...more] of [["once", "--workers", "2"], ["again", "--workers", "2"], ["one"]] as const) {
      expect(await folder.train(`${kind}.jsonl`, `${kind}-${out}`, ...OPTIONS, ...more)).toMatchObject({ code: 0, stderr: expect.stringMatching(/^no --dev: 40 of 400 rows[^\n]+\n$/) as unknown });
    }
    expect(folder.result(`${kind}-again`)).toEqual(folder.result(`${kind}-once`));
    const [two, one] = [history(`${kind}-once`), history(`${kind}-one`)];
    expect([two.settings["peers"], one.settings["peers"]]).toEqual([2, 1]);
    expect(two.steps.length).toBe(STEPS);
    expect(two.tokens).toBe(one.tokens);
    // The first batch is the same, but for what dropout drops.
    expect(two.steps[0]!.loss / one.steps[0]!.loss).toBeCloseTo(1, 1);
    expect(two.steps.at(-1)!.loss).toBeLessThan(two.steps[0]!.loss);
    expect(two.best!.metric).toBeGreaterThan(one.best!.metric - 0.1);
  });
});

it("without dropout only the order of sums differs between one and three", async () => {
  const options = ["--epochs", "1", "--no-dev", "--learning-rate", "0.001", "--dropout", "0"];
  expect((await folder.train("ner.jsonl", "sum-one", ...options)).code).toBe(0);
  expect((await folder.train("ner.jsonl", "sum-three", ...options, "--workers", "3")).code).toBe(0);
  for (const [step, { loss }] of history("sum-one").steps.slice(0, 5).entries()) expect(history("sum-three").steps[step]!.loss / loss).toBeCloseTo(1, 5);
  expect(folder.result("sum-three")["adapter_model.safetensors"]).not.toEqual(folder.result("sum-one")["adapter_model.safetensors"]);
});

it.each([["SIGINT", 130], ["SIGKILL", null]] as const)("%s in the middle: the same command goes on to the same bits", async (signal, code) => {
  const out = `cut-${signal}`;
  const args = folder.args("ner.jsonl", out, ...OPTIONS, "--workers", "2", "--evaluate-every", "4");
  expect((await program([...args.slice(0, args.indexOf("--out") + 1), folder.file(`${out}-whole`), ...args.slice(args.indexOf("--out") + 2)])).code).toBe(0);
  for (let ends = 0; ends < 3; ends++) {
    // After the first checkpoint of this run, right before its second takes its place.
    expect((await endedAt(args, { signal, at: 2, call: "rename" })).code).toBe(code);
    expect([existsSync(folder.file(out)), existsSync(folder.file(`${out}.checkpoint`))]).toEqual([false, true]);
  }
  expect((await program(args)).code).toBe(0);
  expect(folder.result(out)).toEqual(folder.result(`${out}-whole`));
  expect(existsSync(folder.file(`${out}.checkpoint`))).toBe(false);
});

it("an error of a row is told once, with its line", async () => {
  folder.rows("bad.jsonl", [...rowsOf(30, labelRow), { text: "w1" }]);
  const { code, stderr } = await folder.train("bad.jsonl", "bad", "--no-dev", "--workers", "3");
  expect(code).toBe(1);
  expect(stderr).toMatch(/^rootstock: data-invalid: train: line 31[^\n]+\n$/);
  expect(existsSync(folder.file("bad"))).toBe(false);
});

it.each(["0", "x", "65"])("--workers %s is wrong usage", async (workers) => {
  expect(await folder.train("ner.jsonl", "usage", "--workers", workers)).toMatchObject({ code: 2, stderr: expect.stringContaining("--workers") as unknown });
});
