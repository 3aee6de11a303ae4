import { BodyReader } from "./body-reader.ts";
import type { PieceList } from "./piece-list.ts";
import { askRange } from "./request.ts";

/** Reads a range of a file from its server: out of one body, or one for each of the parts that the file lies in. */
export class RangeReader {
  readonly #url: URL;
  readonly #list: PieceList;
  readonly #signal: AbortSignal | undefined;
  readonly #end: number;
  #at: number;
  /** Where the open body ends, as far as it is wanted. */
  #stop = 0;
  #body: BodyReader | null = null;

  /** Bytes `from` up to and without `end`. */
  constructor(url: URL, list: PieceList, from: number, end: number, signal: AbortSignal | undefined) {
    this.#url = url;
    this.#list = list;
    this.#at = from;
    this.#end = end;
    this.#signal = signal;
  }

  /**
   * Fills `target`, or its beginning where a body ends before.
   * @returns the part that was filled
   * @throws RootstockError as `askRange`; `signal.reason`
   */
  async fill(target: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    let filled = 0;
    while (filled < target.length && this.#at < this.#end) {
      const rest = target.subarray(filled);
      this.#body ??= await this.#open(rest);
      // Of the last body all is asked for: a file that goes on after its end is not the right one.
      const room = this.#stop < this.#end ? rest.subarray(0, this.#stop - this.#at) : rest;
      const { length } = await this.#body.fill(room);
      filled += length;
      this.#at += length;
      if (length < room.length) break;
      if (this.#at === this.#stop) await this.close();
    }
    return target.subarray(0, filled);
  }

  async close(): Promise<void> {
    const body = this.#body;
    this.#body = null;
    await body?.close();
  }

  /** The body that has the next byte, from that one on. @param memory for what comes before it where the server knows no ranges */
  async #open(memory: Uint8Array<ArrayBuffer>): Promise<BodyReader> {
    const { size, partBytes } = this.#list;
    const part = partBytes === undefined ? 0 : Math.floor(this.#at / partBytes);
    const start = part * (partBytes ?? size);
    const url = partBytes === undefined ? this.#url : new URL(`${this.#url.href}.part${part}`);
    const partSize = Math.min(partBytes ?? size, size - start);
    this.#stop = Math.min(start + partSize, this.#end);
    const { body, at } = await askRange(url, this.#at - start, this.#stop - start, partSize, this.#signal);
    const reader = (this.#body = new BodyReader(body, url.href, this.#signal));
    for (let skip = this.#at - start - at; skip > 0; ) {
      const { length } = await reader.fill(memory.subarray(0, skip));
      if (length === 0) break;
      skip -= length;
    }
    return reader;
  }
}
