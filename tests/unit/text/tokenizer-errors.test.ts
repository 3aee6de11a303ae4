import { describe, expect, it } from "vitest";
import { record } from "../../reliability/record.ts";
import { RootstockError } from "../../../src/errors.ts";
import { MAX_TEXT_UNITS } from "../../../src/limits.ts";
import { createTokenizer } from "../../../src/text/tokenizer.ts";
import { goldenFamily, tokenizerJson, type FamilyName } from "./goldens.ts";

type Json = Record<string, unknown>;

function fileOf(name: FamilyName): Json {
  const family = goldenFamily(name);
  const variant = family.variants[0];
  if (variant === undefined) throw new Error(name);
  return structuredClone(tokenizerJson(family, variant));
}

function refusalOf(run: () => unknown): RootstockError {
  try {
    run();
  } catch (error) {
    if (error instanceof RootstockError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

const wordPiece = fileOf("word-piece");
const byteLevel = fileOf("byte-level");
const unigram = fileOf("unigram");

/** `file` with fields of its model replaced. */
const withModel = (file: Json, fields: Json): Json => ({ ...file, model: { ...(file.model as Json), ...fields } });

const REFUSED: readonly (readonly [string, unknown, RegExp])[] = [
  ["a list", [], /the file is not an object/],
  ["null", null, /the file is not an object/],
  ["no model", {}, /model is not an object/],
  ["WordLevel", withModel(wordPiece, { type: "WordLevel" }), /model is of type "WordLevel"/],
  ["another pre-tokenizer", { ...wordPiece, pre_tokenizer: { type: "Whitespace" } }, /WordPiece model is of type "Whitespace"/],
  ["another normaliser", { ...wordPiece, normalizer: { type: "Nmt" } }, /normalizer of a WordPiece model is of type "Nmt"/],
  ["an empty vocabulary", withModel(wordPiece, { vocab: {} }), /model\.vocab is empty/],
  ["a vocabulary of strings", withModel(wordPiece, { vocab: { a: "0" } }), /model\.vocab\["a"\] is not a token id/],
  ["a negative id", withModel(wordPiece, { vocab: { a: -1 } }), /model\.vocab\["a"\]/],
  ["a huge id", withModel(wordPiece, { vocab: { a: 2 ** 24 } }), /model\.vocab\["a"\]/],
  ["an unknown token without id", withModel(wordPiece, { unk_token: "none" }), /unk_token is not in model\.vocab/],
  ["a wrong flag", { ...wordPiece, normalizer: { type: "BertNormalizer", lowercase: 1 } }, /normalizer\.lowercase is not true or false/],
  ["a post-processor", { ...wordPiece, post_processor: { type: "Other" } }, /post_processor is of type "Other"/],
  ["a template of type 1", { ...wordPiece, post_processor: template(1) }, /another token type than 0/],
  ["a template without text", { ...wordPiece, post_processor: { type: "TemplateProcessing", single: [], special_tokens: {} } }, /no place for the text/],
  ["a template of unknown tokens", { ...wordPiece, post_processor: { ...template(0), special_tokens: {} } }, /special_tokens\["\[CLS\]"\]/],
  ["added tokens without id", { ...wordPiece, added_tokens: [{ content: "x" }] }, /added_tokens\[0\]\.id/],
  ["added tokens without content", { ...wordPiece, added_tokens: [{ id: 1 }] }, /added_tokens\[0\]\.content/],
  ["BPE that is not byte-level", { ...byteLevel, pre_tokenizer: { type: "Metaspace" } }, /BPE model is of type "Metaspace"/],
  ["BPE with a normaliser", { ...byteLevel, normalizer: { type: "NFC" } }, /normalizer of a BPE model is of type "NFC"/],
  ["BPE without the expression", { ...byteLevel, pre_tokenizer: { type: "ByteLevel", use_regex: false } }, /use_regex is false/],
  ["BPE with dropout", withModel(byteLevel, { dropout: 0.1 }), /model\.dropout/],
  ["BPE with byte fallback", withModel(byteLevel, { byte_fallback: true }), /model\.byte_fallback/],
  ["BPE that lacks a byte", withModel(byteLevel, { vocab: { a: 0 }, merges: [] }), /lacks the byte character/],
  ["a merge of three", withModel(byteLevel, { merges: ["a b c"] }), /model\.merges\[0\]/],
  ["a merge without product", withModel(byteLevel, { merges: [["Ġ", "\u0100"]] }), /model\.merges\[0\]/],
  ["Unigram without an unknown piece", withModel(unigram, { unk_id: null }), /model\.unk_id/],
  ["Unigram with unk_id outside", withModel(unigram, { unk_id: 1e6 }), /model\.unk_id is 1000000/],
  ["Unigram rows of the wrong shape", withModel(unigram, { vocab: [["a", "1"]] }), /model\.vocab\[0\] is not \[piece, score\]/],
  ["Unigram with another pre-tokenizer", { ...unigram, pre_tokenizer: { type: "ByteLevel" } }, /Unigram model is of type "ByteLevel"/],
  ["Unigram with an expression", { ...unigram, normalizer: { type: "Replace", pattern: { Regex: "(a+)+$" }, content: "" } }, /\(a\+\)\+\$/],
  ["Unigram with another normaliser", { ...unigram, normalizer: { type: "Sequence", normalizers: [{ type: "ByteLevel" }] } }, /of type "ByteLevel"/],
]; // prettier-ignore

function template(typeId: number): Json {
  return {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "[CLS]", type_id: typeId } }, { Sequence: { id: "A", type_id: typeId } }],
    special_tokens: { "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] } },
  };
}

describe("tokenizer.json that is not read", () => {
  it.each(REFUSED)("%s", (_title, file, message) => {
    const error = refusalOf(() => createTokenizer(file, null));
    expect(error.code).toBe("tokenizer-invalid");
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/Supported: WordPiece with BertNormalizer.*ByteLevel.*Unigram with Metaspace/);
  });

  it("reads own fields alone", () => {
    const file = Object.create(wordPiece) as object;
    expect(refusalOf(() => createTokenizer(file, null)).message).toMatch(/model is not an object/);
    const tricky = JSON.parse('{"[UNK]": 0, "__proto__": 1, "constructor": 2, "##s": 3}') as Json;
    const tokenizer = createTokenizer({ ...withModel(wordPiece, { vocab: tricky }), added_tokens: [] }, null);
    expect([...tokenizer.encode("constructors toString").ids]).toEqual([2, 2, 3, 0, 3]);
  });
});

