/** The smallest encoder there is a use for: whole files of a few kilobytes, so that every prefix and a million mutants can be loaded. */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertEncoder } from "../../src/convert/convert.ts";
import { safetensorsFile, type TensorToWrite } from "../../src/format/safetensors-writer.ts";
import { seeded } from "../reliability/random.ts";
import { readFolder } from "../runtime/folder.ts";

const HIDDEN = 8;
const INTERMEDIATE = 12;
const POSITIONS = 10;
const WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##b", "word", "##s", "tree", "."];

export type Files = ReadonlyMap<string, Uint8Array>;

export const encoded = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const CONFIG = {
  model_type: "bert", hidden_size: HIDDEN, num_attention_heads: 2, intermediate_size: INTERMEDIATE,
  vocab_size: WORDS.length, max_position_embeddings: POSITIONS, type_vocab_size: 2, hidden_act: "gelu", layer_norm_eps: 1e-12,
  pad_token_id: 0, id2label: { 0: "O", 1: "B-A", 2: "I-A" }, problem_type: null, hidden_dropout_prob: 0.1, torch_dtype: "float32",
};

/** BERT's tokenizer over the words above. */
export const WORD_PIECE = {
  version: "1.0",
  added_tokens: [{ id: 4, content: "[MASK]", single_word: false, lstrip: true, rstrip: false, normalized: false, special: true }],
  normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "[CLS]", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "[SEP]", type_id: 0 } }],
    special_tokens: { "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] }, "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] } },
  },
  model: {
    type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100,
    vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])),
  },
};

/** Name and shape of every tensor of the model. */
function* shapes(layers: number): Generator<[string, number[]]> {
  const linear = function* (name: string, out: number, depth: number): Generator<[string, number[]]> {
    yield [`${name}.weight`, [out, depth]];
    yield [`${name}.bias`, [out]];
  };
  const norm = (name: string): [string, number[]][] => [[`${name}.weight`, [HIDDEN]], [`${name}.bias`, [HIDDEN]]];
  yield ["embeddings.word_embeddings.weight", [WORDS.length, HIDDEN]];
  yield ["embeddings.position_embeddings.weight", [POSITIONS, HIDDEN]];
  yield ["embeddings.token_type_embeddings.weight", [2, HIDDEN]];
  yield* norm("embeddings.LayerNorm");
  for (let layer = 0; layer < layers; layer++) {
    const at = `encoder.layer.${layer}`;
    for (const part of ["query", "key", "value"]) yield* linear(`${at}.attention.self.${part}`, HIDDEN, HIDDEN);
    yield* linear(`${at}.attention.output.dense`, HIDDEN, HIDDEN);
    yield* norm(`${at}.attention.output.LayerNorm`);
    yield* linear(`${at}.intermediate.dense`, INTERMEDIATE, HIDDEN);
    yield* linear(`${at}.output.dense`, HIDDEN, INTERMEDIATE);
    yield* norm(`${at}.output.LayerNorm`);
  }
  yield* linear("pooler.dense", HIDDEN, HIDDEN);
}

/** An encoder folder as Hugging Face saves it. */
export function microEncoder(layers = 2): Map<string, Uint8Array> {
  const random = seeded(8);
  const tensors = [...shapes(layers)].map(([name, shape]): TensorToWrite => {
    const count = shape.reduce((a, b) => a * b, 1);
    const base = name.endsWith("LayerNorm.weight") ? 1 : 0;
    const values = Float32Array.from({ length: count }, () => base + 0.4 * (random() - 0.5));
    return { name, dtype: "F32", shape, data: new Uint8Array(values.buffer) };
  });
  return new Map([
    ["config.json", encoded({ ...CONFIG, num_hidden_layers: layers })],
    ["tokenizer.json", encoded(WORD_PIECE)],
    ["tokenizer_config.json", encoded({ do_lower_case: true, strip_accents: null, tokenize_chinese_chars: true, model_max_length: 512 })],
    ["model.safetensors", safetensorsFile(tensors, new Map([["format", "pt"]]))],
  ]);
}

/** The same encoder in the converted form; its weights in files of `partBytes` bytes when that is given. */
export async function microConverted({ layers = 2, partBytes }: { layers?: number; partBytes?: number } = {}): Promise<Map<string, Uint8Array>> {
  const root = mkdtempSync(join(tmpdir(), "rootstock-micro-"));
  try {
    await convertEncoder(microEncoder(layers), join(root, "to"), partBytes === undefined ? {} : { partBytes });
    return readFolder(join(root, "to"));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** A converted folder with other bytes in one file, and a rootstock.json that vouches for them: whoever changes one can change the other. */
export function withVouched(folder: Files, name: string, bytes: Uint8Array): Map<string, Uint8Array> {
  const manifest = JSON.parse(new TextDecoder().decode(folder.get("rootstock.json"))) as { files: Record<string, unknown> };
  manifest.files[name] = { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  return new Map(folder).set(name, bytes).set("rootstock.json", encoded(manifest));
}
