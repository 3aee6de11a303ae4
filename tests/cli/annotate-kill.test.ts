import { existsSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readCheckpoint } from "../../src/cli/annotate/checkpoint.ts";
import { index, seeded } from "../reliability/random.ts";
import { SEED } from "../reliability/scale.ts";
import { AnnotateFolder } from "./annotate-folder.ts";
import { changesOf, endedAt } from "./end-at.ts";
import { program } from "./program.ts";

const ROWS = 1500;
const KILLS = 6;

let folder: AnnotateFolder;

beforeAll(() => {
  folder = new AnnotateFolder();
  folder.rowsAndBad("in.jsonl", ROWS);
});

afterAll(() => folder.remove());

// At any time: tests/slow/kills.
it.each(["jsonl", "parquet"])("runs of which %s is written, killed between two changes of the file system, again and again, write the same as one that is not", async (ending) => {
  const run = (name: string, workers: string): string[] =>
    // A checkpoint after every write: how many there are depends on no clock.
    folder.args("in.jsonl", `${name}.${ending}`, "--errors", folder.file(`${name}.${ending}.errors`), "--resume", "--checkpoint", "0", "--workers", workers);
  const { outcome, changes } = await changesOf(run("whole", "1"), folder.file("count"));
  expect(outcome.code).toBe(0);
  const output = folder.file(`out.${ending}`);
  const checkpoint = `${output}.checkpoint`;
  const expectWhole = async (): Promise<void> => {
    const { code, stderr } = await program(run("out", "1"));
    expect(code, stderr).toBe(0);
    expect(readFileSync(output).equals(readFileSync(folder.file(`whole.${ending}`)))).toBe(true);
    expect(folder.read(`out.${ending}.errors`)).toBe(folder.read(`whole.${ending}.errors`));
    for (const end of [".partial", ".checkpoint", ".partial.new"]) expect(existsSync(`${output}${end}`)).toBe(false);
    rmSync(output);
    rmSync(`${output}.errors`);
  };
  const random = seeded(SEED);
  let resumed = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    if (existsSync(checkpoint) && (await readCheckpoint(checkpoint))!.next > 0) resumed++;
    // So few calls that the run cannot come to its end.
    const at = 1 + index(random, Math.floor(changes / KILLS));
    expect((await endedAt(run("out", kill % 4 === 3 ? "2" : "1"), { signal: "SIGKILL", at })).code, `killed before call ${at}`).toBeNull();
    expect(existsSync(output)).toBe(false);
  }
  expect(resumed).toBeGreaterThan(2);
  await expectWhole();
  // While the output is made.
  for (let left = 0; left <= 6; left += 3) {
    expect((await endedAt(run("out", "1"), { signal: "SIGKILL", at: changes - left })).code).toBeNull();
    await expectWhole();
  }
});