describe("what tokenizer_config.json decides", () => {
  it("letter case, accents and the prefix space, before tokenizer.json", () => {
    const upper = createTokenizer(wordPiece, null).encode("PARIS É");
    const lower = createTokenizer(wordPiece, { do_lower_case: true, strip_accents: true }).encode("PARIS É");
    expect(lower.ids).toEqual(createTokenizer(wordPiece, null).encode("paris e").ids);
    expect(lower.ids).not.toEqual(upper.ids);
    const spaced = createTokenizer(byteLevel, null).encode("The");
    const bare = createTokenizer(byteLevel, { add_prefix_space: false }).encode("The");
    expect(bare.ids).not.toEqual(spaced.ids);
    expect(createTokenizer(byteLevel, { add_prefix_space: false }).encode(" The").ids).toEqual(spaced.ids);
  });

  it("accents by null too, which is as letter case; what is absent stays the file's", () => {
    const normalizer = { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: true, lowercase: false };
    const json = { pre_tokenizer: { type: "BertPreTokenizer" }, normalizer, model: { type: "WordPiece", unk_token: "[UNK]", vocab: { "[UNK]": 0, e: 1, "é": 2, E: 3 } } };
    const ids = (config: object): number[] => [...createTokenizer(json, config).encode("é E").ids];
    expect(ids({})).toEqual([1, 3]);
    expect(ids({ strip_accents: null })).toEqual([2, 3]);
    expect(ids({ strip_accents: null, do_lower_case: true })).toEqual([1, 1]);
    expect(ids({ strip_accents: false, do_lower_case: null })).toEqual([2, 3]);
  });

  it("none of it, where its class is of no model", () => {
    for (const tokenizer_class of ["PreTrainedTokenizerFast", "TokenizersBackend"]) {
      const config = { tokenizer_class, do_lower_case: true, strip_accents: true, add_prefix_space: false };
      for (const json of [wordPiece, byteLevel]) expect(createTokenizer(json, config).encode("The É").ids).toEqual(createTokenizer(json, null).encode("The É").ids);
    }
  });
});

describe("arguments", () => {
  const tokenizer = createTokenizer(wordPiece, null);

  it("a text at the cap is taken, one unit more is too long, words joined as well", () => {
    expect(tokenizer.encode(" ".repeat(MAX_TEXT_UNITS)).ids.length).toBe(2);
    expect(refusalOf(() => tokenizer.encode(" ".repeat(MAX_TEXT_UNITS + 1))).code).toBe("text-too-long");
    const half = " ".repeat(MAX_TEXT_UNITS / 2);
    expect(refusalOf(() => tokenizer.encodeWords([half, half])).code).toBe("text-too-long");
    record("T5", { "most units": MAX_TEXT_UNITS, "one more": "text-too-long" });
    expect(tokenizer.encodeWords([half, half.slice(1)]).words.length).toBe(2);
  });

  it("wrong types and counts are refused", () => {
    const wrong: (() => unknown)[] = [
      () => tokenizer.encode(1 as unknown as string),
      () => tokenizer.encodeWords("a b" as unknown as string[]),
      () => tokenizer.encodeWords(["a", 1] as unknown as string[]),
      () => tokenizer.encode("a", { maxTokens: 1 }),
      () => tokenizer.encode("a", { maxTokens: 2.5 }),
    ];
    for (const run of wrong) expect(refusalOf(run).code).toBe("argument-invalid");
  });

  it("the empty text is the special tokens alone", () => {
    expect([...tokenizer.encode("").ids]).toEqual([2, 3]);
    expect(tokenizer.encode("").words).toEqual([]);
    expect([...tokenizer.encodeWords([]).ids]).toEqual([2, 3]);
    expect(tokenizer.encode("a", { maxTokens: 2 })).toMatchObject({ truncated: true, tokenCount: 3, words: [] });
  });
});
