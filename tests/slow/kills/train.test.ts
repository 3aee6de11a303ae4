import { existsSync, readdirSync, rmSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { program } from "../../cli/program.ts";
import { rowsOf, taggedRow, TrainFolder } from "../../cli/train-folder.ts";
import { SEED } from "../../reliability/scale.ts";
import { killAtAnyTime } from "./kill-at-any-time.ts";

const KILLS = 20;
/** A checkpoint every second update. */
const OPTIONS = ["--epochs", "3", "--evaluate-every", "2", "--batch-size", "8", "--learning-rate", "0.01", "--dropout", "0.1"];

let folder: TrainFolder;

beforeAll(() => {
  folder = new TrainFolder();
  folder.rows("rows.jsonl", rowsOf(400, taggedRow));
});

afterAll(() => folder.remove());

it(`a training that is killed ${KILLS} times writes the same as one that is not`, async () => {
  const began = performance.now();
  expect((await folder.train("rows.jsonl", "whole", ...OPTIONS)).code).toBe(0);
  const latest = performance.now() - began;
  const whole = folder.result("whole");
  const args = folder.args("rows.jsonl", "out", ...OPTIONS);
  const seed = SEED % 2 ** 31;
  const isBegun = (): boolean => existsSync(folder.file("out.checkpoint"));
  const { kills, resumed } = await killAtAnyTime({
    args: () => args,
    latest, kills: KILLS, seed, isBegun,
    check() {
      if (!existsSync(folder.file("out")) || isBegun()) return;
      expect(folder.result("out"), `seed ${seed}`).toEqual(whole); // it came to its end: the next one begins anew
      rmSync(folder.file("out"), { recursive: true });
    },
  });
  const { code, stderr } = await program(args);
  expect(code, `${stderr} (seed ${seed})`).toBe(0);
  expect(folder.result("out"), `seed ${seed}`).toEqual(whole);
  expect(readdirSync(folder.path).filter((name) => name.startsWith("out"))).toEqual(["out"]);
  expect({ kills, resumed: resumed > 3 }, `seed ${seed}, ${resumed} resumed`).toEqual({ kills: KILLS, resumed: true });
});
