import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { train } from "../../src/cli/train.ts";

const DOCS = readFileSync("docs/train-cli.md", "utf8");

it("docs/train-cli.md: its example trains what it says", () => {
  const blocks = [...DOCS.matchAll(/^```(jsonl|sh)\n([^]*?)^```/gm)].map(([, language, text]) => ({ language, text: text! }));
  const [rows, results] = blocks.filter(({ language }) => language === "jsonl").map(({ text }) => text);
  const [training, running] = blocks.filter(({ language }) => language === "sh").map(({ text }) => [...text.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word).slice(1));
  const folder = mkdtempSync(join(tmpdir(), "rootstock-docs-"));
  writeFileSync(join(folder, "tickets.jsonl"), rows!);
  const program = (args: readonly string[]): { status: number | null; stdout: string } => spawnSync(process.execPath, [resolve("dist/cli/main.js"), ...args], { cwd: folder, encoding: "utf8" });
  expect(program(training!).status).toBe(0);
  const scores = (text: string): number[] => [...text.matchAll(/"score":([\d.]+)/g)].map(([, score]) => Number(score));
  const withoutScores = (text: string): string => text.replace(/"score":[\d.]+/g, '"score":0');
  const { stdout } = program(running!);
  expect(withoutScores(stdout)).toBe(withoutScores(results!));
  // Fused and unfused products (Deno, Node 20) come to 0.9511 and 0.9506, 0.9986 and 0.9985.
  for (const [index, score] of scores(stdout).entries()) expect(Math.abs(score - scores(results!)[index]!)).toBeLessThan(0.02);
  rmSync(folder, { recursive: true });
});

it("docs/train-cli.md: every option that it names is one", () => {
  const options = new Set(Object.keys(train.definition.args as object));
  const shown = [...DOCS.matchAll(/--([a-z][a-z-]*)/g)].map(([, name]) => name!).filter((name) => !["help", "adapter", "tokens"].includes(name));
  expect(shown.filter((name) => !options.has(name))).toEqual([]);
});
