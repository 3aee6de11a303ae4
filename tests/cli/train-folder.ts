import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TrainingHistory } from "../../src/finetune/types.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";
import { tinyText } from "./annotate-folder.ts";
import { program, type Outcome } from "./program.ts";

/** A temporary folder with a tiny encoder, and rows that can be learned. */
export class TrainFolder {
  readonly path = mkdtempSync(join(tmpdir(), "rootstock-train-"));

  constructor() {
    mkdirSync(this.file("encoder"));
    for (const [name, bytes] of tinyFolder("bert")) writeFileSync(this.file(`encoder/${name}`), bytes);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.file(name), content);
    return this.file(name);
  }

  rows(name: string, rows: readonly unknown[]): string {
    return this.write(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  }

  args(data: string, out: string, ...more: string[]): string[] {
    const task = more.includes("--task") ? [] : ["--task", "tiny"];
    return ["train", ...task, "--data", data === "-" ? data : this.file(data), "--out", this.file(out), "--encoder", this.file("encoder"), ...more];
  }

  train(data: string, out: string, ...more: string[]): Promise<Outcome> {
    return program(this.args(data, out, ...more));
  }

  /** What was written, but for the times in it. */
  result(out: string): Record<string, string> {
    const { history, ...files } = this.files(out);
    return { ...files, "history.json": JSON.stringify({ ...(JSON.parse(history!) as TrainingHistory), seconds: 0 }) };
  }

  /** Files without a time: the adapter itself. Under "history": history.json as it is. */
  files(out: string): Record<string, string> {
    const read = (name: string): string => readFileSync(this.file(`${out}/${name}`)).toString("latin1");
    const timeless = readdirSync(this.file(out)).filter((name) => !["README.md", "history.json", "report.html"].includes(name));
    return { ...Object.fromEntries(timeless.sort().map((name) => [name, read(name)])), history: readFileSync(this.file(`${out}/history.json`), "utf8") };
  }

  history(out: string): TrainingHistory {
    return JSON.parse(readFileSync(this.file(`${out}/history.json`), "utf8")) as TrainingHistory;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const numberOf = (word: string): number => Number(word.slice(1));

/** Whether more than half of the words have numbers below 20. */
export function labelRow(n: number): { text: string; label: string } {
  const text = tinyText(n);
  const words = text.split(" ");
  return { text, label: words.filter((word) => numberOf(word) < 20).length * 2 > words.length ? "low" : "high" };
}

/** Of three ranges of words those that have more than a quarter of the text. */
export function labelsRow(n: number): { text: string; labels: string[] } {
  const text = tinyText(n);
  const words = text.split(" ").map(numberOf);
  const isMany = (from: number, to: number): boolean => words.filter((word) => word >= from && word < to).length * 4 > words.length;
  return { text, labels: [...(isMany(0, 14) ? ["small"] : []), ...(isMany(14, 28) ? ["middle"] : []), ...(isMany(28, 40) ? ["large"] : [])] };
}

/** Words below 8 are of a type A, and those from 30 on of a type B; neighbours of one type are one entity. */
export function taggedRow(n: number): { tokens: string[]; tags: string[] } {
  const tokens = tinyText(n).split(" ");
  const types = tokens.map((word) => (numberOf(word) < 8 ? "A" : numberOf(word) >= 30 ? "B" : null));
  return { tokens, tags: types.map((type, at) => (type === null ? "O" : `${type === types[at - 1] ? "I" : "B"}-${type}`)) };
}

/** The same with offsets. */
export function spansRow(n: number): { text: string; spans: { start: number; end: number; label: string }[] } {
  const { tokens, tags } = taggedRow(n);
  const spans: { start: number; end: number; label: string }[] = [];
  let at = 0;
  for (const [index, token] of tokens.entries()) {
    const tag = tags[index]!;
    if (tag.startsWith("B-")) spans.push({ start: at, end: at + token.length, label: tag.slice(2) });
    else if (tag.startsWith("I-")) spans.at(-1)!.end = at + token.length;
    at += token.length + 1;
  }
  return { text: tokens.join(" "), spans };
}

export function rowsOf<T>(count: number, make: (n: number) => T, from = 0): T[] {
  return Array.from({ length: count }, (_, index) => make(from + index));
}
