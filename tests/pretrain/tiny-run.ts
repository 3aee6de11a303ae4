// A tiny encoder with a tokenizer, rows of both families in its words, and settings to train it in a moment.
import type { CheckpointStore } from "../../src/finetune/types.ts";
import type { PretrainingData, PretrainingOptions } from "../../src/pretrain/types.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";

export const ENCODER = tinyFolder("bert");

const word = (i: number): string => `w${((i % 40) + 40) % 40}`;

/** 40 sentences: words 0–9 are of the type "low", 10–19 "next" in the source "gold"; "weak" marks words from 30 on as "high". */
const SENTENCES = Array.from({ length: 40 }, (_, row) => {
  const numbers = Array.from({ length: 3 + (row % 7) }, (__, i) => (row * 7 + i * 13) % 40);
  const isGold = row % 4 !== 3;
  const tags = numbers.map((n) => (isGold ? (n < 10 ? "B-low" : n < 20 ? "B-next" : "O") : n >= 30 ? "B-high" : "O"));
  return { tokens: numbers.map(word), tags, source: isGold ? "gold" : "weak" };
});

const PAIRS = Array.from({ length: 30 }, (_, row) => ({ a: [row, row + 3, row * 5].map(word).join(" "), b: [row + 1, row + 4].map(word).join(" "), source: "facts" }));

export const DATA = { ner: [{ name: "ner", rows: SENTENCES }], pairs: [{ name: "pairs", rows: PAIRS }] } satisfies PretrainingData;

export const OPTIONS: PretrainingOptions = {
  regime: "task-primary", steps: 8, maxLength: 16, adapter: { layers: 2, rank: 2 }, ner: { batchSize: 4 }, pairs: { batchSize: 5 },
  learningRates: { backbone: 1e-3, head: 1e-2, adapters: 1e-2 }, sources: { weak: { outside: "ignored" } }, probe: { every: 3, averageEvery: 4, batches: 2 },
};

/** A checkpoint in memory that remembers how often it was written. */
export class MemoryStore implements CheckpointStore {
  bytes: Uint8Array | null;
  writes = 0;

  constructor(bytes: Uint8Array | null = null) {
    this.bytes = bytes;
  }

  async read(): Promise<Uint8Array | null> {
    return this.bytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.writes++;
    this.bytes = bytes;
  }
}
