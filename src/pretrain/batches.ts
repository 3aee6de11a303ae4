import { drawKey } from "../train/dropout.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import type { PairText, SentenceText, UpdateBatch } from "./batch.ts";
import { encodePair, encodeSentence, type Corpus } from "./corpus.ts";
import type { PretrainingModel } from "./model.ts";
import { BatchOrder } from "./order.ts";
import type { PretrainingSettings } from "./types.ts";

/** For the seed of the order that probes draw their batches from. */
const PROBE = 7;

/** Where the batches of both families come from. */
export class Batches {
  readonly #corpus: Corpus;
  readonly #encode: { readonly ner: (row: number) => SentenceText; readonly tc: (row: number) => PairText };
  readonly #orders: { readonly ner: BatchOrder | null; readonly tc: BatchOrder | null };
  readonly #probeOrders: { readonly ner: BatchOrder; readonly tc: BatchOrder } | null;
  readonly #settings: PretrainingSettings;

  constructor({ regime, backbone }: Pick<PretrainingModel, "regime" | "backbone">, tokenizer: TextTokenizer, corpus: Corpus, settings: PretrainingSettings) {
    this.#corpus = corpus;
    this.#settings = settings;
    const { maxLength, seed } = settings;
    this.#encode = {
      ner: (row) => encodeSentence(corpus.sentences[row]!, tokenizer, maxLength),
      tc: (row) => encodePair(corpus.pairs[row]!, tokenizer, maxLength),
    };
    const { families } = regime;
    const ner = (from: number): BatchOrder | null => (families.includes("ner") ? this.#sentenceOrder(from) : null);
    const tc = (from: number): BatchOrder | null => (families.includes("tc") ? this.#pairOrder(from) : null);
    this.#orders = { ner: ner(seed), tc: tc(seed) };
    const wantsMeans = settings.probe.averageEvery !== null && families.length > 1 && backbone.length > 0;
    const other = drawKey(seed, PROBE);
    this.#probeOrders = wantsMeans ? { ner: this.#sentenceOrder(other), tc: this.#pairOrder(other) } : null;
  }

  #sentenceOrder(seed: number): BatchOrder {
    const { batchSize } = this.#settings.ner;
    return new BatchOrder(this.#corpus.sentences, { family: "ner", seed, batchSize }, (row) => this.#encode.ner(row).ids.length);
  }

  #pairOrder(seed: number): BatchOrder {
    const { batchSize } = this.#settings.pairs;
    return new BatchOrder(this.#corpus.pairs, { family: "tc", seed, batchSize }, (row) => {
      const { a, b } = this.#encode.tc(row);
      return a.length + b.length;
    });
  }

  /** Of the update after that many. */
  ofUpdate(step: number): UpdateBatch {
    const { ner, pairs } = this.#settings;
    const take = <T>(order: BatchOrder | null, every: number, encode: (row: number) => T): T[] | null =>
      order !== null && step % every === 0 ? Array.from(order.batch(step / every), encode) : null;
    return { ner: take(this.#orders.ner, ner.every, this.#encode.ner), tc: take(this.#orders.tc, pairs.every, this.#encode.tc) };
  }

  /** Of the probe of means after that many updates; null when none is due. */
  ofProbe(step: number): readonly [UpdateBatch[], UpdateBatch[]] | null {
    const { averageEvery, batches } = this.#settings.probe;
    if (this.#probeOrders === null || averageEvery === null || step === 0 || step % averageEvery !== 0) return null;
    const { ner, tc } = this.#probeOrders;
    const first = (step / averageEvery - 1) * 2 * batches;
    const mean = (from: number): UpdateBatch[] =>
      Array.from({ length: batches }, (_, i) => ({ ner: Array.from(ner.batch(from + i), this.#encode.ner), tc: Array.from(tc.batch(from + i), this.#encode.tc) }));
    return [mean(first), mean(first + batches)];
  }
}
