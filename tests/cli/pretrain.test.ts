import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readConfig } from "../../src/cli/pretrain/config.ts";
import type { PretrainingHistory } from "../../src/pretrain/types.ts";
import { DATA, ENCODER, OPTIONS } from "../pretrain/tiny-run.ts";
import { endedAt } from "./end-at.ts";
import { outcome, program, start } from "./program.ts";

const root = mkdtempSync(join(tmpdir(), "rootstock-pretrain-"));
const at = (...names: string[]): string => join(root, ...names);
const lines = (rows: unknown): string => (rows as object[]).map((row) => JSON.stringify(row)).join("\n");

beforeAll(() => {
  mkdirSync(at("encoder"));
  mkdirSync(at("runs"));
  for (const [name, bytes] of ENCODER) writeFileSync(at("encoder", name), bytes);
  writeFileSync(at("ner.jsonl.gz"), gzipSync(lines(DATA.ner[0]!.rows)));
  writeFileSync(at("pairs.jsonl"), `\n${lines(DATA.pairs[0]!.rows)}\n`);
  write("base.json", { encoder: "encoder", data: { ner: ["ner.jsonl.gz"], pairs: ["pairs.jsonl"] }, ...OPTIONS });
  write("runs/a.json", { extends: "../base.json", output: "out", steps: 12, checkpointEvery: 1, probe: { every: 4 }, writesHead: true });
});

beforeEach(() => {
  for (const name of readdirSync(at("runs"))) if (name.startsWith("out")) rmSync(at("runs", name), { recursive: true });
});

afterAll(() => rmSync(root, { recursive: true }));

function write(name: string, fields: object | string): string {
  writeFileSync(at(name), typeof fields === "string" ? fields : JSON.stringify(fields));
  return at(name);
}

/** Every file below a folder, by its path, but the history, which says how long it took. */
function filesIn(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true }).map(String).toSorted().filter((name) => statSync(join(folder, name)).isFile() && !/^(history\.json|report\.html)$/.test(name)).map((name) => [name, readFileSync(join(folder, name)).toString("hex")]);
}

/** Runs runs/a.json with one checkpoint, and ends it right before the third removal: the first two are of a checkpoint's unfinished form, this is its own. */
async function killAfterOutput(): Promise<void> {
  const once = write("runs/once.json", { extends: "a.json", checkpointEvery: 12 });
  expect((await endedAt(["pretrain", once], { signal: "SIGKILL", at: 3, call: "rm" })).code).toBeNull();
  expect(["out", "out.checkpoint"].filter((name) => existsSync(at("runs", name)))).toEqual(["out", "out.checkpoint"]);
}

const historyOf = (folder: string): PretrainingHistory => ({ ...(JSON.parse(readFileSync(join(folder, "history.json"), "utf8")) as PretrainingHistory), seconds: 0 });

