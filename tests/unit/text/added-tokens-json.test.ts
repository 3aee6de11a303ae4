import { describe, expect, it } from "vitest";
import { createTokenizer } from "../../../src/text/tokenizer.ts";

type Json = Readonly<Record<string, unknown>>;

const VOCAB = { "[UNK]": 0, a: 1, b: 2, q: 3, cafe: 4 };
const JSON_FILE = {
  added_tokens: [{ id: 0, content: "[UNK]", special: true }],
  pre_tokenizer: { type: "BertPreTokenizer" },
  normalizer: { type: "BertNormalizer", lowercase: true },
  model: { type: "WordPiece", unk_token: "[UNK]", vocab: VOCAB },
};
const UNIGRAM = { pre_tokenizer: { type: "Metaspace" }, model: { type: "Unigram", unk_id: 0, vocab: [["<unk>", -9], ["a", -1], ["▁", -1], ["q", -5]] } };

const ids = (config: Json, text: string, json: Json = JSON_FILE): number[] => [...createTokenizer(json, config).encode(text).ids];
const invalid = expect.objectContaining({ code: "tokenizer-invalid" }) as object;

// As transformers 5.24 has it.
describe("added tokens of tokenizer_config.json", () => {
  it("are those of its decoder, the vocabulary's id first", () => {
    const config = { added_tokens_decoder: { 5: { content: "zz", normalized: false }, 9: { content: "cafe", special: true } } };
    expect(ids(config, "bzzb acafe")).toEqual([2, 5, 2, 1, 4]);
    expect(createTokenizer(JSON_FILE, config).vocabSize).toBe(6);
    expect(ids({}, "bzzb acafe")).toEqual([0, 0]);
  });

  it("are special tokens by their text, listed or named, where the vocabulary has them", () => {
    for (const config of [{ additional_special_tokens: ["q", "nope", { content: "a" }] }, { extra_special_tokens: ["q"] }, { extra_special_tokens: { x: "q" } }]) {
      expect(ids(config, "bqb nope")).toEqual([2, 3, 2, 0]);
      expect(ids(config, "aqa", UNIGRAM)).toEqual([2, 1, 3, 2, 1]);
    }
    expect(ids({ additional_special_tokens: null, extra_special_tokens: "q" }, "bqb")).toEqual([0]);
  });

  it("stand behind those of tokenizer.json", () => {
    const json = { ...JSON_FILE, added_tokens: [{ id: 5, content: "zz", lstrip: true, normalized: false }] };
    const config = { added_tokens_decoder: { 7: { content: "zz", special: true } } };
    expect(ids(config, "b zz", json)).toEqual([2, 5]);
  });

  it("are refused where they are malformed, and when there are too many", () => {
    for (const added_tokens_decoder of [[], { x: { content: "zz" } }, { "-1": { content: "zz" } }, { 5: "zz" }, { 5: {} }, { 5: { content: "zz", lstrip: 1 } }]) {
      expect(() => ids({ added_tokens_decoder }, "a")).toThrow(invalid);
    }
    const many = Object.fromEntries(Array.from({ length: 4096 }, (_, i) => [i + 5, { content: `t${i}` }]));
    expect(() => ids({ added_tokens_decoder: many }, "a")).toThrow(expect.objectContaining({ code: "limit-exceeded" }));
  });
});
