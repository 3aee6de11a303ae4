import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { outcome, program, start } from "../../cli/program.ts";
import { TEXTS, tinyFolder } from "../../convert/tiny-folder.ts";
import { seeded } from "../../reliability/random.ts";
import { cases, SEED } from "../../reliability/scale.ts";
import { readFolder } from "../../runtime/folder.ts";

const root = mkdtempSync(join(tmpdir(), "rootstock-convert-kill-"));
const source = join(root, "source");
const texts = join(root, "texts.txt");
const args = (target: string): string[] => ["convert", source, target, "--calibrate", texts];

beforeAll(() => {
  mkdirSync(source);
  for (const [name, bytes] of tinyFolder("bert")) writeFileSync(join(source, name), bytes);
  writeFileSync(texts, TEXTS.join("\n"));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

it("convert, killed at any time: the target is whole or not there, and the next run makes it", async () => {
  const began = performance.now();
  expect((await program(args(join(root, "whole")))).code).toBe(0);
  const latest = performance.now() - began;
  const whole = readFolder(join(root, "whole"));
  const expectWhole = (): void => {
    const files = readFolder(target);
    expect([...files.keys()].sort()).toEqual([...whole.keys()].sort());
    for (const [name, bytes] of whole) expect(Buffer.compare(files.get(name)!, bytes), name).toBe(0);
  };
  const random = seeded(SEED);
  const target = join(root, "killed");
  const kills = cases(1, 100);
  let wholes = 0;
  for (let kill = 0; kill < kills; kill++) {
    // The last part of the run, in which files are written, gets half of the kills.
    const delay = kill % 2 === 0 ? random() * latest : latest * (0.8 + 0.25 * random());
    const child = start(args(target));
    const ended = outcome(child);
    await Promise.race([setTimeout(delay), ended]);
    child.kill("SIGKILL");
    await ended;
    if (!existsSync(target)) continue;
    expectWhole();
    wholes++;
    rmSync(target, { recursive: true });
  }
  expect(wholes).toBeLessThan(kills);
  expect((await program(args(target))).code).toBe(0);
  expectWhole();
  // What killed runs left lies beside the target, under names that say so.
  const known = ["source", "texts.txt", "whole", "killed"];
  for (const name of readdirSync(root)) if (!known.includes(name)) expect(name).toMatch(/^killed\.partial-/);
});
