import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadEncoder, type Results, type RunOptions } from "../../src/index.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";
import { jsonLines, program, ROOT, type Outcome } from "./program.ts";

const ADAPTERS = { kind: ["bert-odd-seq", ["x", "y", "z"]], names: ["bert-odd-token", ["O", "B-A", "I-A", "B-B", "I-B"]] } as const;

export interface ErrorRow {
  line: number | null;
  row: number;
  code: string;
  reason: string;
}

/** A temporary folder with a tiny encoder and two adapters: `kind`, a classifier of 3 labels, and `names`, an NER head. */
export class AnnotateFolder {
  readonly path = mkdtempSync(join(tmpdir(), "rootstock-annotate-"));

  constructor() {
    mkdirSync(this.file("encoder"));
    for (const [name, bytes] of tinyFolder("bert")) writeFileSync(this.file(`encoder/${name}`), bytes);
    for (const [name, [folder, labels]] of Object.entries(ADAPTERS)) {
      cpSync(`${ROOT}tests/golden/peft/adapters/${folder}`, this.file(name), { recursive: true });
      writeFileSync(this.file(`${name}/config.json`), JSON.stringify({ id2label: Object.fromEntries(labels.entries()) }));
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.file(name), content);
    return this.file(name);
  }

  read(name: string): string {
    return readFileSync(this.file(name), "utf8");
  }

  lines<T>(name: string): T[] {
    return jsonLines<T>(this.read(name));
  }

  /** A file of `count` rows {n, text}. */
  rows(name: string, count: number): string {
    return this.write(name, Array.from({ length: count }, (_, n) => `${JSON.stringify({ n, text: tinyText(n) })}\n`).join(""));
  }

  /** The same, of which every thousandth line is no JSON. */
  rowsAndBad(name: string, count: number): string {
    return this.write(name, Array.from({ length: count }, (_, n) => (n % 1000 === 7 ? `bad ${n}\n` : `${JSON.stringify({ n, text: tinyText(n) })}\n`)).join(""));
  }

  args(input: string, output: string, ...more: string[]): string[] {
    const at = (name: string): string => (name === "-" ? name : this.file(name));
    const adapters = Object.keys(ADAPTERS).flatMap((name) => ["--adapter", `${name}=${this.file(name)}`]);
    const tasks = more.includes("--tasks") ? [] : ["--tasks", "kind,names"];
    const workers = more.includes("--workers") ? [] : ["--workers", "1"];
    return ["annotate", at(input), "--output", at(output), "--encoder", this.file("encoder"), ...adapters, ...tasks, ...workers, ...more];
  }

  annotate(input: string, output: string, ...more: string[]): Promise<Outcome> {
    return program(this.args(input, output, ...more));
  }

  /** What the library itself says of texts. */
  async expected(texts: readonly (string | string[])[], options: RunOptions = {}): Promise<Results[]> {
    const encoder = await loadEncoder(this.file("encoder"));
    const tasks = Object.keys(ADAPTERS);
    for (const name of tasks) await encoder.addAdapter(name, this.file(name));
    const results = await encoder.runBatch(texts.map((text) => (typeof text === "string" ? { text, tasks } : { tokens: text, tasks })), options);
    encoder.dispose();
    return results;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** 3 to 14 words of the tiny tokenizer, another text for each n below some hundreds. */
export function tinyText(n: number): string {
  return Array.from({ length: 3 + (n % 12) }, (_, word) => `w${(n * 7 + word * 11 + Math.floor(n / 40)) % 40}`).join(" ");
}
