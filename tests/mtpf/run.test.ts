import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfig } from "../../src/cli/pretrain/config.ts";
import { smallExperiment, type Experiment } from "./experiment.ts";
import { benchModule } from "./modules.ts";

const { RECIPE_DIGEST } = await benchModule("recipe");
const { readResults } = await benchModule("results");
const { convertRun } = await benchModule("runs");

let experiment: Experiment;
beforeAll(() => void (experiment = smallExperiment()));
afterAll(() => rmSync(experiment.folder, { recursive: true }));

interface Cell {
  readonly cell: string;
  readonly test: number;
  readonly cpuSeconds: number;
}

const cellsOf = (run: string): Cell[] => [...(readResults(join(experiment.results, `${run}.jsonl`)) as { cells: Map<string, Cell> }).cells.values()];
const figures = (cells: readonly Cell[]): unknown[] => cells.map((cell) => ({ ...cell, cpuSeconds: 0 }));
const linear = (run: string): string[] => [run, "--protocol", "linear"];

test("a run's linear cells, in two processes; again, nothing is left to do; a lost line is made anew, bit for bit", () => {
  const first = experiment.script("run", linear("none"));
  expect(first.stderr).toContain("8/8 none/linear/");
  expect(first.status).toBe(0);
  const cells = cellsOf("none");
  expect(cells.map(({ cell }) => cell)).toEqual(["moves", "names"].flatMap((task) => [`linear/${task}/10/1`, `linear/${task}/10/2`, `linear/${task}/10/3`, `linear/${task}/100`]));
  expect(cells.find(({ cell }) => cell === "linear/names/100")!.test).toBeGreaterThan(0.9);

  const path = join(experiment.results, "none.jsonl");
  const whole = readFileSync(path, "utf8");
  expect(experiment.script("run", linear("none"))).toMatchObject({ status: 0, stderr: expect.stringMatching(/^nothing to do: of none these cells are written/) as string });
  expect(readFileSync(path, "utf8")).toBe(whole);

  writeFileSync(path, whole.split("\n").filter((line) => !line.includes("names/10/2")).join("\n"));
  const third = experiment.script("run", [...linear("none"), "--workers", "1"]);
  expect(third.stderr).toMatch(/^1\/1 none\/linear\/names\/10\/2/);
  expect(figures(cellsOf("none"))).toEqual(figures(cells));
});

test("one cell by its name is compared with what is written", () => {
  experiment.script("run", linear("none"));
  const path = join(experiment.results, "none.jsonl");
  const name = ["--cell", "none/linear/moves/10/3"];
  expect(experiment.script("run", name)).toMatchObject({ status: 0, stdout: expect.stringContaining("the same as in") as string });
  const whole = readFileSync(path, "utf8");
  writeFileSync(path, whole.replace(/("cell":"linear\/moves\/10\/3".*?"dev":)[0-9.]+/, "$10.5"));
  expect(experiment.script("run", name)).toMatchObject({ status: 1, stdout: expect.stringContaining("NOT the same") as string });
  writeFileSync(path, whole);
});

test("a run of pre-finetuning has its adapters' features, and says what it is and what it cost", () => {
  experiment.script("run", linear("none"));
  expect(experiment.script("run", linear("task-primary-1")).status).toBe(0);
  const { header } = readResults(join(experiment.results, "task-primary-1.jsonl"));
  expect(header).toMatchObject({ run: "task-primary-1", regime: "task-primary", seed: 1, tasks: { names: "ner", moves: "tc" } });
  expect(header.pretraining).toMatchObject({ steps: 560, tokens: 1000, seconds: 3, module: "train-fixed", conflict: [{ part: "layer 0", cosine: 0.1, probes: 1 }] });
  expect(header.adapters.ner).toMatch(/^[0-9a-f]{64}$/);
  expect(header.adapters.tc).not.toBe(header.adapters.ner);
  expect(figures(cellsOf("task-primary-1"))).not.toEqual(figures(cellsOf("none")));
});

test("adapters are fine-tuned from the family's, and evaluated as they are served", () => {
  const { status, stderr } = experiment.script("run", ["none", "task-primary-1", "--protocol", "lora", "--shares", "100", "--tasks", "names"]);
  expect(stderr).toMatch(/task-primary-1\/lora\/names\/100/);
  expect(status).toBe(0);
  for (const run of ["none", "task-primary-1"]) {
    const cell = cellsOf(run).find(({ cell: name }) => name === "lora/names/100")!;
    expect(cell.test).toBeGreaterThan(0.9);
    expect(cell).toMatchObject({ rows: 40, steps: 90, recipe: RECIPE_DIGEST });
  }
  expect(experiment.script("run", ["--cell", "none/lora/names/100"])).toMatchObject({ status: 0, stdout: expect.stringContaining("the same as in") as string });
});

test("an encoder that another process has converted meanwhile is taken as it is", async () => {
  const int8 = join(experiment.folder, "meanwhile");
  // Converted already, so that converting fails at once; it has begun when the call comes back.
  const convert = (): Promise<void> => convertRun({ encoder: "models/mtpf-minilm-l6", int8 }, join(experiment.folder, "data")) as Promise<void>;
  await expect(convert()).rejects.toThrow("is converted already");
  const begun = convert();
  mkdirSync(int8);
  await begun;
});

test("a run that is not there or has another's name, and an unknown task, end with a clear word", () => {
  cpSync(join(experiment.folder, "runs/task-primary-1"), join(experiment.folder, "runs/task-primary-2"), { recursive: true });
  expect(experiment.script("run", ["task-primary-2"])).toMatchObject({ status: 1, stderr: expect.stringContaining("was made with seed 1, not 2") as string });
  const other = join(experiment.folder, "runs/naive-weighted-1");
  cpSync(join(experiment.folder, "runs/task-primary-1"), other, { recursive: true });
  const history = JSON.parse(readFileSync(join(other, "history.json"), "utf8")) as { settings: object };
  const made = (settings: object): string => {
    writeFileSync(join(other, "history.json"), JSON.stringify({ ...history, settings }));
    return experiment.script("run", [...linear("naive-weighted-1"), "--tasks", "moves", "--shares", "100"]).stderr;
  };
  const asked = readConfig("bench/mtpf/naive-weighted.json", { seed: 1 }).settings;
  expect(made({ ...asked, regime: "task-primary" })).toContain('was made with regime "task-primary", and bench/mtpf/naive-weighted.json asks for "naive"');
  expect(made({ ...asked, adapter: { ...asked.adapter, rank: 16 } })).toMatch(/was made with adapter \{.*"rank":16.*\}, and bench\/mtpf\/naive-weighted\.json asks for \{.*"rank":8/);
  expect(made(asked)).toContain("1/1 naive-weighted-1/linear/moves/100");
  expect(experiment.script("run", ["naive-1"])).toMatchObject({ status: 1, stderr: expect.stringContaining("there is no run naive-1") as string });
  for (const [args, word] of [[["--protocol", "lorra"], "there is no cell lorra/"], [["--shares", "50"], "there is no cell linear/names/50"], [["--workers", "two"], "--workers is a number"]] as const) {
    expect(experiment.script("run", ["none", ...args])).toMatchObject({ status: 1, stderr: expect.stringContaining(word) as string });
  }
  expect(experiment.script("run", ["none", "--tasks", "other"])).toMatchObject({ status: 1, stderr: expect.stringContaining("there is no task other") as string });
});
