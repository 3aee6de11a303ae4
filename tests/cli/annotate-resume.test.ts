import { spawn } from "node:child_process";
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pathToFileURL } from "node:url";
import { checkpointText, readCheckpoint, type Checkpoint } from "../../src/cli/annotate/checkpoint.ts";
import { finishingSteps } from "../../src/cli/annotate/finish.ts";
import type { ParquetPlan } from "../../src/cli/annotate/journal-to-parquet.ts";
import { targetPaths } from "../../src/cli/annotate/paths.ts";
import { AnnotateFolder, tinyText } from "./annotate-folder.ts";
import { outcome, program, start, type Outcome } from "./program.ts";

const ROWS = 300;
const NOTHING = new AbortController().signal;

let folder: AnnotateFolder;
let whole: Buffer;

beforeAll(async () => {
  folder = new AnnotateFolder();
  folder.rows("in.jsonl", ROWS);
  appendFileSync(folder.file("in.jsonl"), "bad\n");
  for (const output of ["whole.jsonl", "whole.parquet"]) {
    expect((await folder.annotate("in.jsonl", output, "--errors", folder.file(`${output}.errors`))).code).toBe(0);
  }
  whole = readFileSync(folder.file("whole.jsonl"));
});

beforeEach(() => {
  for (const name of readdirSync(folder.path)) if (name.startsWith("out.")) rmSync(folder.file(name));
});

afterAll(() => folder.remove());

function again(output: string, ...more: string[]): Promise<Outcome> {
  return folder.annotate("in.jsonl", output, "--errors", folder.file("out.errors"), ...more);
}

/** A limit on the size of files stands for the disk; dash counts in 512 bytes, bash in 1024. */
function onSmallDisk(blocks: number, ...args: [input: string, output: string, ...more: string[]]): Promise<Outcome> {
  return outcome(spawn("sh", ["-c", `ulimit -f ${blocks} && exec "$0" "$@"`, process.execPath, "dist/cli/main.js", ...folder.args(...args)]));
}

/** Leaves what a run leaves that was ended when `rows` rows and one more half were written, after a checkpoint at `saved`. */
async function endedRun(output: string, saved: number, rows: number, change: Partial<Checkpoint> = {}): Promise<void> {
  // A run that stops at its bad row leaves the whole journal and a checkpoint of its identity.
  const stopped = await folder.annotate("in.jsonl", output);
  expect(stopped.code).toBe(1);
  const { journal, checkpoint } = targetPaths(folder.file(output));
  const lines = readFileSync(journal, "utf8").split(/(?<=\n)/);
  expect(lines).toHaveLength(ROWS);
  const { identity } = (await readCheckpoint(checkpoint))!;
  writeFileSync(journal, lines.slice(0, rows).join("") + (lines[rows] ?? "").slice(0, 40));
  writeFileSync(folder.file("out.errors"), "");
  const state: Checkpoint = {
    next: saved, good: saved, bad: 0, bytes: Buffer.byteLength(lines.slice(0, saved).join("")),
    errors: { path: folder.file("out.errors"), bytes: 0 }, finished: false, identity, ...change,
  }; // prettier-ignore
  writeFileSync(checkpoint, checkpointText(state));
}

function expectWhole(output: string): void {
  expect(readFileSync(folder.file(output)).equals(readFileSync(folder.file(`whole.${output.split(".").at(-1)}`)))).toBe(true);
  expect(folder.read("out.errors")).toBe(folder.read("whole.jsonl.errors"));
  expect(readdirSync(folder.path).filter((name) => name.startsWith("out.")).sort()).toEqual(["out.errors", output].sort());
}

