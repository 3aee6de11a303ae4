import { existsSync, readdirSync, rmSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { outcome, program, start } from "./program.ts";
import { rowsOf, taggedRow, TrainFolder } from "./train-folder.ts";

const KILLS = 20;
/** A checkpoint every second update. */
const OPTIONS = ["--epochs", "3", "--evaluate-every", "2", "--batch-size", "8", "--learning-rate", "0.01", "--dropout", "0.1", "--lora-dropout", "0.1"];

let folder: TrainFolder;

beforeAll(() => {
  folder = new TrainFolder();
  folder.rows("rows.jsonl", rowsOf(400, taggedRow));
});

afterAll(() => folder.remove());

it(`a training that is killed ${KILLS} times writes the same as one that is not`, { timeout: 600_000 }, async () => {
  const began = performance.now();
  expect((await folder.train("rows.jsonl", "whole", ...OPTIONS)).code).toBe(0);
  // From before the encoder is loaded to near the end, on any machine.
  const latest = Math.ceil(performance.now() - began);
  const whole = folder.result("whole");
  const args = folder.args("rows.jsonl", "out", ...OPTIONS);
  const seed = Date.now() % 2 ** 31;
  const delays = fc.sample(fc.noBias(fc.integer({ min: 0, max: latest })), { numRuns: 10 * KILLS, seed });
  let kills = 0;
  let resumed = 0;
  for (const delay of delays) {
    if (kills === KILLS) break;
    if (existsSync(folder.file("out.checkpoint"))) resumed++;
    const child = start(args);
    const ended = outcome(child);
    await Promise.race([setTimeout(delay), ended]);
    if (child.kill("SIGKILL")) kills++;
    await ended;
    if (!existsSync(folder.file("out")) || existsSync(folder.file("out.checkpoint"))) continue;
    expect(folder.result("out"), `seed ${seed}, ${kills} kills`).toEqual(whole); // it came to its end: the next one begins anew
    rmSync(folder.file("out"), { recursive: true });
  }
  const { code, stderr } = await program(args);
  expect(code, `${stderr} (seed ${seed})`).toBe(0);
  expect(folder.result("out"), `seed ${seed}`).toEqual(whole);
  expect(readdirSync(folder.path).filter((name) => name.startsWith("out"))).toEqual(["out"]);
  expect({ kills, resumed: resumed > 3 }, `seed ${seed}, ${resumed} resumed`).toEqual({ kills: KILLS, resumed: true });
});
