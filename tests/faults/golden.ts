import { expect } from "vitest";
import type { Encoder, EncoderInfo, LoadOptions, RunOptions } from "../../src/index.ts";
import { loadOdd, ODD_ADAPTERS, words, type OddAdapter } from "../runtime/bert-odd.ts";

const ALL: RunOptions = { topK: null, ignoreLabels: [], stride: 4 };
/** Shorter and longer than the encoder reads. */
const TEXTS = [words(3, 1), words(17, 3), words(60, 4)];
const IDS = [2, 5, 6, 7, 9, 11, 3];

/** Adapters that go through every kernel together: low-rank terms, scales, shifts, input scales, norms, embeddings, both heads. */
const CHOSEN = ["all-linear", "dora-all-linear", "ia3-feedforward", "bias-all", "embedding-all", "bert-odd-token", "layers-to-transform"];
export const ADAPTERS: readonly OddAdapter[] = ODD_ADAPTERS.filter(({ name }) => CHOSEN.includes(name));
export const NAMES = ADAPTERS.map(({ name }) => name);

/** The tiny encoder with those adapters. */
export const loadGolden = (options: LoadOptions = {}): Promise<Encoder> => loadOdd(options, ADAPTERS);

/** What an encoder says to the same questions, asked in every way there is. */
export async function answers(encoder: Encoder, names: readonly string[] = NAMES): Promise<unknown> {
  return {
    runs: await encoder.runBatch([...TEXTS.map((text) => ({ text, tasks: names })), { text: TEXTS[0]!, tasks: names.slice(0, 1) }], ALL),
    logits: await Promise.all(names.map((name) => encoder.logits(IDS, name, { attentionMask: [1, 1, 0, 1, 1, 1, 1] }))),
    states: await encoder.hiddenStates(IDS, names[0] ?? null),
    rows: await encoder.forward(IDS, null),
    vectors: await encoder.embed(TEXTS, { task: names[1] ?? null, stride: 4 }),
  };
}

/** Is the encoder as it was: the same bits to every question, and the same bytes in use? */
export class Golden {
  readonly #encoder: Encoder;
  readonly #names: readonly string[];
  readonly #answers: unknown;
  readonly #memory: EncoderInfo["memory"];

  private constructor(encoder: Encoder, names: readonly string[], expected: unknown) {
    this.#encoder = encoder;
    this.#names = names;
    this.#answers = expected;
    this.#memory = encoder.info.memory;
  }

  static async of(encoder: Encoder, names: readonly string[] = NAMES): Promise<Golden> {
    return new Golden(encoder, names, await answers(encoder, names));
  }

  /** @param grown may the linear memory have grown meanwhile? */
  async expectSame(grown = false): Promise<void> {
    expect(await answers(this.#encoder, this.#names)).toEqual(this.#answers);
    const { total, ...memory } = this.#encoder.info.memory;
    const { total: before, ...expected } = this.#memory;
    expect(memory).toEqual(expected);
    if (grown) expect(total).toBeGreaterThanOrEqual(before);
    else expect(total).toBe(before);
  }

  /** The same bits from another encoder of the same folder and adapters. */
  async expectOf(encoder: Encoder): Promise<void> {
    expect(await answers(encoder, this.#names)).toEqual(this.#answers);
  }
}