describe("a run that was killed", () => {
  it.each([
    ["between two checkpoints", 100, 180],
    ["right after a checkpoint", 100, 100],
    ["before its first checkpoint", 0, 30],
    ["at its end", ROWS, ROWS],
  ])("goes on to the same bytes: %s", async (_, saved, rows) => {
    for (const output of ["out.jsonl", "out.parquet"]) {
      await endedRun(output, saved, rows);
      const { code, stderr } = await again(output, "--resume");
      expect(stderr).toContain(`${ROWS + 1} rows, 1 bad rows`);
      expect(code).toBe(0);
      expectWhole(output);
      rmSync(folder.file(output));
    }
  });

  it("goes on when there is its first checkpoint and nothing else", async () => {
    await endedRun("out.jsonl", 0, 0);
    rmSync(folder.file("out.jsonl.partial"));
    rmSync(folder.file("out.errors"));
    expect((await again("out.jsonl", "--resume")).code).toBe(0);
    expectWhole("out.jsonl");
  });

  it("goes on past a checkpoint that was being written", async () => {
    await endedRun("out.jsonl", 100, 150);
    folder.write("out.jsonl.checkpoint.new", '{"format":1,"next":14');
    expect((await again("out.jsonl", "--resume")).code).toBe(0);
    expectWhole("out.jsonl");
  });

  it("goes on from standard input, which is passed over", async () => {
    const input = folder.read("in.jsonl");
    const args = folder.args("-", "out.jsonl", "--errors", folder.file("out.errors"));
    const child = start(args);
    const ended = outcome(child);
    child.stdin.write(input.slice(0, 20_000).replace(/[^\n]*$/, ""));
    while (!existsSync(folder.file("out.jsonl.partial")) || statSync(folder.file("out.jsonl.partial")).size < 10_000) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    expect(stderr).toMatch(/^\d+ rows are kept in .*out\.jsonl\.partial; the same command with --resume goes on\n$/);
    expect(code).toBe(130);
    const checkpoint = (await readCheckpoint(folder.file("out.jsonl.checkpoint")))!;
    expect(checkpoint.next).toBeGreaterThan(0);
    expect(checkpoint.bytes).toBe(statSync(folder.file("out.jsonl.partial")).size);
    expect((await program([...args, "--resume"], input)).code).toBe(0);
    expect(readFileSync(folder.file("out.jsonl"))).toEqual(whole);
    expect(folder.lines("out.errors")).toMatchObject([{ line: ROWS + 1, row: ROWS }]);
  });
});

describe("the end of a run, cut between any two steps", () => {
  it.each([["out.jsonl", 2], ["out.parquet", 4]] as const)("gives %s once", async (output, steps) => {
    for (let cut = 0; cut <= steps; cut++) {
      await endedRun(output, ROWS, ROWS, { next: ROWS + 1, bad: 1, finished: true });
      copyFileSync(folder.file("whole.jsonl.errors"), folder.file("out.errors"));
      const state = (await readCheckpoint(folder.file(`${output}.checkpoint`)))!;
      const errors = { path: folder.file("out.errors"), bytes: statSync(folder.file("out.errors")).size };
      writeFileSync(folder.file(`${output}.checkpoint`), checkpointText({ ...state, errors }));
      const tasks: ParquetPlan["tasks"] = [{ name: "kind", kind: "sequence" }, { name: "names", kind: "token" }];
      const parquet = output.endsWith("parquet") ? { tasks, annotations: "annotations", prefix: "", signal: NOTHING } : null;
      const all = finishingSteps(targetPaths(folder.file(output)), parquet);
      expect(all).toHaveLength(steps);
      for (const step of all.slice(0, cut)) await step();
      const { code, stderr } = await again(output, "--resume");
      expect(stderr).toMatch(/is complete/);
      expect(code).toBe(0);
      expectWhole(output);
      rmSync(folder.file(output));
      rmSync(folder.file("out.errors"));
    }
  });

  it("makes the Parquet file anew where a link has its name", async () => {
    await endedRun("out.parquet", ROWS, ROWS);
    folder.write("out.precious", "precious");
    symlinkSync(folder.file("out.precious"), folder.file("out.parquet.partial.new"));
    expect((await again("out.parquet", "--resume")).code).toBe(0);
    expect(folder.read("out.precious")).toBe("precious");
    rmSync(folder.file("out.precious"));
    expectWhole("out.parquet");
  });

  it("tells a folder that has the Parquet file's name, and keeps every result", async () => {
    await endedRun("out.parquet", ROWS, ROWS);
    mkdirSync(folder.file("out.parquet.partial.new"));
    const { code, stderr } = await again("out.parquet", "--resume");
    expect(stderr).toMatch(/^rootstock: target-unwritable: .*has all results as JSON lines.*out\.parquet\.partial\.new could not be written/m);
    expect(code).toBe(1);
    rmdirSync(folder.file("out.parquet.partial.new"));
    expect((await again("out.parquet", "--resume")).code).toBe(0);
    expectWhole("out.parquet");
  });

  it("makes the Parquet file anew where it was half written", async () => {
    await endedRun("out.parquet", ROWS, ROWS);
    folder.write("out.parquet.partial.new", "PAR1 and so on");
    expect((await again("out.parquet", "--resume")).code).toBe(0);
    expectWhole("out.parquet");
  });

  it("keeps every result where the disk is full while the Parquet file is made", async () => {
    await endedRun("out.parquet", ROWS, ROWS);
    const { code, stderr } = await onSmallDisk(8, "in.jsonl", "out.parquet", "--errors", folder.file("out.errors"), "--resume");
    expect(stderr).toMatch(/^rootstock: target-unwritable: .*has all results as JSON lines.*out\.parquet\.partial\.new could not be written/m);
    expect(code).toBe(1);
    for (const [name, is] of [["out.parquet", false], ["out.parquet.partial.new", false], ["out.parquet.partial", true], ["out.parquet.checkpoint", true]] as const) expect(existsSync(folder.file(name)), name).toBe(is);
    expect((await again("out.parquet", "--resume")).code).toBe(0);
    expectWhole("out.parquet");
  });
});

