import { existsSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readCheckpoint } from "../../../src/cli/annotate/checkpoint.ts";
import { AnnotateFolder } from "../../cli/annotate-folder.ts";
import { program } from "../../cli/program.ts";
import { SEED } from "../../reliability/scale.ts";
import { killAtAnyTime } from "./kill-at-any-time.ts";

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
  const latest = performance.now() - began;
  expect(whole.code).toBe(0);
  const output = folder.file(`out.${ending}`);
  const checkpoint = `${output}.checkpoint`;
  const args = (workers: string): string[] =>
    folder.args("in.jsonl", `out.${ending}`, "--errors", `${output}.errors`, "--resume", "--checkpoint", "0.02", "--workers", workers);
  const seed = SEED % 2 ** 31;
  const expectWhole = (): void => {
    expect(readFileSync(output).equals(readFileSync(folder.file(`whole.${ending}`))), `seed ${seed}`).toBe(true);
    expect(folder.read(`out.${ending}.errors`)).toBe(folder.read(`whole.${ending}.errors`));
  };
  const { kills, resumed } = await killAtAnyTime({
    args: (kill) => args(kill % 4 === 3 ? "2" : "1"),
    latest, kills: most, seed,
    isBegun: async () => existsSync(checkpoint) && (await readCheckpoint(checkpoint))!.next > 0,
    check() {
      if (!existsSync(output) || existsSync(checkpoint)) return;
      expectWhole(); // it came to its end: the next one begins anew
      rmSync(output);
      rmSync(`${output}.errors`);
    },
  });
  const { code, stderr } = await program(args("1"));
  expect(code, `${stderr} (seed ${seed})`).toBe(0);
  expectWhole();
  for (const end of [".partial", ".checkpoint", ".partial.new"]) expect(existsSync(`${output}${end}`)).toBe(false);
  expect({ kills, resumed: resumed > 3 }, `seed ${seed}, ${resumed} resumed`).toEqual({ kills: most, resumed: true });
});
