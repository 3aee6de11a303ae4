import { spawn } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CheckpointFile } from "../../src/cli/train/checkpoint-file.ts";
import { prepareTarget, replaceFolder, trainPaths } from "../../src/cli/train/target.ts";
import { trainAdapter } from "../../src/finetune/index.ts";
import type { CheckpointStore, TrainingOptions } from "../../src/finetune/types.ts";
import { loadEncoder } from "../../src/index.ts";
import { endedAt } from "./end-at.ts";
import { outcome, program } from "./program.ts";
import { rowsOf, taggedRow, TrainFolder } from "./train-folder.ts";

const OPTIONS = ["--epochs", "40", "--evaluate-every", "5", "--learning-rate", "0.01"];

let folder: TrainFolder;

beforeAll(async () => {
  folder = new TrainFolder();
  folder.rows("rows.jsonl", rowsOf(200, taggedRow));
  expect((await folder.train("rows.jsonl", "whole", ...OPTIONS)).code).toBe(0);
  // What Ctrl-C leaves, for the tests below.
  const { code, stdout, stderr } = await endedAt(folder.args("rows.jsonl", "out", ...OPTIONS), { signal: "SIGINT", at: 2, call: "rename" });
  expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
  expect(stderr.split("\n").slice(1)).toEqual([`what was done is kept in ${folder.file("out.checkpoint")}; the same command goes on`, ""]);
  expect(readdirSync(folder.path).filter((name) => name.startsWith("out"))).toEqual(["out.checkpoint"]);
  renameSync(folder.file("out.checkpoint"), folder.file("kept"));
});

afterEach(() => {
  for (const name of readdirSync(folder.path)) if (name.startsWith("out")) rmSync(folder.file(name), { recursive: true });
});

afterAll(() => folder.remove());

function interrupted(): string {
  copyFileSync(folder.file("kept"), folder.file("out.checkpoint"));
  return folder.file("out.checkpoint");
}

function expectWhole(): void {
  expect(folder.result("out")).toEqual(folder.result("whole"));
  expect(readdirSync(folder.path).filter((name) => name.startsWith("out"))).toEqual(["out"]);
}

