import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createTokenizer } from "../../src/text/tokenizer.ts";
import { golden, productsOf, type CaseResult } from "../runtimes/determinism/golden.ts";
import { findEngine, runScript } from "../runtimes/engines.mjs";

// The quick part of tests/runtimes: the Node that runs this, and Deno, whose engine has relaxed SIMD.
const SCRIPT = "tests/runtimes/determinism/script.mjs";
const TEXTS = 20;

it.each([
  ["this Node", { command: [process.execPath] }],
  ["Deno", findEngine("deno")],
] as const)("%s has the golden bits in logits, hidden states, sentence vectors and results", (name, engine) => {
  if ("absent" in engine) throw new Error(engine.absent);
  const result = JSON.parse(runScript(engine, SCRIPT, [String(TEXTS)])) as CaseResult;
  expect(result.texts).toBe(TEXTS);
  const products = productsOf(result);
  if (name === "Deno") expect(products.map(([product]) => product)).toEqual(["fixed", "rel1", "rel2"]);
  expect(products.length).toBeGreaterThan(0);
  for (const [product, hashes] of products) expect(hashes, product).toEqual(golden[TEXTS]);
});

it("the texts are 200, all different, of many lengths and scripts, with the ids that the tokeniser gives", () => {
  const texts = JSON.parse(readFileSync("tests/runtimes/determinism/texts.json", "utf8")) as { text: string; ids: number[] }[];
  expect(new Set(texts.map(({ text }) => text)).size).toBe(200);
  const read = (file: string): unknown => JSON.parse(readFileSync(`models/mtpf-minilm-l6/${file}`, "utf8"));
  const tokenizer = createTokenizer(read("tokenizer.json"), read("tokenizer_config.json"));
  for (const { text, ids } of texts) expect([...tokenizer.encode(text, { maxTokens: 512 }).ids]).toEqual(ids);
  const lengths = texts.map(({ ids }) => ids.length);
  expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([3, 512]);
  const all = texts.map(({ text }) => text).join(" ");
  for (const script of ["Latin", "Greek", "Cyrillic", "Arabic", "Hebrew", "Devanagari", "Tamil", "Thai", "Han", "Hiragana", "Katakana", "Hangul", "Georgian", "Armenian", "Ethiopic", "Gothic"]) {
    expect(all, script).toMatch(new RegExp(`\\p{Script=${script}}`, "u"));
  }
  expect(all).toMatch(/\p{Extended_Pictographic}\u200d\p{Extended_Pictographic}/u);
});