describe("rootstock pretrain", () => {
  it("writes encoder, adapters, head, history and report, and says how it went", async () => {
    const { code, stdout, stderr } = await program(["pretrain", at("runs/a.json"), "--log", "5"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^task-primary: 12 updates, [\d,]+ tokens in \d+ s/);
    expect(stdout).toMatch(/gradients at update 12, means of 2 batches\n +cosine NER–TC +norm NER\/TC +NER–NER +TC–TC\nembeddings/);
    expect(readdirSync(at("runs/out")).toSorted()).toEqual(["encoder", "head", "history.json", "ner", "report.html", "tc"]);
    expect(readdirSync(at("runs")).filter((name) => name.startsWith("out"))).toEqual(["out"]);
    const { steps, probes, settings } = historyOf(at("runs/out"));
    expect(steps).toHaveLength(12);
    const log = [5, 10].map((step) => [`${step}/12`, ...(["ner", "tc", "accuracy"] as const).map((of) => steps[step - 1]![of]!.toFixed(3))]);
    const line = /^(\d+\/12), NER (.+), TC (.+), accuracy (.+), [\d,]+ tokens\/s, \d+:\d\d left$/;
    expect(stderr.trim().split("\n").map((text) => line.exec(text)?.slice(1))).toEqual(log);
    expect(settings.probe).toEqual({ every: 4, averageEvery: 4, batches: 2 });
    expect(probes.map(({ step }) => step)).toEqual([4, 4, 8, 8, 12, 12]);
    const embed = async (...more: string[]): Promise<string> => (await program(["embed", "w1 w2", "--encoder", at("runs/out/encoder"), ...more])).stdout;
    const [bare, ner, tc] = [await embed(), await embed("--adapter", at("runs/out/ner")), await embed("--adapter", at("runs/out/tc"))];
    expect(new Set([bare, ner, tc].map((line) => JSON.stringify(JSON.parse(line)))).size).toBe(3);
    // The folder is not written over.
    expect(await program(["pretrain", at("runs/a.json")])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^rootstock: argument-invalid: .*not an empty folder/) as unknown });
  });

  it.each<[string, string]>([
    ["in folders that are not there yet", "out-new/deep/run"],
    ["with a slash at its end", "out-slash/"],
  ])("takes an --output %s, checkpoints and all", async (_, name) => {
    const output = `${at("runs")}/${name}`;
    if (name.endsWith("/")) mkdirSync(output);
    expect(await program(["pretrain", at("runs/a.json"), "--output", output, "--steps", "2"])).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(output)).toContain("history.json");
    expect(existsSync(`${output.replace(/\/$/, "")}.checkpoint`)).toBe(false);
  });

  it("goes on after kill -9 with the same bytes", async () => {
    expect((await program(["pretrain", at("runs/a.json"), "--output", at("runs/out-whole")])).code).toBe(0);
    // Each run is killed right before the second checkpoint that it writes takes the place of its first.
    const end = { signal: "SIGKILL", at: 2, call: "rename" } as const;
    for (let kill = 0; kill < 3; kill++) {
      expect((await endedAt(["pretrain", at("runs/a.json")], end)).code).toBeNull();
      expect([existsSync(at("runs/out.checkpoint")), existsSync(at("runs/out"))]).toEqual([true, false]);
    }
    expect(await program(["pretrain", at("runs/a.json")])).toMatchObject({ code: 0, stderr: expect.stringMatching(/^going on from .*checkpoint\n/) as unknown });
    expect(filesIn(at("runs/out"))).toEqual(filesIn(at("runs/out-whole")));
    expect(historyOf(at("runs/out"))).toEqual(historyOf(at("runs/out-whole")));
    expect(readdirSync(at("runs")).filter((name) => name.startsWith("out")).toSorted()).toEqual(["out", "out-whole"]);
  });

  it("is done where it was killed with its output whole and its checkpoint still there", async () => {
    await killAfterOutput();
    const files = filesIn(at("runs/out"));
    const again = await program(["pretrain", at("runs/a.json")]);
    expect(again).toMatchObject({ code: 0, stderr: expect.stringMatching(/^going on from .*checkpoint\n$/) as unknown });
    expect(again.stdout).toContain(at("runs/out"));
    expect(existsSync(at("runs/out.checkpoint"))).toBe(false);
    expect(filesIn(at("runs/out"))).toEqual(files);
  });

  it("takes an output beside a checkpoint for its own only where both are of the run that is asked for", async () => {
    const [output, checkpoint] = [at("runs/out"), at("runs/out.checkpoint")];
    expect((await endedAt(["pretrain", at("runs/a.json"), "--output", at("runs/out-half")], { signal: "SIGKILL", at: 3, call: "rename" })).code).toBeNull();
    await killAfterOutput();
    const last = readFileSync(checkpoint);
    const refuses = async (args: readonly string[], says: RegExp): Promise<void> => {
      const [kept, files] = [readFileSync(checkpoint, "hex"), filesIn(output)];
      expect(await program(["pretrain", ...args])).toMatchObject({ code: 1, stderr: expect.stringMatching(says) as unknown });
      expect([readFileSync(checkpoint, "hex"), filesIn(output)]).toEqual([kept, files]);
    };
    await refuses([at("runs/a.json"), "--seed", "8"], /checkpoint-invalid: .*another run, not with the same settings/);
    writeFileSync(at("pairs-less.jsonl"), lines((DATA.pairs[0]!.rows as object[]).slice(1)));
    const other = write("runs/other.json", { extends: "a.json", data: { ner: ["../ner.jsonl.gz"], pairs: ["../pairs-less.jsonl"] } });
    await refuses([other], /checkpoint-invalid: .*another run, not with the same data/);
    writeFileSync(checkpoint, readFileSync(at("runs/out-half.checkpoint")));
    await refuses([at("runs/a.json")], /not an empty folder/);
    writeFileSync(checkpoint, "no checkpoint, and longer than its digest is");
    await refuses([at("runs/a.json")], /digest-mismatch/);
    writeFileSync(checkpoint, last);
    for (const history of ["{", "null", "{}", JSON.stringify({ steps: historyOf(output).steps.slice(1) })]) {
      writeFileSync(join(output, "history.json"), history);
      await refuses([at("runs/a.json")], /not an empty folder/);
    }
  });

  it("refuses a checkpoint that is damaged, or another run's, and begins without it at --restart", async () => {
    writeFileSync(at("runs/out.checkpoint"), "\x20\0\0\0\0\0\0\0{ the rest is lost, and it is longer than a digest");
    expect(await program(["pretrain", at("runs/a.json")])).toMatchObject({ code: 1, stderr: expect.stringMatching(/\nrootstock: digest-mismatch: .*begin anew with --restart\.\n$/) as unknown });
    expect(await program(["pretrain", at("runs/a.json"), "--restart"])).toMatchObject({ code: 0, stderr: "" });
    expect([existsSync(at("runs/out/history.json")), existsSync(at("runs/out.checkpoint"))]).toEqual([true, false]);
    const notes = "notes that no training wrote, which --restart would remove";
    writeFileSync(at("runs/out.checkpoint"), notes);
    rmSync(at("runs/out"), { recursive: true });
    expect(await program(["pretrain", at("runs/a.json"), "--restart"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/argument-invalid: .*out\.checkpoint is there, .* no training wrote it/) as unknown });
    expect(readFileSync(at("runs/out.checkpoint"), "utf8")).toBe(notes);
    rmSync(at("runs/out.checkpoint"));
    mkdirSync(at("runs/out.checkpoint"));
    for (const more of [[], ["--restart"]]) expect(await program(["pretrain", at("runs/a.json"), ...more])).toMatchObject({ code: 1, stderr: expect.stringMatching(/argument-invalid: .*no training wrote it/) as unknown });
    rmdirSync(at("runs/out.checkpoint"));
    expect(await program(["pretrain", at("runs/a.json")])).toMatchObject({ code: 0 });
    // A whole output is not replaced.
    expect(await program(["pretrain", at("runs/a.json"), "--restart"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/not an empty folder/) as unknown });
  });

  it("keeps a checkpoint at Ctrl-C and says so", async () => {
    const child = start(["pretrain", at("runs/a.json"), "--steps", "100000", "--log", "1"]);
    child.stdin.end();
    child.stderr.once("data", () => child.kill("SIGINT"));
    const { code, stderr } = await outcome(child);
    expect(code).toBe(130);
    expect(stderr).toMatch(/what was done is kept in .*out\.checkpoint; the same command goes on/);
    expect(existsSync(at("runs/out.checkpoint"))).toBe(true);
    expect(existsSync(at("runs/out"))).toBe(false);
  });

  it("names the file and the line of a bad row", async () => {
    writeFileSync(at("bad.jsonl"), `${lines(DATA.pairs[0]!.rows)}\n\n{"a": "x"}\n`);
    const config = write("bad.json", { extends: "base.json", output: "runs/out", data: { ner: ["ner.jsonl.gz"], pairs: ["bad.jsonl"] } });
    expect(await program(["pretrain", config])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^rootstock: data-invalid: .*bad\.jsonl, line 32: b: expected a string/) as unknown });
    writeFileSync(at("bad.jsonl"), `{"a": "x", "b": "y"}\n{"a": "x",\n`);
    expect(await program(["pretrain", config])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^rootstock: data-invalid: .*bad\.jsonl, line 2: this is not JSON/) as unknown });
  });

  it("takes a seed of 0", async () => {
    expect((await program(["pretrain", at("runs/a.json"), "--steps", "1", "--seed", "0"])).code).toBe(0);
    expect(historyOf(at("runs/out")).settings.seed).toBe(0);
  });

  it("without a file or with a number that is none: usage", async () => {
    expect((await program(["pretrain"])).code).toBe(2);
    expect((await program(["pretrain", at("base.json"), "--steps", "0"])).code).toBe(2);
  });
});

