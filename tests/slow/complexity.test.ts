import { describe, expect, it } from "vitest";
import type { TextTokenizer } from "../../src/text/tokenizer.ts";
import { record } from "../reliability/record.ts";
import { miniLm, tokenizersOf } from "../unit/text/goldens.ts";

/** The most that doubling a text may cost: 2^1.2 = 2.3 times. */
const MAX_EXPONENT = 1.2;
const SIZES = [16, 32, 64, 128, 256, 512].map((kibi) => kibi << 10);
const RUNS = 5;

/** Texts of `units` UTF-16 units, of kinds that have been quadratic somewhere. */
const FAMILIES: readonly (readonly [string, (units: number) => string])[] = [
  ["one letter", (units) => "a".repeat(units)],
  ["words of 100 letters without a match", (units) => `${"qxzjk".repeat(20)} `.repeat(units / 101)],
  ["alternating marks", (units) => `a${"\u0301\u0323".repeat(units / 2)}`],
  ["punctuation", (units) => "!?".repeat(units / 2)],
  ["white space", (units) => `${" \n".repeat(units / 2)}a`],
  ["ideographs without spaces", (units) => "中文".repeat(units / 2)],
  ["lone surrogates", (units) => "\ud83d".repeat(units)],
  ["typed special tokens", (units) => "[SEP]<mask> ".repeat(units / 12)],
  // NFKC makes 22 units of these 5: 2.3 million of the longest text, below the 4 million that a text may grow to (src/limits.ts).
  ["characters that stand for 18", (units) => "ﷺ ab ".repeat(units / 5)],
  ["families of emoji", (units) => "👨\u200d👩\u200d👧".repeat(units / 8)],
];

const TOKENIZERS: readonly (readonly [string, TextTokenizer])[] = [
  ["WordPiece, all-MiniLM-L6-v2", miniLm(0)],
  ["WordPiece, cased", tokenizersOf("word-piece", 0).get("cased")!],
  ["BPE", tokenizersOf("byte-level", 0).get("prefix space")!],
  ["Unigram, XLM-R", tokenizersOf("unigram", 0).get("XLM-R")!],
  ["Unigram, ALBERT", tokenizersOf("unigram", 0).get("ALBERT")!],
];

/** CPU milliseconds of this process, the least of several runs: other processes add nothing to it, only collections of garbage do. */
function leastMs(run: () => void): number {
  let least = Infinity;
  for (let i = 0; i < RUNS; i++) {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}

/** The slope of a straight line through the logarithms: b of t = a·n^b. */
function exponent(points: readonly (readonly [size: number, ms: number])[]): number {
  const xs = points.map(([size]) => Math.log(size));
  const ys = points.map(([, ms]) => Math.log(ms));
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [x0, y0] = [mean(xs), mean(ys)];
  return xs.reduce((sum, x, i) => sum + (x - x0) * (ys[i]! - y0), 0) / xs.reduce((sum, x) => sum + (x - x0) ** 2, 0);
}

describe("time grows in proportion to the text", () => {
  const worst: { exponent: number; of: string }[] = [];

  it.each(TOKENIZERS)("%s", (name, tokenizer) => {
    for (const [family, make] of FAMILIES) {
      tokenizer.encode(make(SIZES[0]!)); // compiled before it is timed
      const points = SIZES.map((size) => {
        const text = make(size);
        return [size, leastMs(() => tokenizer.encode(text))] as const;
      });
      const found = exponent(points);
      worst.push({ exponent: found, of: `${name}: ${family}` });
      expect(found, `${family}: ${points.map(([, ms]) => ms.toFixed(1)).join(", ")} ms`).toBeLessThanOrEqual(MAX_EXPONENT);
    }
  });

  it("in every family of texts", () => {
    const largest = worst.reduce((a, b) => (b.exponent > a.exponent ? b : a));
    record("T4", { tokenizers: TOKENIZERS.length, families: FAMILIES.length, "units from": SIZES[0]!, "units to": SIZES.at(-1)!, "largest exponent": Number(largest.exponent.toFixed(3)), of: largest.of });
  });
});
