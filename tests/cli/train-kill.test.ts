import { existsSync, readdirSync, rmSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { index, seeded } from "../reliability/random.ts";
import { SEED } from "../reliability/scale.ts";
import { changesOf, endedAt } from "./end-at.ts";
import { program } from "./program.ts";
import { rowsOf, taggedRow, TrainFolder } from "./train-folder.ts";

const KILLS = 6;
/** A checkpoint every second update. */
const OPTIONS = ["--epochs", "2", "--evaluate-every", "2", "--batch-size", "8", "--learning-rate", "0.01", "--dropout", "0.1", "--lora-dropout", "0.1"];

let folder: TrainFolder;

beforeAll(() => {
  folder = new TrainFolder();
  folder.rows("rows.jsonl", rowsOf(120, taggedRow));
});

afterAll(() => folder.remove());

// At any time: tests/slow/kills.
it("a training that is killed between two changes of the file system, again and again, writes the same as one that is not", async () => {
  const { outcome, changes } = await changesOf(folder.args("rows.jsonl", "whole", ...OPTIONS), folder.file("count"));
  expect(outcome.code).toBe(0);
  const whole = folder.result("whole");
  const args = folder.args("rows.jsonl", "out", ...OPTIONS);
  const expectWhole = async (): Promise<void> => {
    // Once its checkpoint is gone all is done, though the run could not say so.
    if (existsSync(folder.file("out.checkpoint")) || !existsSync(folder.file("out"))) {
      const { code, stderr } = await program(args);
      expect(code, stderr).toBe(0);
    }
    expect(folder.result("out")).toEqual(whole);
    expect(readdirSync(folder.path).filter((name) => name.startsWith("out"))).toEqual(["out"]);
    rmSync(folder.file("out"), { recursive: true });
  };
  const random = seeded(SEED);
  let resumed = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    if (existsSync(folder.file("out.checkpoint"))) resumed++;
    // So few calls that the run cannot come to its end.
    const at = 1 + index(random, Math.floor(changes / KILLS));
    expect((await endedAt(args, { signal: "SIGKILL", at })).code, `killed before call ${at}`).toBeNull();
    expect(existsSync(folder.file("out"))).toBe(false);
  }
  expect(resumed).toBeGreaterThan(2);
  await expectWhole();
  // While the folder is put in its place.
  for (let left = 0; left <= 6; left += 3) {
    expect((await endedAt(args, { signal: "SIGKILL", at: changes - left })).code).toBeNull();
    await expectWhole();
  }
});
