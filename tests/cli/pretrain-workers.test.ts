import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PretrainingHistory } from "../../src/pretrain/types.ts";
import { DATA, ENCODER, OPTIONS } from "../pretrain/tiny-run.ts";
import { endedAt } from "./end-at.ts";
import { program, type Outcome } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "rootstock-pretrain-"));
const file = (name: string): string => join(folder, name);

beforeAll(() => {
  mkdirSync(file("encoder"));
  for (const [name, bytes] of ENCODER as ReadonlyMap<string, Uint8Array>) writeFileSync(file(`encoder/${name}`), bytes);
  const lines = (rows: Iterable<unknown>): string => [...rows].map((row) => `${JSON.stringify(row)}\n`).join("");
  writeFileSync(file("ner.jsonl"), lines(DATA.ner[0]!.rows as Iterable<unknown>));
  writeFileSync(file("pairs.jsonl"), lines(DATA.pairs[0]!.rows as Iterable<unknown>));
  writeFileSync(file("run.json"), JSON.stringify({ ...OPTIONS, steps: 200, encoder: "encoder", output: "out", data: { ner: ["ner.jsonl"], pairs: ["pairs.jsonl"] }, checkpointEvery: 7 }));
});

afterAll(() => rmSync(folder, { recursive: true }));

const args = (output: string, workers: number, ...more: string[]): string[] =>
  ["pretrain", file("run.json"), "--output", file(output), "--workers", String(workers), ...more];
const run = (output: string, workers: number, ...more: string[]): Promise<Outcome> => program(args(output, workers, ...more));

/** A digest of every file but the history and its report, and the history without its seconds. */
function made(output: string): { digests: string[]; history: unknown } {
  const names = readdirSync(file(output), { recursive: true, encoding: "utf8" }).filter((name) => /\.\w+$/.test(name)).sort();
  const { seconds, ...history } = JSON.parse(readFileSync(file(`${output}/history.json`), "utf8")) as PretrainingHistory;
  expect(seconds).toBeGreaterThan(0);
  const digests = names.filter((name) => !["history.json", "report.html"].includes(name)).map((name) => `${name} ${createHash("sha256").update(readFileSync(file(`${output}/${name}`))).digest("hex")}`);
  expect(digests.length).toBeGreaterThan(5);
  return { digests, history };
}

it("two workers write the same bits at each run, and near those of one", async () => {
  for (const [output, workers] of [["once", 2], ["again", 2], ["one", 1]] as const) {
    expect(await run(output, workers)).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(file(`${output}.checkpoint`))).toBe(false);
  }
  expect(made("again")).toEqual(made("once"));
  expect(made("one").digests).not.toEqual(made("once").digests);
  const losses = (output: string): number[] => (made(output).history as PretrainingHistory).steps.map(({ ner }) => ner!);
  // Further on rounding has grown: a step of AdamW follows the sign of a gradient that is all but 0.
  for (const [step, loss] of losses("one").slice(0, 5).entries()) expect(losses("once")[step]! / loss).toBeCloseTo(1, 4);
});

it.each([["SIGINT", 130], ["SIGKILL", null]] as const)("%s in the middle: the same command goes on to the same bits", async (signal, code) => {
  const output = `cut-${signal}`;
  for (let ends = 0; ends < 3; ends++) {
    // After the first checkpoint of this run, right before its second takes its place.
    expect((await endedAt(args(output, 2), { signal, at: 2, call: "rename" })).code).toBe(code);
    expect([existsSync(file(output)), existsSync(file(`${output}.checkpoint`))]).toEqual([false, true]);
  }
  expect(await run(output, 2)).toMatchObject({ code: 0, stderr: expect.stringMatching(/^going on from .*checkpoint\n$/) as unknown });
  expect(made(output)).toEqual(made("once"));
});

it("another number of workers does not go on from a checkpoint", async () => {
  expect((await endedAt(args("other", 2), { signal: "SIGINT", at: 1, call: "rename" })).code).toBe(130);
  const { code, stderr } = await run("other", 3);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^rootstock: checkpoint-invalid: .*peers/m);
});

it("an error of the rows is told once", async () => {
  writeFileSync(file("bad.jsonl"), '{"tokens":["w1"],"tags":["B-low","O"]}\n');
  const config = JSON.parse(readFileSync(file("run.json"), "utf8")) as object;
  writeFileSync(file("bad.json"), JSON.stringify({ ...config, data: { ner: ["bad.jsonl"], pairs: ["pairs.jsonl"] } }));
  const { code, stderr } = await program(["pretrain", file("bad.json"), "--output", file("bad"), "--workers", "3"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^rootstock: data-invalid: [^\n]+\n$/);
});

it.each(["0", "x", "1.5"])("--workers %s is wrong usage", async (workers) => {
  expect(await program(["pretrain", file("run.json"), "--workers", workers])).toMatchObject({ code: 2, stderr: expect.stringContaining("--workers") as unknown });
});