describe("--resume", () => {
  it("begins where there is nothing", async () => {
    expect((await again("out.jsonl", "--resume")).code).toBe(0);
    expectWhole("out.jsonl");
  });

  it("has nothing to do where the output is complete", async () => {
    await again("out.jsonl");
    const { mtimeMs } = statSync(folder.file("out.jsonl"));
    expect(await again("out.jsonl", "--resume")).toEqual({ code: 0, stdout: "", stderr: `${folder.file("out.jsonl")} is complete; there is nothing to resume\n` });
    expect(statSync(folder.file("out.jsonl")).mtimeMs).toBe(mtimeMs);
  });

  it("goes on from a run that stopped at a bad row though an --errors in no folder was given first", async () => {
    const stopped = await folder.annotate("in.jsonl", "out.jsonl");
    expect(stopped.code).toBe(1);
    const wrong = await folder.annotate("in.jsonl", "out.jsonl", "--resume", "--errors", folder.file("none/out.errors"));
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/^rootstock: target-unwritable: /)]);
    expect((await again("out.jsonl", "--resume")).code).toBe(0);
    expectWhole("out.jsonl");
  });

  it("compares the files of an adapter that is given by a file: URL, and takes no others", async () => {
    const by = (url: string): string[] => ["annotate", folder.file("in.jsonl"), "--output", folder.file("out.jsonl"), "--encoder", folder.file("encoder"), "--adapter", `kind=${url}`, "--tasks", "kind"];
    const url = pathToFileURL(folder.file("kind")).href;
    expect((await program(by(url))).code).toBe(1);
    const config = folder.read("kind/config.json");
    folder.write("kind/config.json", config.replace("x", "other"));
    const { stderr } = await program([...by(url), "--resume", "--errors", folder.file("out.errors")]);
    folder.write("kind/config.json", config);
    expect(stderr).toMatch(/is of another run: adapter kind was/);
    expect((await program([...by("data:x"), "--overwrite"])).stderr).toMatch(/^rootstock: /);
  });

  it.each<[string, string[], string]>([
    ["another task", ["--tasks", "kind"], "tasks was kind,names and is kind"],
    ["other options", ["--top-k", "2"], 'options was {} and is {"topK":2}'],
    ["another shard", ["--shard", "1/2"], "shard was 1/1 and is 1/2"],
    ["another field", ["--text-field", "body"], "text field was text and is body"],
    ["names of columns with the field's before them", ["--annotations-field", "annotations"], "prefix of columns was  and is annotations_"],
    ["another format", ["--format", "text"], "format was jsonl and is text"],
    ["another file of bad rows", [], "--errors was "],
  ])("refuses %s, says what differs and changes nothing", async (_, more, words) => {
    await endedRun("out.jsonl", 100, 150);
    const before = readFileSync(folder.file("out.jsonl.partial"));
    const errors = words.startsWith("--errors") ? "out.others" : "out.errors";
    const { code, stderr } = await folder.annotate("in.jsonl", "out.jsonl", "--resume", "--errors", folder.file(errors), ...more);
    expect(stderr).toMatch(/^rootstock: argument-invalid: .*checkpoint is of another run: /);
    expect(stderr).toContain(words);
    expect(code).toBe(1);
    expect(readFileSync(folder.file("out.jsonl.partial"))).toEqual(before);
  });

  it("refuses an input, an encoder or an adapter that was changed", async () => {
    await endedRun("out.jsonl", 100, 150);
    const changes: [string, string, string][] = [
      ["in.jsonl", "\n", "input size was "],
      ["kind/config.json", " ", "adapter kind was "],
      ["encoder/tokenizer.json", " ", "encoder files was "],
    ];
    for (const [name, more, words] of changes) {
      const before = readFileSync(folder.file(name));
      appendFileSync(folder.file(name), more);
      const { code, stderr } = await again("out.jsonl", "--resume");
      writeFileSync(folder.file(name), before);
      expect(stderr).toContain(words);
      expect(code).toBe(1);
    }
    expect((await again("out.jsonl", "--resume")).code).toBe(0);
  });

  it.each<[string, (paths: ReturnType<typeof targetPaths>) => void, string]>([
    ["a damaged checkpoint", ({ checkpoint }) => truncateSync(checkpoint, statSync(checkpoint).size - 10), "digest-mismatch: "],
    ["an empty checkpoint", ({ checkpoint }) => writeFileSync(checkpoint, ""), "digest-mismatch: "],
    ["a journal that is too short", ({ journal }) => truncateSync(journal, 100), "source-truncated: "],
    ["a journal that is gone", ({ journal }) => rmSync(journal), "source-missing: "],
    ["a journal without a checkpoint", ({ checkpoint }) => rmSync(checkpoint), "argument-invalid: "],
  ])("refuses %s; --overwrite begins anew", async (_, damage, words) => {
    await endedRun("out.jsonl", 100, 150);
    damage(targetPaths(folder.file("out.jsonl")));
    const { code, stderr } = await again("out.jsonl", "--resume");
    expect(stderr).toMatch(new RegExp(`^rootstock: ${words}.*--overwrite`));
    expect(code).toBe(1);
    expect((await again("out.jsonl", "--overwrite")).code).toBe(0);
    expectWhole("out.jsonl");
  });
});

