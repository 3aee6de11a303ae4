import { describe, expect, it } from "vitest";
import { RootstockError, type ErrorCode } from "../../../src/errors.ts";
import { createTokenizer, type TextTokenizer } from "../../../src/text/tokenizer.ts";
import { WORD_PIECE } from "../../fuzz/micro.ts";

type Json = Record<string, unknown>;

const UNIGRAM = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always" },
  post_processor: null,
  model: { type: "Unigram", unk_id: 0, vocab: [["<unk>", 0], ["a", -1], ["▁", -2]] },
};

function code(run: () => unknown): ErrorCode | "accepted" {
  try {
    run();
  } catch (error) {
    if (!(error instanceof RootstockError)) throw error;
    expect(error.message.length).toBeLessThan(1_000);
    return error.code;
  }
  return "accepted";
}

const wordPiece = (fields: Json): TextTokenizer => createTokenizer({ ...WORD_PIECE, ...fields }, null);
const unigram = (fields: Json): TextTokenizer => createTokenizer({ ...UNIGRAM, ...fields }, null);
const added = (content: string, id = 5): Json => ({ id, content, normalized: false });
const special = (ids: number[], times: number): Json => ({
  type: "TemplateProcessing",
  single: [...Array.from({ length: times }, () => ({ SpecialToken: { id: "x", type_id: 0 } })), { Sequence: { id: "A", type_id: 0 } }],
  special_tokens: { x: { ids } },
});
const replace = (text: string, content: string): Json => ({ type: "Replace", pattern: { String: text }, content });
const many = (count: number): number[] => Array.from({ length: count }, () => 2);

describe("a tokenizer.json made to hurt", () => {
  it("parts no character by pieces that are halves of one", () => {
    const vocab = { "[UNK]": 0, "\ud83d": 1, "##\ude00": 2, a: 3, "a\ud83d": 4, "##😀": 5 };
    const words = wordPiece({ model: { ...WORD_PIECE.model, vocab, unk_token: "[UNK]" }, normalizer: null, post_processor: null, added_tokens: [] });
    const pieces = unigram({ model: { type: "Unigram", unk_id: 0, vocab: [["<unk>", 0], ["\ud83d", -1], ["\ude00", -1], ["a", -1], ["▁", -2]] } });
    const found = (tokenizer: TextTokenizer, text: string): number[][] => {
      const { ids, tokenStart, tokenEnd } = tokenizer.encode(text);
      return [...ids].map((id, i) => [id, tokenStart[i]!, tokenEnd[i]!]);
    };
    expect(found(words, "😀")).toEqual([[0, 0, 2]]);
    expect(found(words, "a😀")).toEqual([[3, 0, 1], [5, 1, 3]]);
    expect(found(pieces, "a😀").filter(([, start, end]) => end! > start!)).toEqual([[3, 0, 1], [0, 1, 3]]);
  });

  it("has few tokens around a text, however they are written", () => {
    expect(code(() => wordPiece({ post_processor: special(many(200_000), 1) }))).toBe("limit-exceeded");
    expect(code(() => wordPiece({ post_processor: special(many(64), 200_000) }))).toBe("limit-exceeded");
    expect(code(() => wordPiece({ post_processor: { type: "Sequence", processors: many(200_000).map(() => special([2], 1)) } }))).toBe("limit-exceeded");
    expect(wordPiece({ post_processor: special(many(64), 1) }).specialTokenCount).toBe(64);
  });

  it("has pieces of at most 64 units, added tokens of at most 256, at most 4,096 of these", () => {
    const long = "a".repeat(65);
    expect(code(() => wordPiece({ model: { ...WORD_PIECE.model, vocab: { ...WORD_PIECE.model.vocab, [long]: 5 } } }))).toBe("limit-exceeded");
    expect(code(() => unigram({ model: { ...UNIGRAM.model, vocab: [...UNIGRAM.model.vocab, [long, -1]] } }))).toBe("limit-exceeded");
    expect(code(() => wordPiece({ added_tokens: [added("a".repeat(257))] }))).toBe("limit-exceeded");
    expect(code(() => wordPiece({ added_tokens: many(4_097).map((_, i) => added(`t${i}`)) }))).toBe("limit-exceeded");
    expect(code(() => wordPiece({ added_tokens: many(4_096).map((_, i) => added(`${"a".repeat(240)}${i}`)) }).encode("a".repeat(10_000)))).toBe("accepted");
  });

  it("cannot make a text grow without end", () => {
    const bomb = { type: "Sequence", normalizers: many(8).map(() => replace("a", "a".repeat(256))) };
    expect(code(() => unigram({ normalizer: bomb }).encode("a"))).toBe("text-too-long");
    expect(code(() => unigram({ normalizer: bomb, added_tokens: [{ id: 1, content: "a", normalized: true }] }))).toBe("text-too-long");
    expect(code(() => unigram({ normalizer: replace("a", "a".repeat(257)) }))).toBe("limit-exceeded");
    expect(code(() => unigram({ normalizer: replace("a".repeat(257), "b") }))).toBe("limit-exceeded");
    expect(code(() => unigram({ normalizer: { type: "Sequence", normalizers: many(65).map(() => replace("x", "y")) } }))).toBe("limit-exceeded");
    expect(code(() => unigram({ normalizer: replace("a", "aa"), added_tokens: [{ id: 1, content: "a".repeat(200), normalized: true }] }))).toBe("limit-exceeded");
  });

  it("gets short messages that quote little of it", () => {
    const huge = "x\n".repeat(100_000);
    expect(code(() => wordPiece({ model: { ...WORD_PIECE.model, type: huge } }))).toBe("tokenizer-invalid");
    expect(code(() => wordPiece({ model: { ...WORD_PIECE.model, vocab: { [huge]: "1" } } }))).toBe("tokenizer-invalid");
    expect(code(() => unigram({ normalizer: { type: huge } }))).toBe("tokenizer-invalid");
    expect(code(() => unigram({ normalizer: { type: "Replace", pattern: { Regex: huge }, content: "" } }))).toBe("tokenizer-invalid");
    expect(code(() => unigram({ pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: huge }, {}, {}] } }))).toBe("tokenizer-invalid");
    expect(code(() => wordPiece({ post_processor: { type: huge } }))).toBe("tokenizer-invalid");
  });

  it("has ids that are whole numbers and not −0, and a configuration that is an object", () => {
    for (const id of [-0, -1, 0.5, 2 ** 24, "1", null]) expect(code(() => wordPiece({ model: { ...WORD_PIECE.model, vocab: { "[UNK]": id } } }))).toBe("tokenizer-invalid");
    for (const config of [[], "x", 1, true]) expect(code(() => createTokenizer(WORD_PIECE, config))).toBe("tokenizer-invalid");
  });
});
