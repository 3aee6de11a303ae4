import { RootstockError } from "../errors.ts";
import { beginReading, endReading, noBytes, release, type OpenFile } from "./source.ts";

export interface ReaderOptions {
  readonly name: string;
  readonly signal: AbortSignal | undefined;
  /** Called with the number of bytes read so far. */
  readonly onBytes?: ((read: number) => void) | undefined;
  /** Hash the file in pieces of this many bytes; `digests` then holds them. */
  readonly pieceBytes?: number | undefined;
}

const DIGESTS_AT_ONCE = 8;

/** Reads a file front to back into buffers of the caller's; nothing is held but one chunk and one piece being hashed. */
export class ByteReader {
  readonly #file: OpenFile;
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #options: ReaderOptions;
  readonly size: number | null;
  #chunk: Uint8Array = new Uint8Array(0);
  #position = 0;
  #piece: Uint8Array<ArrayBuffer> | null = null;
  #pieceFill = 0;
  readonly #digests: Promise<string>[] = [];

  constructor(file: OpenFile, options: ReaderOptions) {
    this.#file = file;
    this.#iterator = beginReading(file, options.name);
    this.#options = options;
    this.size = file.size;
  }

  /** Fills `target`. @throws RootstockError `source-truncated` when the file ends before. */
  async readInto(target: Uint8Array): Promise<void> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#chunk.length === 0) {
        // Looked at again: its buffer may have been given away by the time that this goes on.
        if (await this.#next()) continue;
        throw new RootstockError(
          "source-truncated",
          `${this.#options.name} ends after ${this.#position} bytes, ${target.length - filled} short. Copy or download it again.`,
        );
      }
      const count = Math.min(this.#chunk.length, target.length - filled);
      target.set(this.#chunk.subarray(0, count), filled);
      this.#take(count);
      filled += count;
    }
  }

  async read(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    await this.readInto(bytes);
    return bytes;
  }

  /** All that is left, at most `limit` bytes. @throws RootstockError `limit-exceeded` beyond it, before reading where the size is known. */
  async readRest(limit: number): Promise<Uint8Array> {
    if (this.size !== null && this.size - this.#position > limit) throw this.#larger(limit);
    const parts: Uint8Array[] = [];
    let total = 0;
    while (this.#chunk.length > 0 || (await this.#next())) {
      if (this.#chunk.length === 0) continue;
      total += this.#chunk.length;
      if (total > limit) throw this.#larger(limit);
      // Not `slice`, which makes no copy of a Node Buffer: a source may use its buffer again.
      parts.push(new Uint8Array(this.#chunk));
      this.#take(this.#chunk.length);
    }
    if (parts.length === 1) return parts[0]!;
    const whole = new Uint8Array(total);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  /** Is everything read? @throws RootstockError `source-truncated` ("longer than") when bytes are left. */
  async expectEnd(): Promise<void> {
    if (this.#chunk.length > 0 || (await this.#next())) {
      throw new RootstockError("source-truncated", `${this.#options.name} goes on after ${this.#position} bytes, where it should end.`);
    }
    if (this.#piece !== null && this.#pieceFill > 0) this.#hashPiece();
  }

  /** SHA-256 of each piece, in order; complete after `expectEnd`. */
  digests(): Promise<string[]> {
    return Promise.all(this.#digests);
  }

  /** SHA-256 of the pieces that hold what was read so far; reads on to the end of the last of them, and drops it. */
  async digestsSoFar(): Promise<string[]> {
    const wanted = Math.max(1, Math.ceil(this.#position / (this.#options.pieceBytes ?? Infinity)));
    while (this.#digests.length < wanted && (await this.#next()));
    if (this.#digests.length < wanted && this.#pieceFill > 0) this.#hashPiece();
    return this.digests();
  }

  /** Ends the underlying read early, or before it began. What fails at that changes no outcome: all was read, or there is an error to tell already. */
  async close(): Promise<void> {
    await endReading(this.#iterator);
    await release(this.#file);
  }

  #larger(limit: number): RootstockError {
    return new RootstockError("limit-exceeded", `${this.#options.name} is larger than ${limit} bytes, the most that is read.`);
  }

  async #next(): Promise<boolean> {
    this.#options.signal?.throwIfAborted();
    // `digest` copies what it gets: no more than so many pieces at a time.
    await this.#digests.at(-DIGESTS_AT_ONCE);
    for (;;) {
      const { done, value } = await this.#iterator.next();
      if (done) return false;
      if ((value as Uint8Array | null)?.BYTES_PER_ELEMENT !== 1) throw noBytes(this.#options.name, value);
      if (value.length === 0) continue;
      this.#chunk = isLasting(value) ? value : new Uint8Array(value);
      this.#hash(this.#chunk);
      return true;
    }
  }

  #take(count: number): void {
    this.#chunk = this.#chunk.subarray(count);
    this.#position += count;
    this.#options.onBytes?.(this.#position);
  }

  /** Hashes a chunk that arrived: as it is where it holds whole pieces, gathered where it does not. */
  #hash(chunk: Uint8Array): void {
    const { pieceBytes } = this.#options;
    if (pieceBytes === undefined) return;
    for (let from = 0; from < chunk.length; ) {
      if (this.#pieceFill === 0 && chunk.length - from >= pieceBytes) {
        this.#pushDigest(chunk.subarray(from, from + pieceBytes) as Uint8Array<ArrayBuffer>);
        from += pieceBytes;
        continue;
      }
      this.#piece ??= new Uint8Array(pieceBytes);
      const n = Math.min(chunk.length - from, pieceBytes - this.#pieceFill);
      this.#piece.set(chunk.subarray(from, from + n), this.#pieceFill);
      this.#pieceFill += n;
      from += n;
      if (this.#pieceFill === pieceBytes) this.#hashPiece();
    }
  }

  #hashPiece(): void {
    // `digest` copies its input before it returns, so the buffer can be filled again.
    this.#pushDigest(this.#piece!.subarray(0, this.#pieceFill));
    this.#pieceFill = 0;
  }

  #pushDigest(piece: Uint8Array<ArrayBuffer>): void {
    const digest = sha256(piece);
    // Whoever waits for the digests hears of it; until then it is no unhandled rejection.
    digest.catch(() => undefined);
    this.#digests.push(digest);
  }
}

/** All of an open file of at most `limit` bytes, which is closed afterwards. @throws RootstockError as the source, `limit-exceeded`. */
export async function readWhole(file: OpenFile, name: string, limit: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const reader = new ByteReader(file, { name, signal });
  try {
    return await reader.readRest(limit);
  } finally {
    await reader.close();
  }
}

/** Bytes that no other thread writes to and that stay as many: `digest` refuses others, and what was checked must be what is used. */
function isLasting({ buffer }: Uint8Array): boolean {
  return buffer instanceof ArrayBuffer && (buffer as { readonly resizable?: boolean }).resizable !== true;
}

/** Can this host hash? Browsers give `crypto.subtle` to secure contexts only. */
export function canHash(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

/** SHA-256 as 64 hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
