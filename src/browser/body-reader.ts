import { unreadable } from "../load/source.ts";

/** Frees memory that nobody reads any more, where the engine can: collectors let as much as the whole file gather before they run. */
export function giveBack(memory: ArrayBufferLike): void {
  (memory as ArrayBuffer & { transfer?: (length: number) => ArrayBuffer }).transfer?.(0);
}

/**
 * Reads a body into memory that is used again and again. A reader of mode "byob", which streams have for this, saves a copy and up to
 * 20 MB at the peak of loading 24 MB; but in Chromium 156 such reads of cached bodies stalled for good once in thirty loads.
 */
export class BodyReader {
  readonly #location: string;
  readonly #signal: AbortSignal | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #ownsChunks: boolean;
  #chunk: Uint8Array = new Uint8Array(0);
  #taken = 0;

  /** @param location for messages */
  constructor(body: ReadableStream<Uint8Array>, location: string, signal: AbortSignal | undefined) {
    this.#location = location;
    this.#signal = signal;
    this.#ownsChunks = isByteStream(body);
    this.#reader = body.getReader();
  }

  /**
   * Fills `target`, or its beginning where the body ends before.
   * @returns the part that was filled
   * @throws RootstockError `source-unreadable`; `signal.reason`
   */
  async fill(target: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    let at = 0;
    while (at < target.length && (this.#taken < this.#chunk.length || (await this.#next()))) {
      const count = Math.min(this.#chunk.length - this.#taken, target.length - at);
      target.set(this.#chunk.subarray(this.#taken, this.#taken + count), at);
      this.#taken += count;
      at += count;
    }
    return target.subarray(0, at);
  }

  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }

  async #next(): Promise<boolean> {
    if (this.#ownsChunks) giveBack(this.#chunk.buffer);
    this.#chunk = new Uint8Array(0);
    this.#taken = 0;
    try {
      const { done, value } = await this.#reader.read();
      if (!done) this.#chunk = value;
      return !done;
    } catch (cause) {
      this.#signal?.throwIfAborted();
      throw unreadable(this.#location, cause);
    }
  }
}

/** A byte stream hands its chunks' memory over; those of another stream may still be its maker's. */
function isByteStream(body: ReadableStream<Uint8Array>): boolean {
  try {
    body.getReader({ mode: "byob" }).releaseLock();
    return true;
  } catch {
    return false;
  }
}