describe("without --resume", () => {
  it("refuses to overwrite an output, an unfinished run and a file of bad rows", async () => {
    await endedRun("out.jsonl", 100, 150);
    const unfinished = await again("out.jsonl");
    expect(unfinished.stderr).toMatch(/has an unfinished run \(100 rows are done\).*--resume.*--overwrite/);
    rmSync(folder.file("out.jsonl.checkpoint"));
    rmSync(folder.file("out.jsonl.partial"));
    const errors = await again("out.jsonl");
    expect(errors.stderr).toMatch(/out\.errors is there already.*--overwrite/);
    folder.write("out.jsonl", "precious");
    const there = await again("out.jsonl");
    expect(there.stderr).toMatch(/out\.jsonl is there already.*--overwrite/);
    expect([unfinished.code, errors.code, there.code]).toEqual([1, 1, 1]);
    expect(folder.read("out.jsonl")).toBe("precious");
  });

  it("--overwrite keeps the old output until the new one is whole", async () => {
    folder.write("out.jsonl", "precious");
    expect((await folder.annotate("in.jsonl", "out.jsonl", "--overwrite")).code).toBe(1);
    expect(folder.read("out.jsonl")).toBe("precious");
    expect((await again("out.jsonl", "--resume")).code).toBe(0);
    expectWhole("out.jsonl");
  });

  it("--overwrite that ends before its first row does not leave the old output as its own", async () => {
    folder.write("out.jsonl", "precious");
    folder.write("out.in.jsonl", `bad\n${JSON.stringify({ text: tinyText(0) })}\n`);
    expect((await folder.annotate("out.in.jsonl", "out.jsonl", "--overwrite")).code).toBe(1);
    expect(folder.read("out.jsonl")).toBe("precious");
    const { code, stderr } = await folder.annotate("out.in.jsonl", "out.jsonl", "--errors", folder.file("out.errors"), "--resume");
    expect(stderr).toContain("2 rows, 1 bad rows");
    expect(code).toBe(0);
    expect(folder.lines("out.jsonl")).toHaveLength(1);
  });

  it("nor does one whose file of bad rows cannot be written", async () => {
    folder.write("out.jsonl", "precious");
    const args = ["in.jsonl", "out.jsonl", "--errors", folder.file("no/such/folder")] as const;
    expect((await folder.annotate(...args, "--overwrite")).code).toBe(1);
    const { code, stderr } = await folder.annotate(...args, "--resume");
    expect(stderr).toMatch(/^rootstock: target-unwritable: /);
    expect(code).toBe(1);
    expect(folder.read("out.jsonl")).toBe("precious");
  });
});

