import { RootstockError } from "../errors.ts";
import type { TrunkState } from "../run/pass.ts";
import type { EncodedText } from "./requests.ts";

/**
 * A text's state at the end of the trunk, made once by `encoder.trunk` and taken by any number of `run`s, for tasks that
 * change no layer below. It holds memory of the JavaScript heap until it is disposed.
 */
export class Trunk {
  readonly #owner: unknown;
  readonly #text: EncodedText;
  #states: readonly TrunkState[];

  /** @internal One state a window. */
  constructor(owner: unknown, text: EncodedText, states: readonly TrunkState[]) {
    this.#owner = owner;
    this.#text = text;
    this.#states = states;
  }

  /** What offsets count in: the text, or the given words joined by one space. */
  get text(): string {
    return this.#text.text;
  }

  /** Layers that have run. Tasks whose `firstLayer` is below start from the text again. */
  get depth(): number {
    return this.#states[0]?.depth ?? 0;
  }

  /** Bytes held; 0 when it is disposed. */
  get bytes(): number {
    return this.#states.reduce((sum, { rows }) => sum + (rows?.byteLength ?? 0), 0);
  }

  dispose(): void {
    this.#states = [];
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal @throws RootstockError `disposed`, `argument-invalid` for a trunk of another encoder. */
  open(owner: unknown): { text: EncodedText; states: readonly TrunkState[] } {
    if (owner !== this.#owner) throw new RootstockError("argument-invalid", "the trunk is of another encoder. Make one with this encoder's trunk().");
    if (this.#states.length === 0) throw new RootstockError("disposed", "the trunk was disposed. Make it again.");
    return { text: this.#text, states: this.#states };
  }
}
