// Tiny encoders with a tokenizer, and data that they can learn.
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { unpackCheckpoint } from "../../src/finetune/checkpoint-format.ts";
import { trainAdapter, type CheckpointStore, type TrainingData, type TrainingOptions } from "../../src/finetune/index.ts";
import { loadEncoder, type Encoder } from "../../src/index.ts";

const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
export const PEOPLE = ["ada", "ben", "cleo", "dan", "eve", "finn"];
export const PLACES = ["oslo", "paris", "rome", "bern", "lima", "cairo"];
const WORDS = ["lives", "in", "works", "was", "born", "near", "met", "and", "the", "old", "new", "good", "bad", "fine", "poor", "##s", "##x", "##land", ".", ",", "'", "-", "x", "y", "z"];

/** A BERT tokenizer of a few words; every letter is a piece too. */
function tokenizerJson(): Uint8Array {
  const letters = Array.from("abcdefghijklmnopqrstuvwxyz").flatMap((letter) => [letter, `##${letter}`]);
  const pieces = [...new Set([...SPECIAL, ...PEOPLE, ...PLACES, ...WORDS, ...letters])];
  const special = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } });
  const json = {
    version: "1.0", truncation: null, padding: null,
    added_tokens: SPECIAL.map((content, id) => ({ id, content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false })),
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [special("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, special("[SEP]")], pair: [],
      special_tokens: Object.fromEntries(["[CLS]", "[SEP]"].map((id) => [id, { id, ids: [SPECIAL.indexOf(id)], tokens: [id] }])),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100, vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])) },
  };
  return new TextEncoder().encode(JSON.stringify(json));
}

/** The files of a tiny encoder of tests/golden/tiny, with that tokenizer. */
export function tinyFiles(family = "bert"): Map<string, Uint8Array> {
  const folder = `tests/golden/tiny/${family}`;
  return new Map([
    ...["config.json", "model.safetensors"].map((name) => [name, new Uint8Array(readFileSync(`${folder}/${name}`))] as const),
    ["tokenizer.json", tokenizerJson()],
  ]);
}

export function tinyEncoder(family = "bert"): Promise<Encoder> {
  return loadEncoder(tinyFiles(family));
}

const VERBS = ["lives in", "works in", "was born near"];

/** "ada lives in oslo ." and its like, people and places in all pairs. */
export function taggedRows(count: number): { tokens: string[]; tags: string[] }[] {
  return Array.from({ length: count }, (_, i) => {
    const verb = VERBS[i % VERBS.length]!.split(" ");
    const [person, place] = [PEOPLE[i % 6]!, PLACES[Math.floor(i / 6) % 6]!];
    const two = i % 4 === 0;
    return {
      tokens: [person, ...(two ? ["dan"] : []), ...verb, place, "."],
      tags: ["B-PER", ...(two ? ["I-PER"] : []), ...verb.map(() => "O"), "B-LOC", "O"],
    };
  });
}

/** The same as text with ranges. */
export function spanRows(count: number): { text: string; spans: { start: number; end: number; label: string }[] }[] {
  return taggedRows(count).map(({ tokens, tags }) => {
    const spans: { start: number; end: number; label: string }[] = [];
    let at = 0;
    for (const [i, token] of tokens.entries()) {
      if (tags[i]!.startsWith("B-")) spans.push({ start: at, end: at + token.length, label: tags[i]!.slice(2) });
      if (tags[i]!.startsWith("I-")) spans.at(-1)!.end = at + token.length;
      at += token.length + 1;
    }
    return { text: tokens.join(" "), spans };
  });
}

const MOODS = [["good", "praise"], ["bad", "blame"], ["the", "fact"]] as const;

/** Three classes, by a word at some place. */
export function labelledRows(count: number): { text: string; label: string }[] {
  return Array.from({ length: count }, (_, i) => {
    const [word, label] = MOODS[i % MOODS.length]!;
    const words = [PEOPLE[i % 6]!, "met", PLACES[(i * 5) % 6]!];
    words.splice(i % 4, 0, word);
    return { text: words.join(" "), label };
  });
}

/** Two labels that do not exclude each other: both, one or none. */
export function multiRows(count: number): { text: string; labels: string[] }[] {
  return Array.from({ length: count }, (_, i) => ({
    text: [PEOPLE[i % 6]!, ...(i & 1 ? ["good"] : []), "met", ...(i & 2 ? ["old"] : []), PLACES[(i * 5) % 6]!].join(" "),
    labels: [...(i & 1 ? ["praise"] : []), ...(i & 2 ? ["age"] : [])],
  }));
}

/** Enough for the toys: seconds on one core. They are to be learnt by heart, so nothing is dropped. */
export const TOY: TrainingOptions = { layers: 2, epochs: 12, batchSize: 8, learningRate: 1e-2, dropout: 0, seed: 3 };

/** A store that keeps every blob it was given. */
export class MemoryStore implements CheckpointStore {
  readonly blobs: Uint8Array[] = [];
  readonly #first: Uint8Array | null;

  constructor(first: Uint8Array | null = null) {
    this.#first = first;
  }

  async read(): Promise<Uint8Array | null> {
    return this.blobs.at(-1) ?? this.#first;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.blobs.push(bytes);
  }
}

/** The parameters in a checkpoint, by name and in their order. */
export function parametersIn(blob: Uint8Array): Map<string, Float32Array> {
  const { tensors } = unpackCheckpoint(blob);
  return new Map([...tensors].filter(([name]) => name.startsWith("value/")).map(([name, values]) => [name.slice("value/".length), values]));
}

/** Those that a run begins with: it is aborted on its way to the first update. */
export async function initialParameters(encoder: Encoder, data: TrainingData, options: TrainingOptions): Promise<Map<string, Float32Array>> {
  const [store, controller] = [new MemoryStore(), new AbortController()];
  const aborted = { ...options, checkpoint: store, signal: controller.signal, onProgress: () => controller.abort("begun") };
  await expect(trainAdapter(encoder, data, aborted)).rejects.toBe("begun");
  expect(unpackCheckpoint(store.blobs[0]!).state).toMatchObject({ step: 0 });
  return parametersIn(store.blobs[0]!);
}
