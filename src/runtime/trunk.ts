/// <reference lib="esnext.disposable" preserve="true" />
import { RootstockError } from "../errors.ts";
import type { TrunkState } from "../run/pass-text.ts";
import type { EncodedText } from "./requests.ts";

/** What a trunk holds: the text as tokens, and a state for each of its windows. */
export interface TrunkContent {
  readonly text: EncodedText;
  readonly states: readonly TrunkState[];
}

/**
 * A text's state at the end of the trunk, made once by `encoder.trunk` and taken by any number of `run`s, for tasks that
 * change no layer below. It holds memory of the JavaScript heap until it is disposed.
 */
export class Trunk {
  readonly text: string;
  /** Layers that have run. Tasks whose `firstLayer` is below start from the text again. */
  readonly depth: number;
  readonly #owner: object;
  #content: TrunkContent | null;

  /** @internal @param owner stands for the encoder that it is of */
  constructor(owner: object, content: TrunkContent) {
    this.text = content.text.text;
    this.depth = content.states[0]?.depth ?? 0;
    this.#owner = owner;
    this.#content = content;
  }

  /** Bytes held; 0 when it is disposed. */
  get bytes(): number {
    return (this.#content?.states ?? []).reduce((sum, { rows }) => sum + (rows?.byteLength ?? 0), 0);
  }

  dispose(): void {
    this.#content = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal @throws RootstockError `disposed`, `argument-invalid` for a trunk of another encoder. */
  open(owner: object): TrunkContent {
    if (owner !== this.#owner) throw new RootstockError("argument-invalid", "the trunk is of another encoder. Make one with this encoder's trunk().");
    if (this.#content === null) throw new RootstockError("disposed", "the trunk was disposed. Make it again.");
    return this.#content;
  }
}
