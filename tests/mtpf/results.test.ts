import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { benchModule } from "./modules.ts";

const { openResults, readAllResults, readResults } = await benchModule("results");

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rootstock-results-"));
  path = join(folder, "none.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true }));

const HEADER = { run: "none", regime: "none" };

test("cells are there as soon as they are added, and in order when the file is closed", () => {
  const book = openResults(path, HEADER);
  book.add({ cell: "b", test: 0.5 });
  book.add({ cell: "a", test: 0.25 });
  expect([...readResults(path).cells.keys()]).toEqual(["b", "a"]);
  book.close();
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

test("all runs of a folder are read; nothing is read of a file without a whole line", () => {
  openResults(path, HEADER).close();
  appendFileSync(join(folder, "torn.jsonl"), '{"run":');
  expect(readAllResults(folder)).toEqual([{ header: HEADER, cells: new Map() }]);
  expect(readResults(join(folder, "absent.jsonl"))).toBeNull();
});
