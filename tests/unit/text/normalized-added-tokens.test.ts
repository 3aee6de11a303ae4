import { describe, expect, it } from "vitest";
import { createTokenizer, type TextTokenizer } from "../../../src/text/tokenizer.ts";
import { encodingFault } from "./encoding-fault.ts";
import { goldenFamily, tokenizerJson } from "./goldens.ts";

type Json = Readonly<Record<string, unknown>>;

const added = (id: number, content: string, more: Json = {}): Json => ({ id, content, normalized: true, special: false, ...more });

function unigram(normalizer: Json, scheme: string, token: Json): TextTokenizer {
  const vocab = [["<unk>", -9], ["a", -1], ["b", -1], ["▁", -2], ["x", -1], ["f", -1], ["i", -1], ["▁a", -1.5], ["▁x", -1.5]];
  const pre_tokenizer = { type: "Metaspace", replacement: "▁", prepend_scheme: scheme, split: true };
  return createTokenizer({ added_tokens: [token], normalizer, pre_tokenizer, post_processor: null, model: { type: "Unigram", unk_id: 0, vocab } }, null);
}

function bert(...tokens: Json[]): TextTokenizer {
  const vocab = { "[UNK]": 0, a: 3, b: 4, ab: 5, "##b": 6, cafe: 10, q: 11, "ᅡ": 20 };
  const normalizer = { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true };
  return createTokenizer({ added_tokens: tokens, normalizer, pre_tokenizer: { type: "BertPreTokenizer" }, model: { type: "WordPiece", unk_token: "[UNK]", vocab } }, null);
}

/** Ids, and the slices of the text that they stand for; sound in every other way too. */
function encoded(tokenizer: TextTokenizer, text: string): [number[], string[]] {
  const encoding = tokenizer.encode(text);
  expect(encodingFault(tokenizer, encoding, text)).toBeNull();
  return [[...encoding.ids], [...encoding.tokenStart].map((start, i) => text.slice(start, encoding.tokenEnd[i]))];
}

// Ids as tokenizers 0.23.3 gives them, but that it has those of the vocabulary for "i" and "f".
describe("added tokens that are looked for in the normalised text", () => {
  it("take white space along, where they strip", () => {
    const family = goldenFamily("byte-level");
    const ids = family.variants.slice(0, 2).map((variant) => {
      const json = tokenizerJson(family, variant);
      const tokens = (json["added_tokens"] as Json[]).map((token) => (token["content"] === "<mask>" ? { ...token, normalized: true } : token));
      const tokenizer = createTokenizer({ ...json, added_tokens: tokens }, null);
      return ["a b <mask>.", "the <mask>  word", "<mask> a<mask>b"].map((text) => encoded(tokenizer, text)[0]);
    });
    expect(ids).toEqual([
      [[0, 262, 284, 1100, 277, 2], [0, 266, 1100, 224, 224, 1102, 2], [0, 1100, 262, 1100, 284, 2]],
      [[0, 68, 284, 1100, 17, 2], [0, 812, 1100, 224, 224, 1102, 2], [0, 1100, 262, 1100, 69, 2]],
    ]);
    const tokenizer = bert(added(12, "foo", { lstrip: true }), added(13, "z", { rstrip: true }));
    expect(encoded(tokenizer, "ab  FOO ab")).toEqual([[5, 12, 5], ["ab", "FOO", "ab"]]);
    expect(encoded(tokenizer, "abZ  café\u0301foo b")).toEqual([[5, 13, 10, 12, 4], ["ab", "Z", "café\u0301", "foo", "b"]]);
  });

  it("leave what is around them normalised once", () => {
    const shorter = { type: "Replace", pattern: { String: "ab" }, content: "a" };
    expect(encoded(unigram(shorter, "never", added(9, "X")), "abbXabb")).toEqual([[1, 2, 9, 1, 2], ["ab", "b", "X", "ab", "b"]]);
    expect(encoded(unigram(shorter, "never", added(9, "X", { lstrip: true, rstrip: true })), "abb X abb")).toEqual([[1, 2, 9, 1, 2], ["ab", "b", "X", "ab", "b"]]);
  });

  it("are the first of those with one normalised form, special ones before all", () => {
    expect(encoded(bert(added(12, "FOO"), added(13, "Foo")), "foo")[0]).toEqual([12]);
    expect(encoded(bert(added(12, "FOO"), added(13, "Foo", { special: true })), "foo")[0]).toEqual([13]);
  });

  it("may be a part of what one character became: then that is one word", () => {
    const nfkc = { type: "NFKC" };
    expect(encoded(unigram(nfkc, "first", added(9, "i")), "ﬁx")).toEqual([[3, 5, 9, 4], ["", "ﬁ", "ﬁ", "x"]]);
    expect(encoded(unigram(nfkc, "first", added(9, "f")), "a ﬁ x")[0]).toEqual([7, 3, 9, 6, 8]);
    const { words } = unigram(nfkc, "never", added(9, "i")).encode("xﬁ");
    expect(words.map(({ start, end }) => [start, end])).toEqual([[0, 2]]);
    expect(encoded(bert(added(12, "ᄀ")), "가")).toEqual([[12, 20], ["가", "가"]]);
  });
});
