import { existsSync, readFileSync, rmSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readCheckpoint } from "../../../src/cli/annotate/checkpoint.ts";
import { AnnotateFolder } from "../../cli/annotate-folder.ts";
import { outcome, start } from "../../cli/program.ts";
import { SEED } from "../../reliability/scale.ts";

const ROWS = 5000;

let folder: AnnotateFolder;

beforeAll(() => {
  folder = new AnnotateFolder();
  folder.rowsAndBad("in.jsonl", ROWS);
});

afterAll(() => folder.remove());

it.each([["jsonl", 20], ["parquet", 10]] as const)("runs of which %s is written are killed %i times and write the same as one that is not", async (ending, most) => {
  const began = performance.now();
  const whole = await folder.annotate("in.jsonl", `whole.${ending}`, "--errors", folder.file(`whole.${ending}.errors`), "--workers", "2");
  expect(whole.code).toBe(0);
  // From before the encoder is loaded to near the end, on any machine.
  const latest = Math.ceil(performance.now() - began);
  const output = folder.file(`out.${ending}`);
  const args = (workers: string): string[] =>
    folder.args("in.jsonl", `out.${ending}`, "--errors", `${output}.errors`, "--resume", "--checkpoint", "0.02", "--workers", workers);
  const seed = SEED % 2 ** 31;
  const delays = fc.sample(fc.noBias(fc.integer({ min: 0, max: latest })), { numRuns: 10 * most, seed });
  let kills = 0;
  let resumed = 0;
  const expectWhole = (): void => {
    expect(readFileSync(output).equals(readFileSync(folder.file(`whole.${ending}`))), `seed ${seed}, ${kills} kills`).toBe(true);
    expect(folder.read(`out.${ending}.errors`)).toBe(folder.read(`whole.${ending}.errors`));
  };
  for (const delay of delays) {
    if (kills === most) break;
    const checkpoint = `${output}.checkpoint`;
    if (existsSync(checkpoint) && (await readCheckpoint(checkpoint))!.next > 0) resumed++;
    const child = start(args(kills % 4 === 3 ? "2" : "1"));
    const ended = outcome(child);
    await Promise.race([setTimeout(delay), ended]);
    if (child.kill("SIGKILL")) kills++;
    await ended;
    if (!existsSync(output) || existsSync(checkpoint)) continue;
    expectWhole(); // it came to its end: the next one begins anew
    rmSync(output);
    rmSync(`${output}.errors`);
  }
  const { code, stderr } = await outcome(start(args("1")));
  expect(code, `${stderr} (seed ${seed})`).toBe(0);
  expectWhole();
  for (const end of [".partial", ".checkpoint", ".partial.new"]) expect(existsSync(`${output}${end}`)).toBe(false);
  expect({ kills, resumed: resumed > 3 }, `seed ${seed}, ${resumed} resumed`).toEqual({ kills: most, resumed: true });
});