describe("a training that was ended by Ctrl-C", () => {
  it("goes on, says so, and writes the same bits", async () => {
    interrupted();
    const { code, stderr } = await folder.train("rows.jsonl", "out", ...OPTIONS);
    expect(stderr).toMatch(/^going on from .*out\.checkpoint\nno --dev/);
    expect(code).toBe(0);
    expectWhole();
  });

  it("goes on past a checkpoint and a folder that were being written", async () => {
    writeFileSync(`${interrupted()}.new`, "half");
    mkdirSync(folder.file("out.train-partial"));
    writeFileSync(folder.file("out.train-partial/adapter_model.safetensors"), "half");
    expect((await folder.train("rows.jsonl", "out", ...OPTIONS)).code).toBe(0);
    expectWhole();
  });

  it("begins anew with --restart", async () => {
    interrupted();
    const { code, stderr } = await folder.train("rows.jsonl", "out", ...OPTIONS, "--restart");
    expect(stderr).toMatch(/^no --dev[^\n]*\n$/);
    expect(code).toBe(0);
    expectWhole();
  });

  it.each<[string, string[], RegExp]>([
    ["other settings", ["--rank", "4"], /whose rank was 8 and is 4\./],
    ["another dropout", ["--dropout", "0"], /whose dropout was 0\.1 and is 0\./],
    ["another dropout of LoRA", ["--lora-dropout", "0.1"], /whose loraDropout was 0 and is 0\.1\./],
    ["another seed", ["--seed", "2"], /whose seed was 1 and is 2\./],
    ["another name", ["--task", "other"], /whose name was "tiny" and is "other"\./],
    ["dev rows of its own", ["--no-dev"], /whose train was \{"rows":180,.* and is \{"rows":200,/],
  ])("is not gone on with %s: what differs is said, and the checkpoint stays", async (_, more, words) => {
    const path = interrupted();
    const { code, stderr } = await folder.train("rows.jsonl", "out", ...OPTIONS, ...more);
    expect(stderr).toContain("rootstock: checkpoint-invalid: ");
    expect(stderr).toContain("Give what was given then, or --restart to train anew.");
    expect(stderr).toMatch(words);
    expect(code).toBe(1);
    expect(readFileSync(path).equals(readFileSync(folder.file("kept")))).toBe(true);
  });

  it("is not gone on with over other rows", async () => {
    interrupted();
    folder.rows("rows.jsonl", rowsOf(200, taggedRow, 1));
    const { code, stderr } = await folder.train("rows.jsonl", "out", ...OPTIONS);
    folder.rows("rows.jsonl", rowsOf(200, taggedRow));
    expect(stderr).toMatch(/checkpoint-invalid: .*whose train was .*"digest":"sha256:/);
    expect(code).toBe(1);
  });

  it.each<[string, (path: string) => void]>([
    ["cut short", (path) => writeFileSync(path, readFileSync(path).subarray(0, 5000))],
    ["empty", (path) => writeFileSync(path, "")],
    ["longer", (path) => appendFileSync(path, "x")],
    ["changed in one bit", (path) => {
      const bytes = readFileSync(path);
      bytes[statSync(path).size >> 1]! ^= 1;
      writeFileSync(path, bytes);
    }],
  ])("is not gone on with from a checkpoint that is %s", async (_, damage) => {
    damage(interrupted());
    const { code, stderr } = await folder.train("rows.jsonl", "out", ...OPTIONS);
    expect(stderr).toMatch(/rootstock: digest-mismatch: .*out\.checkpoint is damaged: its SHA-256 differs\. The run cannot go on; begin anew with --restart\.\n$/);
    expect(code).toBe(1);
  });
});

it("training ended anywhere, in an evaluation too, comes to the same bits", async () => {
  const encoder = await loadEncoder(folder.file("encoder"));
  const data = { name: "tiny", train: rowsOf(40, taggedRow), dev: rowsOf(20, taggedRow, 300) };
  const options: TrainingOptions = { epochs: 2, batchSize: 8, evaluateEvery: 3, dropout: 0.1, loraDropout: 0.1, learningRate: 0.01 };
  let calls = 0;
  const whole = await trainAdapter(encoder, data, { ...options, onProgress: () => void calls++ });
  expect(calls).toBeGreaterThan(15);
  let ended = 0;
  for (let at = 1; at <= calls; at++) {
    let blob: Uint8Array | null = null;
    const checkpoint: CheckpointStore = { read: async () => blob, write: async (bytes) => void (blob = bytes) };
    const end = new AbortController();
    let count = 0;
    const first = trainAdapter(encoder, data, { ...options, checkpoint, signal: end.signal, onProgress: () => void (++count === at && end.abort()) });
    const error = await first.then(() => null, (reason: unknown) => reason);
    if (error !== null) {
      ended++;
      expect(error, `ended at call ${at}`).toBe(end.signal.reason);
      expect(blob, `ended at call ${at}`).not.toBeNull();
    }
    const { files, history } = await trainAdapter(encoder, data, { ...options, checkpoint });
    expect(Buffer.from(files.get("adapter_model.safetensors")!).equals(whole.files.get("adapter_model.safetensors")!), `ended at call ${at}`).toBe(true);
    expect({ ...history, seconds: 0 }).toEqual({ ...whole.history, seconds: 0 });
  }
  expect(ended).toBeGreaterThan(15);
  encoder.dispose();
});

describe("a disk that is full", () => {
  it("ends training with a clear word and nothing half written; what there was before stays", async () => {
    mkdirSync(folder.file("out"));
    // A limit on the size of files stands for the disk; dash counts in 512 bytes, bash in 1024.
    const child = spawn("sh", ["-c", 'ulimit -f 20 && exec "$0" "$@"', process.execPath, "dist/cli/main.js", ...folder.args("rows.jsonl", "out", ...OPTIONS)]);
    const { code, stderr } = await outcome(child);
    expect(stderr).toMatch(/\nrootstock: target-unwritable: .*out\.checkpoint could not be written: .*\n$/);
    expect(code).toBe(1);
    expect(readdirSync(folder.path).filter((name) => name.startsWith("out"))).toEqual(["out"]);
    expect(readdirSync(folder.file("out"))).toEqual([]);
    expect((await folder.train("rows.jsonl", "out", ...OPTIONS)).code).toBe(0);
    expectWhole();
  });

  it("leaves the checkpoint before it", async () => {
    const file = new CheckpointFile(folder.file("out.checkpoint"));
    await file.write(new Uint8Array([1, 2, 3]));
    mkdirSync(`${file.path}.new`); // in the way
    await expect(file.write(new Uint8Array([4]))).rejects.toMatchObject({ code: "target-unwritable" });
    rmSync(`${file.path}.new`, { recursive: true, force: true });
    expect([...(await file.read())!]).toEqual([1, 2, 3]);
    expect(await new CheckpointFile(folder.file("out.nothing")).read()).toBeNull();
  });

  it("leaves the folder that was to be replaced", async () => {
    const paths = trainPaths(`${folder.file("out")}/`);
    await prepareTarget(paths);
    await replaceFolder(paths, new Map([["a", new Uint8Array([1])]]));
    await expect(replaceFolder(paths, new Map([["a", new Uint8Array([2])], ["no/such/folder", new Uint8Array(1)]]))).rejects.toMatchObject({ code: "target-unwritable" });
    expect([...readFileSync(folder.file("out/a"))]).toEqual([1]);
    expect(readdirSync(folder.path).filter((name) => name.startsWith("out"))).toEqual(["out"]);
    await replaceFolder(paths, new Map([["b", new Uint8Array([3])]]));
    expect(readdirSync(folder.file("out"))).toEqual(["b"]);
  });
});

it("a folder in the making, ended between any two steps, is finished by the next run", async () => {
  const whole = folder.result("whole");
  for (const leave of ["nothing more", "the folder put aside", "both"]) {
    interrupted();
    // An older result stands there, which --restart was to replace.
    mkdirSync(folder.file(leave === "nothing more" ? "out" : "out.train-old"));
    writeFileSync(folder.file(leave === "nothing more" ? "out/config.json" : "out.train-old/config.json"), "{}");
    if (leave === "both") {
      mkdirSync(folder.file("out"));
      writeFileSync(folder.file("out/config.json"), "{}");
    }
    expect((await program(folder.args("rows.jsonl", "out", ...OPTIONS))).code, leave).toBe(0);
    expect(folder.result("out"), leave).toEqual(whole);
    expect(readdirSync(folder.path).filter((name) => name.startsWith("out")), leave).toEqual(["out"]);
    rmSync(folder.file("out"), { recursive: true });
  }
});
