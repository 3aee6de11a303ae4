import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TEXTS, tinyFolder } from "../convert/tiny-folder.ts";
import { cases } from "../reliability/scale.ts";
import { readFolder } from "../runtime/folder.ts";
import { changesOf, endedAt } from "./end-at.ts";
import { outcome, program } from "./program.ts";

const root = mkdtempSync(join(tmpdir(), "rootstock-convert-kill-"));
const source = join(root, "source");
const texts = join(root, "texts.txt");

let whole: Map<string, Uint8Array>;

beforeAll(async () => {
  mkdirSync(source);
  for (const [name, bytes] of tinyFolder("bert")) writeFileSync(join(source, name), bytes);
  writeFileSync(texts, TEXTS.join("\n"));
  const { code, stderr } = await program(args(join(root, "whole")));
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
  // At any time: tests/slow/kills.
  it("killed between any two changes of the file system: the target is whole or not there, and the next run makes it", async () => {
    const target = join(root, "killed");
    const { outcome: undisturbed, changes } = await changesOf(args(join(root, "counted")), join(root, "count"));
    expect(undisturbed.code).toBe(0);
    rmSync(join(root, "counted"), { recursive: true });
    // The folder, each of its files opened, written and flushed, and its last name at the end.
    expect(changes).toBeGreaterThan(3 * whole.size);
    for (let at = 1; at <= changes; at += cases(5, 1)) {
      expect((await endedAt(args(target), { signal: "SIGKILL", at })).code, `killed before call ${at}`).toBeNull();
      expect(existsSync(target)).toBe(false);
    }
    expect((await endedAt(args(target), { signal: "SIGKILL", at: changes })).code).toBeNull();
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
