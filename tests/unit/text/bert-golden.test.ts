import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isPunctuation } from "../../../src/text/char-class.ts";
import { normalizeBert } from "../../../src/text/bert-normalizer.ts";
import { record } from "../../reliability/record.ts";
import { encodingFault } from "./encoding-fault.ts";
import { miniLm, miniLmRows, uncased } from "./goldens.ts";
import { explainDifference, tally } from "./offset-differences.ts";

interface GoldenRow {
  readonly text: string;
  readonly ids: number[];
  readonly offsets: [number, number][];
}

describe("all-MiniLM-L6-v2 against the reference", () => {
  const tokenizer = miniLm();
  const rows = miniLmRows().map((line) => JSON.parse(line) as GoldenRow);

  it("gives the ids of all 5,449 strings", () => {
    expect(rows.length).toBe(5449);
    const different = rows.filter((row) => tokenizer.encode(row.text).ids.join() !== row.ids.join());
    expect(different.map((row) => row.text)).toEqual([]);
    record("T1", { strings: rows.length, "other ids": different.length });
  });

  it("gives the offsets of every token, but keeps stripped marks at the end of 519 of 132,040", () => {
    const counts: Record<string, number> = {};
    let tokens = 0;
    for (const row of rows) {
      const { tokenStart, tokenEnd } = tokenizer.encode(row.text);
      row.offsets.forEach((range, i) => {
        tokens++;
        tally(counts, explainDifference(row.text, range, [tokenStart[i] ?? -1, tokenEnd[i] ?? -1], "word-piece"));
      });
    }
    expect(tokens).toBe(132_040);
    expect(counts).toEqual({ marks: 519 });
  });

  it("gives words that are made of whole tokens and cover them all", () => {
    for (const row of rows) expect(encodingFault(tokenizer, tokenizer.encode(row.text), row.text)).toBeNull();
  });

  it("gives the ids and words of the reference for words already split", () => {
    for (const row of uncased.words) {
      const encoded = tokenizer.encodeWords(row.tokens);
      expect([...encoded.ids]).toEqual(row.ids);
      expect([...encoded.wordOfToken].map((word) => (word < 0 ? null : word))).toEqual(row.words);
      expect([...tokenizer.encode(row.tokens.join(" ")).ids]).toEqual(row.ids);
    }
  });

  it("is made in the shape of the folder", () => {
    expect(tokenizer.kind).toBe("WordPiece");
    expect(tokenizer.vocabSize).toBe(30_522);
    expect(tokenizer.specialTokenCount).toBe(2);
  });
});

describe("BERT normalisation and pre-tokenisation of single characters", () => {
  /** What follows normalisation: white space and punctuation part the text. */
  function preTokens(text: string): string[] {
    const options = { cleanText: true, handleChineseChars: true, stripAccents: true, lowercase: true };
    const words: string[] = [];
    let word = "";
    for (const character of `${normalizeBert(text, options).text} `) {
      const isBorder = character === " " || isPunctuation(character.codePointAt(0) as number);
      if (isBorder && word !== "") words.push(word);
      if (isBorder && character !== " ") words.push(character);
      word = isBorder ? "" : word + character;
    }
    return words;
  }

  it("equals the reference for every code point of Unicode", () => {
    const different: string[] = [];
    uncased.codePoints.forEach((digest, block) => {
      const hash = createHash("sha256");
      for (let codePoint = block * 4096; codePoint < (block + 1) * 4096; codePoint++) {
        if (codePoint >= 0xd800 && codePoint < 0xe000) continue;
        hash.update(`${preTokens(`x${String.fromCodePoint(codePoint)}x`).join("\0")}\u0001`);
      }
      if (hash.digest("hex").slice(0, 12) !== digest) different.push((block * 4096).toString(16));
    });
    expect(uncased.codePoints.length).toBe(0x110000 / 4096);
    expect(different).toEqual([]);
  });
});
