import { describe, expect, it } from "vitest";
import { wordStarts } from "../../../src/text/word-borders.ts";
import { tokenizersOf, type FamilyName } from "./goldens.ts";

const cased = tokenizersOf("word-piece").get("cased");
const stripped = tokenizersOf("word-piece").get("cased, accents stripped");

/** The words of a text as a family's tokenizer gives them. */
function wordsOf(text: string, name: FamilyName, label: string): string[] {
  const encoded = tokenizersOf(name).get(label)?.encode(text);
  return encoded?.words.map(({ start, end }) => text.slice(start, end)) ?? [];
}

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["", []],
  ["   ", []],
  ["Paris", ["Paris"]],
  ["the U.S. (born 1970)", ["the", "U.S", ".", "(", "born", "1970", ")"]],
  ["O'Neill paid 5.99, can't", ["O'Neill", "paid", "5.99", ",", "can't"]],
  ["\"Hello,\" he said...", ["\"", "Hello", ",", "\"", "he", "said", ".", ".", "."]],
  ["...", [".", ".", "."]],
  ["well-known e-mail", ["well-known", "e-mail"]],
  ["a\tb\r\nc", ["a", "b", "c"]],
  ["«Bonjour»", ["«", "Bonjour", "»"]],
  ["中文 in北京.", ["中", "文", "in", "北", "京", "."]],
  ["👍🏽 ok", ["👍🏽", "ok"]],
];

describe("the words of raw text", () => {
  it.each(CASES)("%j by the rule", (text, words) => {
    const starts = wordStarts(text);
    const found: string[] = [];
    for (let at = 0; at < text.length; at++) {
      if (starts[at] === 1) found.push("");
      found[found.length - 1] += text[at] as string;
    }
    // A word runs to the next start; the white space after it is not of it.
    expect(found.map((word) => word.trimEnd())).toEqual(words);
  });

  it.each(CASES)("%j by WordPiece", (text, words) => {
    expect(wordsOf(text, "word-piece", "cased")).toEqual(words);
  });

  it("keeps the accents that normalisation strips, and leaves out what is deleted at the ends", () => {
    const text = "\u200bcafe\u0301\u200d, \u0301 na\u00efve\u0301.";
    const encoded = stripped?.encode(text);
    expect(encoded?.words.map(({ start, end }) => text.slice(start, end))).toEqual(["cafe\u0301", ",", "na\u00efve\u0301", "."]);
  });

  it("makes one word of two where a token goes across the border", () => {
    // ".." is one byte-level token of that vocabulary, though each of its characters would be a word.
    expect(wordsOf("wait.. so", "byte-level", "prefix space")).toEqual(["wait", "..", "so"]);
    expect(wordsOf("wait.. so", "word-piece", "cased")).toEqual(["wait", ".", ".", "so"]);
  });

  it("makes a typed special token a word of its own", () => {
    const text = "x[SEP]y";
    const encoded = cased?.encode(text);
    expect(encoded?.words.map(({ start, end }) => text.slice(start, end))).toEqual(["x", "[SEP]", "y"]);
    expect([...(encoded?.ids ?? [])].filter((id) => id === 3).length).toBe(2);
  });

  it("gives white space of a byte-level text to no word, and a lone space before a character to its word", () => {
    const tokenizer = tokenizersOf("byte-level").get("prefix space");
    const encoded = tokenizer?.encode("a\n\n b  ");
    expect(encoded?.words).toEqual([
      { start: 0, end: 1, firstToken: 1, tokenCount: 1 },
      { start: 4, end: 5, firstToken: 4, tokenCount: 1 },
    ]);
    const emoji = tokenizer?.encode("a 👍");
    expect(emoji?.words.map(({ start, end }) => [start, end])).toEqual([[0, 1], [2, 4]]);
    expect(emoji?.tokenStart[2]).toBe(2);
  });
});

describe("given words", () => {
  it("are one word each, whatever they hold", () => {
    const tokens = ["U.S.", "", "New York", "\u200b", "5.99"];
    const encoded = cased?.encodeWords(tokens);
    const joined = tokens.join(" ");
    expect(encoded?.words.map(({ start, end }) => joined.slice(start, end))).toEqual(tokens);
    expect(encoded?.words.map(({ tokenCount }) => tokenCount > 0)).toEqual([true, false, true, false, true]);
    expect(encoded?.words[1]?.firstToken).toBe(-1);
  });

  it("stay in the list when truncation cuts them", () => {
    const encoded = cased?.encodeWords(["a", "a", "a"], { maxTokens: 4 });
    expect(encoded?.words.map(({ tokenCount }) => tokenCount)).toEqual([1, 1, 0]);
    expect(encoded?.truncated).toBe(true);
    expect(encoded?.tokenCount).toBe(5);
  });

  it("are read after a space by a byte-level tokenizer, whatever the file says", () => {
    const byLabel = tokenizersOf("byte-level");
    const tokens = ["The", "the", " lead"];
    expect(byLabel.get("no prefix space")?.encodeWords(tokens).ids).toEqual(byLabel.get("prefix space")?.encodeWords(tokens).ids);
  });
});