describe("a configuration", () => {
  it("takes what it extends, puts its own in place, and resolves paths where they stand", () => {
    const config = readConfig(at("runs/a.json"), { seed: 7 });
    expect(config).toMatchObject({ encoder: at("encoder"), output: at("runs/out"), data: { ner: [at("ner.jsonl.gz")], pairs: [at("pairs.jsonl")] }, checkpointEvery: 1, dtype: "F32", writesHead: true });
    expect(config.settings).toMatchObject({ seed: 7, steps: 12, probe: { every: 4, averageEvery: 4, batches: 2 }, adapter: { layers: 2, rank: 2, alpha: 16 } });
  });

  it("the experiment's configurations differ in nothing but what their names say", () => {
    const own: Readonly<Record<string, object>> = {
      "ner-only": { regime: "ner-only" }, "tc-only": { regime: "tc-only" }, naive: { regime: "naive" }, "groups-only": { regime: "groups-only" },
      "groups-only-long": { regime: "groups-only", lossWeights: { ner: 3, tc: 1 }, steps: 2720, probe: { ...readConfig("bench/mtpf/task-primary.json", {}).settings.probe, every: 40 } },
      "shared-group": { regime: "shared-group" }, pcgrad: { regime: "pcgrad" }, "naive-ner3": { regime: "naive", lossWeights: { ner: 3, tc: 1 } }, "naive-weighted": { regime: "naive", lossWeights: { ner: 9, tc: 1 } },
      "ner-only-long": { regime: "ner-only", steps: 1440 }, "tc-only-long": { regime: "tc-only", steps: 920 }, "shared-group-ner3": { regime: "shared-group", lossWeights: { ner: 3, tc: 1 } },
      "task-primary": {}, "task-primary-ner3": { lossWeights: { ner: 3, tc: 1 } }, "task-primary-ner9": { lossWeights: { ner: 9, tc: 1 } },
      shipped: { lossWeights: { ner: 3, tc: 1 }, steps: 2720, probe: { ...readConfig("bench/mtpf/task-primary.json", {}).settings.probe, every: 40 } },
      "task-primary-k1": { adapter: { layers: 1 } }, "task-primary-k2": { adapter: { layers: 2 } }, "task-primary-r16": { adapter: { rank: 16, alpha: 32 } }, "task-primary-t10": { pairs: { temperature: 0.1 } },
    };
    const names = readdirSync("bench/mtpf").filter((name) => name.endsWith(".json") && name !== "base.json").map((name) => name.slice(0, -5));
    expect(names.toSorted()).toEqual(Object.keys(own).toSorted());
    const base = readConfig("bench/mtpf/task-primary.json", {}).settings;
    for (const name of names) {
      const { settings } = readConfig(join("bench/mtpf", `${name}.json`), {});
      const { adapter, pairs, ...rest } = own[name] as { adapter?: object; pairs?: object };
      expect(settings, name).toEqual({ ...base, ...rest, adapter: { ...base.adapter, ...adapter }, pairs: { ...base.pairs, ...pairs } });
    }
  });

  it.each<[string, object | string, string, RegExp]>([
    ["an unknown field", { extends: "base.json", stepz: 1 }, "config-invalid", /stepz: there is no such field/],
    ["an unknown field of a setting", { extends: "base.json", output: "o", pairs: { size: 3 } }, "config-invalid", /pairs: size: there is no such setting/],
    ["an unknown kind of data", { extends: "base.json", output: "o", data: { tc: [] } }, "config-invalid", /data: tc: there is no such field/],
    ["no output", { extends: "base.json" }, "config-invalid", /output: expected a string, found nothing/],
    ["a dtype", { extends: "base.json", output: "o", dtype: "I8" }, "config-invalid", /dtype: expected one of F32, F16/],
    ["a number out of range", { extends: "base.json", output: "o", warmup: 2 }, "config-invalid", /warmup: expected a number from 0 to 1/],
    ["a field twice", '{ "seed": 1, "seed": 2 }', "config-invalid", /"seed" occurs twice/],
    ["no JSON", "seed: 1", "config-invalid", /not JSON/],
    ["a file that extends itself", { extends: "wrong.json" }, "config-invalid", /in a circle/],
    ["a base that is not there", { extends: "gone.json" }, "source-missing", /gone\.json is not there/],
    ["a prototype", '{ "extends": "base.json", "output": "o", "__proto__": { "steps": 1 } }', "config-invalid", /__proto__: there is no such field/],
  ])("%s is refused", (_, fields, code, says) => {
    const path = write("wrong.json", fields);
    expect(() => readConfig(path, {})).toThrow(expect.objectContaining({ code, message: expect.stringMatching(says) as unknown }));
  });
});
