import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readConfig } from "../../src/cli/pretrain/config.ts";

const PEOPLE = ["Ana Ruiz", "Omar", "Mr. O'Neill", "Li Wei", "Zoë Håkansson"];
const PLACES = ["Lisbon", "New Zealand", "Łódź", "São Paulo", "Ulaanbaatar"];
const FRAMES = ["@P flew to @L yesterday .", "In @L , @P opened a café ☕ .", "@P's mother lives near @L !", "Nobody in @L had met @P before ."];

/** A sentence with the tags of its people and places. */
export function sentence(index: number): { text: string; tokens: string[]; tags: string[]; label: string } {
  const [tokens, tags]: [string[], string[]] = [[], []];
  for (const word of FRAMES[index % FRAMES.length]!.split(" ")) {
    const name = word.startsWith("@P") ? PEOPLE[(index * 3) % PEOPLE.length]! + word.slice(2) : word.startsWith("@L") ? PLACES[(index * 2) % PLACES.length]! + word.slice(2) : null;
    const type = word.startsWith("@P") ? "person" : "place";
    for (const [i, part] of (name ?? word).split(" ").entries()) {
      tokens.push(part);
      tags.push(name === null ? "O" : `${i === 0 ? "B" : "I"}-${type}`);
    }
  }
  return { text: tokens.join(" "), tokens, tags, label: index % 4 === 3 ? "stays" : "goes" };
}

export interface Experiment {
  readonly folder: string;
  readonly results: string;
  /** Runs a script of bench/mtpf with this data, these runs and results. */
  script(name: string, args: readonly string[]): { status: number | null; stdout: string; stderr: string };
}

/** Two small tasks, and a run "task-primary-1" whose encoder is the shipped one and whose adapters are two shipped ones. */
export function smallExperiment(): Experiment {
  const folder = mkdtempSync(join(tmpdir(), "rootstock-mtpf-"));
  const data = join(folder, "data");
  const write = (task: string, name: string, lines: readonly unknown[]): void => {
    mkdirSync(join(data, task), { recursive: true });
    writeFileSync(join(data, task, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  };
  const splits = { train: [0, 40], dev: [40, 60], test: [60, 90] } as const;
  for (const [split, [first, end]] of Object.entries(splits)) {
    const rows = Array.from({ length: end - first }, (_, i) => sentence(first + i));
    write("names", `${split}.jsonl`, rows.map(({ text, tokens, tags }) => ({ text, tokens, tags })));
    write("moves", `${split}.jsonl`, rows.map(({ text, label }) => ({ text, label })));
  }
  write("names", "labels.json", [["person", "place"]]);
  write("moves", "labels.json", [["goes", "stays"]]);
  writeFileSync(join(data, "tasks.json"), JSON.stringify({ moves: { kind: "tc" }, names: { kind: "ner" } }));

  const run = join(folder, "runs", "task-primary-1");
  const none = join(folder, "runs", "none");
  for (const path of [run, none]) mkdirSync(path, { recursive: true });
  symlinkSync(resolve("models/mtpf-minilm-l6"), join(none, "int8"));
  symlinkSync(resolve("models/mtpf-minilm-l6"), join(run, "encoder"));
  symlinkSync(resolve("models/mtpf-minilm-l6"), join(run, "int8"));
  cpSync("models/adapters/wikigold", join(run, "ner"), { recursive: true });
  cpSync("models/adapters/banking77", join(run, "tc"), { recursive: true });
  const parts = [{ part: "layer 0", cosine: 0.1, ratio: 0.5, ner: null, tc: null }];
  const { settings } = readConfig("bench/mtpf/task-primary.json", { seed: 1 });
  const history = { settings, tokens: 1000, seconds: 3.4, build: "train-fixed", probes: [{ step: 1, batches: 1, parts }] };
  writeFileSync(join(run, "history.json"), JSON.stringify(history));

  const results = join(folder, "results");
  const given = ["--data", data, "--runs", join(folder, "runs"), "--results", results];
  return {
    folder, results,
    script: (name, args) => spawnSync(process.execPath, [`bench/mtpf/${name}.mjs`, ...args, ...given], { encoding: "utf8" }),
  };
}
