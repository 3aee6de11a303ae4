import type { Encoder } from "../runtime/encoder.ts";

/** An encoder in memory and how many pipelines are over it. The last one that leaves disposes of it, if a pipeline loaded it. */
export class Residence {
  readonly encoder: Encoder;
  readonly #isOwn: boolean;
  #pipelines = 0;

  /** @param isOwn false for an encoder that the caller loaded, and will dispose of */
  constructor(encoder: Encoder, isOwn: boolean) {
    this.encoder = encoder;
    this.#isOwn = isOwn;
  }

  enter(): void {
    this.#pipelines++;
  }

  leave(): void {
    if (--this.#pipelines === 0 && this.#isOwn) this.encoder.dispose();
  }
}
