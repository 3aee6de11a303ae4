import { describe, expect, it } from "vitest";
import { createTokenizer, type TextTokenizer } from "../../../src/text/tokenizer.ts";
import { normalizeUnigram, clusterStep } from "../../../src/text/unigram-normalizer.ts";
import { wordStarts } from "../../../src/text/word-borders.ts";
import { WORD_PIECE } from "../../fuzz/micro.ts";
import { byteCharacters } from "./byte-characters.ts";

type Json = Readonly<Record<string, unknown>>;

const UNIGRAM = {
  pre_tokenizer: { type: "Metaspace" },
  model: { type: "Unigram", unk_id: 0, vocab: [["<unk>", -1], ["a", -1], ["▁", -2], ["▁a", -1.5], ["b", -1]] },
} as const;
const bytes = [...byteCharacters().keys()];
const BPE = {
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
  model: { type: "BPE", merges: ["a b", ["ab", "c"]], vocab: Object.fromEntries([...bytes, "ab", "abc", "xyz"].map((piece, id) => [piece, id])) },
} as const;

const make = (json: Json, change: Json = {}): TextTokenizer => createTokenizer({ ...json, ...change }, null);
const model = (json: { readonly model: Json }, change: Json): Json => ({ model: { ...json.model, ...change } });
const invalid = expect.objectContaining({ code: "tokenizer-invalid" }) as object;

describe("what tokenizer.json leaves out", () => {
  it("a model's type: its shape tells", () => {
    expect(make(WORD_PIECE, model(WORD_PIECE, { type: undefined })).kind).toBe("WordPiece");
    expect(make(BPE, model(BPE, { type: undefined })).kind).toBe("BPE");
    expect(make(UNIGRAM, model(UNIGRAM, { type: undefined })).kind).toBe("Unigram");
  });

  it("WordPiece's prefix, unknown token and longest word: BERT's", () => {
    const { type, vocab } = WORD_PIECE.model;
    const tokenizer = make(WORD_PIECE, { model: { type, vocab } });
    expect([...tokenizer.encode("words").ids]).toEqual([2, 8, 9, 3]);
    expect([...tokenizer.encode(`? ${"a".repeat(101)}`).ids]).toEqual([2, 1, 1, 3]);
  });

  it("Metaspace's character and scheme: ▁, always; never without a prefix space", () => {
    expect([...make(UNIGRAM).encode("a").ids]).toEqual([3]);
    expect([...make(UNIGRAM, { pre_tokenizer: { type: "Metaspace", add_prefix_space: false } }).encode("a").ids]).toEqual([1]);
    expect([...make(UNIGRAM, { pre_tokenizer: { type: "Metaspace", prepend_scheme: "first" } }).encode("a a").ids]).toEqual([3, 3]);
  });
});

describe("what a model has besides", () => {
  it("BPE: pieces that are in the vocabulary are taken whole, where merges are to be ignored for them", () => {
    expect(make(BPE).encode("xyz").ids.length).toBe(3);
    expect(make(BPE, model(BPE, { ignore_merges: true })).encode("xyz abc").ids.length).toBeLessThan(6);
    expect([...make(BPE, model(BPE, { ignore_merges: true })).encode("xyz").ids]).toEqual([258]);
  });

  it("Unigram: the unknown piece, typed, scores as unknown", () => {
    expect([...make(UNIGRAM, { pre_tokenizer: { type: "Metaspace", prepend_scheme: "never" } }).encode("<unk>").ids]).toEqual([0]);
  });
});

describe("what is refused", () => {
  it.each<[string, () => unknown]>([
    ["merges that are no list", () => make(BPE, model(BPE, { merges: { a: "b" } }))],
    ["a pre-tokenizer that is no object", () => make(WORD_PIECE, { pre_tokenizer: "BertPreTokenizer" })],
    ["Unigram with bytes for unknown pieces", () => make(UNIGRAM, model(UNIGRAM, { byte_fallback: true }))],
    ["normalisers within normalisers", () => make(UNIGRAM, { normalizer: { type: "Sequence", normalizers: [{ type: "Sequence", normalizers: [] }] } })],
    ["a replacement of nothing", () => make(UNIGRAM, { normalizer: { type: "Replace", content: "" } })],
    ["a replacement of no text", () => make(UNIGRAM, { normalizer: { type: "Replace", pattern: { String: "" }, content: "" } })],
    ["two characters for a space", () => make(UNIGRAM, { pre_tokenizer: { type: "Metaspace", replacement: "__" } })],
    ["words that are not split", () => make(UNIGRAM, { pre_tokenizer: { type: "Metaspace", split: false } })],
    ["an unknown scheme", () => make(UNIGRAM, { pre_tokenizer: { type: "Metaspace", prepend_scheme: "last" } })],
    ["post-processors within post-processors", () => make(WORD_PIECE, { post_processor: { type: "Sequence", processors: [{ type: "Sequence", processors: [] }] } })],
    ["a text twice", () => make(WORD_PIECE, { post_processor: { type: "TemplateProcessing", special_tokens: {}, single: [{ Sequence: { type_id: 0 } }, { Sequence: { type_id: 0 } }] } })],
  ])("%s", (_what, run) => {
    expect(run).toThrow(invalid);
  });
});

describe("steps of a Unigram normaliser", () => {
  it("strip either side", () => {
    const strip = (left: boolean, right: boolean): string => normalizeUnigram("  a  ", [{ type: "strip", left, right }]).text;
    expect([strip(true, true), strip(true, false), strip(false, true), strip(false, false)]).toEqual(["a", "a  ", "  a", "  a  "]);
    expect(normalizeUnigram("  ", [{ type: "strip", left: true, right: true }])).toEqual({ text: "", start: [], end: [] });
  });

  it("keep the sources of what they leave alone, and never part a pair", () => {
    const nfd = [clusterStep("NFD")!];
    expect(normalizeUnigram("ke\u0344", nfd)).toEqual({ text: "ke\u0308\u0301", start: [0, 1, 2, 2], end: [1, 2, 3, 3] });
    // Both of its parts have the high surrogate that it has.
    expect(normalizeUnigram("\u{1d15e}", nfd)).toEqual({ text: "\u{1d157}\u{1d165}", start: [0, 0, 0, 0], end: [2, 2, 2, 2] });
  });
});

it("a word's borders are those of whole characters, outside the basic plane too", () => {
  expect([...wordStarts("\u{10100}a\u{10100}")]).toEqual([1, 0, 1, 1, 0]);
});
