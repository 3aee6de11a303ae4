import type { TrunkState } from "../run/pass-text.ts";

/** Trunks of texts seen before, by their ids, up to a number of bytes; the one used longest ago goes first. */
export class TrunkCache {
  readonly budget: number;
  readonly #states = new Map<string, TrunkState>();
  #bytes = 0;

  constructor(budget: number) {
    this.budget = budget;
  }

  get isOn(): boolean {
    return this.budget > 0;
  }

  /** Bytes of the states held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A state no deeper than `depth`. */
  get(ids: Int32Array, depth: number): TrunkState | undefined {
    const key = ids.join();
    const state = this.#states.get(key);
    if (state === undefined || state.depth > depth) return undefined;
    this.#states.delete(key);
    this.#states.set(key, state);
    return state;
  }

  /** Keeps a state that a pass has made, in place of another of the same text. */
  set(ids: Int32Array, state: TrunkState): void {
    const bytes = state.rows?.byteLength ?? 0;
    if (bytes === 0 || bytes > this.budget) return;
    const key = ids.join();
    this.#delete(key);
    this.#states.set(key, state);
    this.#bytes += bytes;
    for (const oldest of this.#states.keys()) {
      if (this.#bytes <= this.budget) break;
      this.#delete(oldest);
    }
  }

  #delete(key: string): void {
    this.#bytes -= this.#states.get(key)?.rows?.byteLength ?? 0;
    this.#states.delete(key);
  }
}
