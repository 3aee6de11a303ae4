import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TEXTS, tinyFolder } from "../convert/tiny-folder.ts";
import { seeded } from "../reliability/random.ts";
import { cases, SEED } from "../reliability/scale.ts";
import { readFolder } from "../runtime/folder.ts";
import { outcome, program, start } from "./program.ts";

const root = mkdtempSync(join(tmpdir(), "rootstock-convert-kill-"));
const source = join(root, "source");
const texts = join(root, "texts.txt");

let whole: Map<string, Uint8Array>;
/** Milliseconds that a run takes that is not disturbed. */
let latest: number;

beforeAll(async () => {
  mkdirSync(source);
  for (const [name, bytes] of tinyFolder("bert")) writeFileSync(join(source, name), bytes);
  writeFileSync(texts, TEXTS.join("\n"));
  const began = performance.now();
  const { code, stderr } = await program(args(join(root, "whole")));
  latest = performance.now() - began;
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.anything() as unknown });
  whole = readFolder(join(root, "whole"));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

const args = (target: string): string[] => ["convert", source, target, "--calibrate", texts];

function expectWhole(target: string): void {
  const files = readFolder(target);
  expect([...files.keys()].sort()).toEqual([...whole.keys()].sort());
  for (const [name, bytes] of whole) expect(Buffer.compare(files.get(name)!, bytes), name).toBe(0);
}

describe("convert", () => {
  it("killed at any moment: the target is whole or not there, and the next run makes it", { timeout: 600_000 }, async () => {
    const random = seeded(SEED);
    const target = join(root, "killed");
    let wholes = 0;
    const kills = cases(6, 100);
    for (let kill = 0; kill < kills; kill++) {
      // The last part of the run, in which files are written, gets half of the kills.
      const delay = kill % 2 === 0 ? random() * latest : latest * (0.8 + 0.25 * random());
      const child = start(args(target));
      const ended = outcome(child);
      await Promise.race([setTimeout(delay), ended]);
      child.kill("SIGKILL");
      await ended;
      if (!existsSync(target)) continue;
      expectWhole(target);
      wholes++;
      rmSync(target, { recursive: true });
    }
    expect(wholes).toBeLessThan(kills);
    expect((await program(args(target))).code).toBe(0);
    expectWhole(target);
    // What killed runs left lies beside the target, under names that say so.
    const known = ["source", "texts.txt", "whole", "killed"];
    for (const name of readdirSync(root)) if (!known.includes(name)) expect(name).toMatch(/^killed\.partial-/);
  });

  it("on a full disk: says target-unwritable, leaves nothing, and works where there is room", async () => {
    const target = join(root, "full");
    const before = readdirSync(root).sort();
    const bytes = Math.max(...[...whole.values()].map(({ length }) => length));
    // A limit on the size of files stands for the disk: from one block to just below the largest file. dash counts in 512 bytes.
    for (const blocks of [1, 3, Math.floor(bytes / 1024) - 4, Math.floor(bytes / 1024) - 1]) {
      const child = spawn("sh", ["-c", `ulimit -f ${blocks} && exec "$0" "$@"`, process.execPath, "dist/cli/main.js", ...args(target)]);
      const { code, stderr } = await outcome(child);
      expect(stderr).toMatch(/rootstock: target-unwritable: .*full could not be written: .*Nothing was left behind/);
      expect(code).toBe(1);
      expect(readdirSync(root).sort()).toEqual(before);
    }
    expect((await program(args(target))).code).toBe(0);
    expectWhole(target);
    expect(readFileSync(join(source, "model.safetensors")).equals(tinyFolder("bert").get("model.safetensors")!)).toBe(true);
  });
});
