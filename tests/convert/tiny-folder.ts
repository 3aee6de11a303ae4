import { readFolder } from "../runtime/folder.ts";

export const FAMILIES = ["bert", "distilbert", "roberta", "albert", "electra"] as const;

/** Texts of the tiny tokenizer's words. */
export const TEXTS = Array.from({ length: 40 }, (_, i) => Array.from({ length: 6 + (i % 9) }, (_, j) => `w${(i * 7 + j * 11) % 40}`).join(" "));

/** A tiny encoder of random weights with a tokenizer: 40 words and the special tokens of BERT. */
export function tinyFolder(family: (typeof FAMILIES)[number]): Map<string, Uint8Array> {
  const folder = `tests/golden/peft/base/${family === "bert" ? "bert-odd" : family}`;
  const files = readFolder(folder);
  const vocab = Object.fromEntries(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...Array.from({ length: 40 }, (_, i) => `w${i}`)].map((word, id) => [word, id]));
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] },
    decoder: null,
    model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100, vocab },
  };
  return new Map(files).set("tokenizer.json", new TextEncoder().encode(JSON.stringify(tokenizer)));
}
