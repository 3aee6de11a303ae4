import { AbortListeners } from "../runtime/abort-listeners.ts";
import { Encoder } from "../runtime/encoder.ts";

/** Where an encoder and the pipelines over it keep what they share. */
export const RESIDENCE = Symbol("rootstock.residence");

/** Calls of pipelines that an encoder is given at once, where its queue has more places: passes are full with fewer, and the rest is for its own calls. */
const CALLS_AT_ONCE = 64;

/** An encoder in memory and how many pipelines are over it. The last one that leaves disposes of it, if a pipeline loaded it. */
export class Residence {
  readonly encoder: Encoder;
  readonly #isOwn: boolean;
  #pipelines = 0;
  /** Calls that may be made before one has to wait; none waits while there are some. */
  #places: number;
  /** In the order of the calls. */
  readonly #waiting = new Set<() => void>();
  readonly #signals = new AbortListeners();

  /** @param isOwn false for an encoder that the caller loaded, and will dispose of */
  constructor(encoder: Encoder, isOwn: boolean) {
    this.encoder = encoder;
    this.#isOwn = isOwn;
    // One place at least is left for the encoder's own calls, unless its queue has no more than one.
    this.#places = Math.max(1, Math.min(CALLS_AT_ONCE, encoder.loaded.queueLimit - 1));
    Object.defineProperty(encoder, RESIDENCE, { value: this });
  }

  enter(): void {
    this.#pipelines++;
  }

  leave(): void {
    if (--this.#pipelines === 0 && this.#isOwn) this.encoder.dispose();
  }

  /** Makes a call of the encoder's when those before it leave a place; it must not read what its caller may change meanwhile. */
  async run<T>(signal: AbortSignal | null | undefined, call: (encoder: Encoder) => Promise<T>): Promise<T> {
    if (this.#places > 0) this.#places--;
    else await this.#place(signal);
    try {
      return await call(this.encoder);
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#places++;
      else next();
    }
  }

  /** Waits for the place of a call that has ended. */
  #place(signal: AbortSignal | null | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const end = (settle: () => void): void => {
        this.#waiting.delete(enter);
        unlisten();
        settle();
      };
      const enter = (): void => end(resolve);
      const unlisten = this.#signals.listen(signal, (reason) => end(() => reject(reason as Error)));
      this.#waiting.add(enter);
    });
  }
}

/** The residence of a pipeline, or of an encoder that has one; undefined for anything else. */
export function residenceOf(given: unknown): Residence | undefined {
  return typeof given === "function" || given instanceof Encoder ? (given as { [RESIDENCE]?: Residence })[RESIDENCE] : undefined;
}
