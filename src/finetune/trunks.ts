import type { Encoder } from "../runtime/encoder.ts";
import type { Example } from "./examples.ts";

/** Bytes of trunks that are kept from epoch to epoch: 87,000 tokens of 384 numbers. Those of further rows are made anew each time. */
const KEPT_BYTES = 128 << 20;

/** The states that training begins from: below the first adapted layer, or the last state's rows where a head alone is trained. */
export class Trunks {
  readonly #encoder: Encoder;
  readonly #depth: number;
  readonly #signal: AbortSignal | undefined;
  readonly #kept = new Map<Example, Float32Array>();
  #room = KEPT_BYTES;

  constructor(encoder: Encoder, depth: number, signal: AbortSignal | undefined) {
    this.#encoder = encoder;
    this.#depth = depth;
    this.#signal = signal;
  }

  /** Whether all of them are kept. */
  has(examples: readonly Example[]): boolean {
    return examples.every((example) => this.#kept.has(example));
  }

  /** One a text, in order, [tokens][hidden]. @throws those of the encoder, and the signal's reason */
  async of(examples: readonly Example[]): Promise<Float32Array[]> {
    const missing = examples.filter((example) => !this.#kept.has(example));
    const made = missing.length === 0 ? [] : await this.#encoder.states(missing, this.#depth, this.#signal);
    const states = new Map(missing.map((example, i) => [example, made[i]!]));
    for (const [example, state] of states) {
      if (state.byteLength > this.#room) continue;
      this.#room -= state.byteLength;
      this.#kept.set(example, state);
    }
    return examples.map((example) => this.#kept.get(example) ?? states.get(example)!);
  }
}
