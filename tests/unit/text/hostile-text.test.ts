import { afterEach, describe, expect, it, vi } from "vitest";
import { MAX_TEXT_UNITS } from "../../../src/limits.ts";
import { normalizeBert } from "../../../src/text/bert-normalizer.ts";
import { readUnigram, segmentUnigram } from "../../../src/text/unigram.ts";
import { matchWordPieces, splitVocabulary } from "../../../src/text/word-piece.ts";
import { record } from "../../reliability/record.ts";
import { encodingFault } from "./encoding-fault.ts";
import { tokenizersOf } from "./goldens.ts";

const marks = (count: number): string => "\u0301\u0323".repeat(count / 2);

/** Texts of the size cap or of a kind that is known to hurt; with a letter, so that no text is only deleted. */
const HOSTILE: readonly (readonly [string, string])[] = [
  ["40,000 alternating marks", `a${marks(40_000)}`],
  ["1,000,000 units of one letter", "a".repeat(MAX_TEXT_UNITS)],
  ["100,000 marks", `a${marks(100_000)}`],
  ["500 words of 100 letters", `${"qxzjk".repeat(20)} `.repeat(500)],
  ["punctuation alone", "!".repeat(50_000)],
  ["white space alone, and a letter", `${" \n".repeat(25_000)}a`],
  ["unspaced ideographs", "中".repeat(30_000)],
  ["Hangul", "각".repeat(30_000)],
  ["NUL", `a${"\0".repeat(50_000)}`],
  ["lone surrogates", `a${"\ud83d".repeat(50_000)}`],
  ["typed special tokens", "[SEP]<mask>".repeat(3_000)],
  ["ZWJ families", "👨\u200d👩\u200d👧".repeat(3_000)],
  ["right to left with bidi controls", "\u202bשלום\u202c \u200f".repeat(3_000)],
];

/** Texts that are known to go wrong: nothing, what looks like nothing, halves and families of characters, case, scripts, lines. */
const NAMED: readonly (readonly [string, string])[] = [
  ["empty", ""],
  ["NUL", "\0"],
  ["a byte order mark", "\ufeffa\ufeff b"],
  ["the replacement character", "\ufffd a\ufffdb"],
  ["a lone high surrogate", "a\ud83d b\ud83d"],
  ["a lone low surrogate", "\ude00a \ude00"],
  ["surrogates the wrong way round", "\ude00\ud83d a"],
  ["noncharacters", "\uffff a\ufdd0 \u{1fffe}b \u{10ffff}"],
  ["a family", "👨\u200d👩\u200d👧\u200d👦 a"],
  ["flags", "🇩🇪🇫🇷 🇩"],
  ["skin tones", "👍🏽a"],
  ["right to left with bidi controls", "\u202bשלום\u202c \u2066abc\u2069 \u200fعربي"],
  ["final sigma", "ΟΔΟΣ Σ ΑΣ."],
  ["a dotted capital I", "İSTANBUL İ"],
  ["Hangul, composed and conjoined", "각 \u1100\u1161\u11a8"],
  ["ideographs without spaces", "自然言語処理"],
  ["CRLF", "a\r\nb\r\n\r\nc"],
  ["characters that stand for several", "ﷺ ﬁ ½ ㎏"],
];

const encoders = [
  ["word-piece", "text not cleaned"],
  ["word-piece", "cased"],
  ["byte-level", "prefix space"],
  ["unigram", "XLM-R"],
  ["unigram", "ALBERT"],
] as const;

let read = 0;

describe.each(encoders)("%s, %s", (name, label) => {
  const tokenizer = tokenizersOf(name).get(label);

  it.each(HOSTILE)("%s", (_title, text) => {
    if (tokenizer === undefined) throw new Error(label);
    const encoded = tokenizer.encode(text, { maxTokens: 512 });
    expect(encodingFault(tokenizer, encoded, text)).toBeNull();
    expect(encoded.tokenCount).toBeGreaterThan(2);
    expect(encoded.truncated).toBe(encoded.tokenCount > 512);
    read++;
  });

  it.each(NAMED)("%s", (_title, text) => {
    if (tokenizer === undefined) throw new Error(label);
    expect(encodingFault(tokenizer, tokenizer.encode(text), text)).toBeNull();
    expect(encodingFault(tokenizer, tokenizer.encodeWords([text, text]), `${text} ${text}`)).toBeNull();
    read++;
  });
});

it("every named text was read by every tokenizer", () => {
  const texts = HOSTILE.length + NAMED.length;
  record("T3", { texts, tokenizers: encoders.length, faults: texts * encoders.length - read });
  expect(read).toBe(texts * encoders.length);
});

describe("work is in proportion to the text", () => {
  afterEach(() => vi.restoreAllMocks());

  it("normalises marks in short pieces, never a whole run", () => {
    const normalize = vi.spyOn(String.prototype, "normalize");
    const options = { cleanText: true, handleChineseChars: true, stripAccents: true, lowercase: true };
    expect(normalizeBert(`é${marks(40_000)}`, options)).toEqual({ text: "e", start: [0], end: [40_001] });
    expect(normalize.mock.calls.length).toBe(40_001);
    expect(Math.max(...normalize.mock.contexts.map((text) => String(text).length))).toBe(1);
    normalize.mockClear();
    tokenizersOf("unigram").get("ALBERT")?.encode(`a${marks(40_000)}`);
    // A cluster is a character and at most 30 marks; each of two normalising steps sees every one once.
    expect(Math.max(...normalize.mock.contexts.map((text) => String(text).length))).toBeLessThanOrEqual(31);
    expect(normalize.mock.contexts.reduce((sum: number, text) => sum + String(text).length, 0)).toBeLessThan(4 * 40_001);
  });

  it("looks up only slices as long as a piece with the same beginning, however long others are", () => {
    class CountingMap<V> extends Map<string, V> {
      count = 0;
      override get(key: string): V | undefined {
        this.count++;
        return super.get(key);
      }
    }
    const long = "b".repeat(64);
    const { initial, continuing } = splitVocabulary(new Map([["[UNK]", 0], ["a", 1], ["##a", 2], ["##aaaa", 3], [`##${long}`, 4]]), "##");
    const ids = new CountingMap(continuing.ids);
    const vocabulary = { initial, continuing: { ...continuing, ids }, unknownId: 0, maxWordCodePoints: 20_000 };
    let last = 0;
    matchWordPieces("a".repeat(10_000), 0, 10_000, vocabulary, (_id, _from, to) => (last = to));
    expect(last).toBe(10_000);
    expect(ids.count).toBeLessThanOrEqual(10_000 * 2);

    const unigram = readUnigram([["<unk>", 0], ["a", -1], ["aaaa", -2], [long, -1]], 0);
    const pieces = new CountingMap(unigram.pieces);
    const segmented = segmentUnigram("a".repeat(10_000), { ...unigram, pieces });
    expect(segmented.lengths.length).toBe(2500);
    expect(pieces.count).toBeLessThanOrEqual(10_000 * 2);
  });

  it("takes a word of more than 100 characters as unknown without a look", () => {
    const tokenizer = tokenizersOf("word-piece").get("cased");
    expect(tokenizer?.encode("a".repeat(101)).ids.length).toBe(3);
    expect(tokenizer?.encode("a".repeat(100)).ids.length).toBeGreaterThan(3);
    // Code points are counted, not units.
    expect(tokenizer?.encode("𝐚".repeat(100)).ids).toEqual(tokenizer?.encode("𝐚").ids);
  });
});
