import { unreadable } from "../load/source.ts";

/**
 * Reads a body into memory that is used again and again. Chunks of the stream's own would be garbage as large as the file before
 * engines collect it: 20 MB more at the peak of loading 24 MB.
 */
export class BodyReader {
  readonly #location: string;
  readonly #signal: AbortSignal | undefined;
  readonly #bytes: ReadableStreamBYOBReader | null;
  readonly #chunks: ReadableStreamDefaultReader<Uint8Array> | null;
  #rest: Uint8Array = new Uint8Array(0);

  /** @param location for messages */
  constructor(body: ReadableStream<Uint8Array>, location: string, signal: AbortSignal | undefined) {
    this.#location = location;
    this.#signal = signal;
    this.#bytes = byteReader(body);
    this.#chunks = this.#bytes === null ? body.getReader() : null;
  }

  /**
   * The next `count` bytes, fewer only where the body ends. They lie in `memory`, or in what has taken its place: it may be
   * detached, so go on with the result's buffer.
   * @throws RootstockError `source-unreadable`; `signal.reason`
   */
  async fill(memory: ArrayBuffer, count: number): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return this.#bytes === null ? await this.#copyInto(new Uint8Array(memory, 0, count)) : await readInto(this.#bytes, memory, count);
    } catch (cause) {
      this.#signal?.throwIfAborted();
      throw unreadable(this.#location, cause);
    }
  }

  async close(): Promise<void> {
    await (this.#bytes ?? this.#chunks!).cancel().catch(() => undefined);
  }

  async #copyInto(target: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    let at = 0;
    while (at < target.length) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#chunks!.read();
        if (done) break;
        this.#rest = value;
      }
      const count = Math.min(this.#rest.length, target.length - at);
      target.set(this.#rest.subarray(0, count), at);
      this.#rest = this.#rest.subarray(count);
      at += count;
    }
    return target.subarray(0, at);
  }
}

/** null where the host's bodies are streams of chunks only. */
function byteReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return null;
  }
}

async function readInto(reader: ReadableStreamBYOBReader, memory: ArrayBuffer, count: number): Promise<Uint8Array<ArrayBuffer>> {
  let at = 0;
  while (at < count) {
    const { done, value } = await reader.read(new Uint8Array(memory, at, count - at));
    if (value === undefined) break; // cancelled
    memory = value.buffer;
    at += value.length;
    if (done) break;
  }
  return new Uint8Array(memory, 0, at);
}