describe("an output that cannot be written", () => {
  it("in a folder that is not there", async () => {
    const { code, stderr } = await again("no/such/folder/out.jsonl");
    expect(stderr).toMatch(/^rootstock: target-unwritable: /);
    expect(code).toBe(1);
  });

  it.each(["--output", "--errors"])("because %s is a folder is refused before any row, with --overwrite too", async (option) => {
    const files = option === "--output" ? (["kind", "out.errors"] as const) : (["out.jsonl", "kind"] as const);
    for (const more of [[], ["--overwrite"], ["--resume"]]) {
      const { code, stderr } = await folder.annotate("in.jsonl", files[0], "--errors", folder.file(files[1]), ...more);
      expect(stderr).toBe(`rootstock: argument-invalid: ${folder.file("kind")} is a folder. Give ${option} a file.\n`);
      expect(code).toBe(1);
    }
    expect(readdirSync(folder.path).filter((name) => name.startsWith("out.") || name.startsWith("kind."))).toEqual([]);
  });

  it("with its file of bad rows leaves nothing", async () => {
    const { code, stderr } = await folder.annotate("in.jsonl", "out.jsonl", "--errors", folder.file("no/such/folder"));
    expect(stderr).toMatch(/^rootstock: target-unwritable: /);
    expect(code).toBe(1);
    expect(readdirSync(folder.path).filter((name) => name.startsWith("out."))).toEqual([]);
  });

  it("on a full disk leaves nothing at its place, and goes on where there is room", async () => {
    const { code, stderr } = await onSmallDisk(80, "in.jsonl", "out.jsonl", "--errors", folder.file("out.errors"));
    expect(stderr).toMatch(/^rootstock: target-unwritable: .*out\.jsonl\.partial could not be written/m);
    expect(code).toBe(1);
    expect(existsSync(folder.file("out.jsonl"))).toBe(false);
    const checkpoint = (await readCheckpoint(folder.file("out.jsonl.checkpoint")))!;
    expect(checkpoint.next).toBeGreaterThan(0);
    expect(readFileSync(folder.file("out.jsonl.partial")).subarray(0, checkpoint.bytes)).toEqual(whole.subarray(0, checkpoint.bytes));
    expect((await again("out.jsonl", "--resume")).code).toBe(0);
    expectWhole("out.jsonl");
  });
});

it("the tiny texts differ from row to row", () => {
  expect(new Set(Array.from({ length: ROWS }, (_, n) => tinyText(n))).size).toBeGreaterThan(ROWS / 2);
});
