import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { benchModule } from "./modules.ts";

const { openResults, readAllResults, readResults } = await benchModule("results");
const { RECIPE_DIGEST, recipeDigest } = await benchModule("recipe");

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rootstock-results-"));
  path = join(folder, "none.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true }));

const HEADER = { run: "none", regime: "none" };

test("cells are there as soon as they are added, in order whoever was done first", () => {
  const book = openResults(path, HEADER);
  book.add({ cell: "b", test: 0.5 });
  expect([...readResults(path).cells.keys()]).toEqual(["b"]);
  book.add({ cell: "a", test: 0.25 });
  expect(readFileSync(path, "utf8")).toBe('{"run":"none","regime":"none"}\n{"cell":"a","test":0.25}\n{"cell":"b","test":0.5}\n');
});

test("a file whose last line was cut off is gone on with", () => {
  openResults(path, HEADER).add({ cell: "a", test: 0.25 });
  appendFileSync(path, '{"cell":"b","te');
  const book = openResults(path, HEADER);
  expect([...book.cells.keys()]).toEqual(["a"]);
  book.add({ cell: "b", test: 1 });
  expect(readResults(path).cells.get("b")).toEqual({ cell: "b", test: 1 });
});

test("what another process has added since is kept, by each write", () => {
  const [linear, lora] = [openResults(path, HEADER), openResults(path, HEADER)];
  linear.add({ cell: "linear/a/100", test: 0.5 });
  lora.add({ cell: "lora/a/100", recipe: RECIPE_DIGEST, test: 0.75 });
  linear.add({ cell: "linear/b/100", test: 1 });
  expect([...readResults(path).cells.keys()]).toEqual(["linear/a/100", "linear/b/100", "lora/a/100"]);
});

test("two processes that add to one file at once lose nothing, and leave nothing else behind", async () => {
  const script = `import { openResults } from ${JSON.stringify(new URL("../../bench/mtpf/results.mjs", import.meta.url).href)};
    const book = openResults(process.argv[1], ${JSON.stringify(HEADER)});
    for (let i = 0; i < 40; i++) book.add({ cell: process.argv[2] + i });`;
  const ends = ["a", "b", "c"].map((name) => new Promise((resolve) => spawn(process.execPath, ["--input-type=module", "-e", script, path, name], { stdio: "inherit" }).on("exit", resolve)));
  expect(await Promise.all(ends)).toEqual([0, 0, 0]);
  expect(readResults(path).cells.size).toBe(120);
  expect(readdirSync(folder)).toEqual(["none.jsonl"]);
});

test("the lock of a process that has ended is taken away; that of one that runs is waited for", async () => {
  const ended = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => ended.on("exit", resolve));
  writeFileSync(`${path}.lock`, String(ended.pid));
  openResults(path, HEADER).add({ cell: "a", test: 0.25 });
  expect(readdirSync(folder)).toEqual(["none.jsonl"]);

  const holder = spawn(process.execPath, ["-e", `setTimeout(() => require("fs").unlinkSync(${JSON.stringify(`${path}.lock`)}), 500)`]);
  writeFileSync(`${path}.lock`, String(holder.pid));
  openResults(path, HEADER).add({ cell: "b", test: 0.5 });
  expect([...readResults(path).cells.keys()]).toEqual(["a", "b"]);
});

test("what fails under a lock gives it back", () => {
  openResults(path, HEADER);
  expect(() => openResults(path, { ...HEADER, int8: "other" })).toThrow();
  expect(readdirSync(folder)).toEqual(["none.jsonl"]);
});

test("cells of another recipe of fine-tuning are not mixed", () => {
  openResults(path, HEADER).add({ cell: "lora/a/100", test: 0.25, recipe: RECIPE_DIGEST });
  openResults(path, HEADER).add({ cell: "lora/b/100", test: 0.25, recipe: RECIPE_DIGEST });
  expect(() => openResults(path, HEADER, recipeDigest({ rank: 4 }))).toThrow("lora/a/100 was fine-tuned by another recipe");
  openResults(join(folder, "other.jsonl"), HEADER, "other").add({ cell: "linear/a/100", test: 0.5 });
  expect(readAllResults(folder)).toHaveLength(2);
  openResults(join(folder, "other.jsonl"), HEADER, "other").add({ cell: "lora/a/100", test: 0.5, recipe: "other" });
  expect(() => readAllResults(folder)).toThrow("another recipe");
});

test("results of something else are not mixed with a run's own", () => {
  openResults(path, HEADER).add({ cell: "a", test: 0.25 });
  const before = readFileSync(path, "utf8");
  expect(() => openResults(path, { ...HEADER, int8: "other" })).toThrow("results of another encoder");
  expect(readFileSync(path, "utf8")).toBe(before);
});

test("a run that was made again, on a machine that took longer, is gone on with", () => {
  const header = (seconds: number, tokens = 7): object => ({ ...HEADER, pretraining: { steps: 2, tokens, seconds } });
  openResults(path, header(10)).add({ cell: "a", test: 0.25 });
  expect([...openResults(path, header(25)).cells.keys()]).toEqual(["a"]);
  expect(readResults(path).header).toEqual(header(10));
  expect(() => openResults(path, header(10, 8))).toThrow("results of another encoder");
});

test("a run whose history is not at hand is known by its digests, and gets the history once it is there", () => {
  const known = { ...HEADER, pretraining: { steps: 2, tokens: 7, seconds: 10 } };
  const unknown = { ...HEADER, pretraining: null };
  openResults(path, unknown).add({ cell: "a", test: 0.25 });
  expect([...openResults(path, known).cells.keys()]).toEqual(["a"]);
  expect(readResults(path).header).toEqual(known);
  expect([...openResults(path, unknown).cells.keys()]).toEqual(["a"]);
  expect(readResults(path).header).toEqual(known);
  expect(() => openResults(path, { ...unknown, int8: "other" })).toThrow("results of another encoder");
});

test("all runs of a folder are read; nothing is read of a file without a whole line", () => {
  openResults(path, HEADER);
  appendFileSync(join(folder, "torn.jsonl"), '{"run":');
  expect(readAllResults(folder)).toEqual([{ header: HEADER, cells: new Map() }]);
  expect(readResults(join(folder, "absent.jsonl"))).toBeNull();
});
