import { RootstockError } from "../errors.ts";
import { PIECE_BYTES } from "../format/manifest.ts";
import { sha256 } from "../load/byte-reader.ts";
import { BodyReader, giveBack } from "./body-reader.ts";
import type { FolderStore } from "./folder-store.ts";
import { pieceSize, type PieceList } from "./piece-list.ts";
import { askRange } from "./request.ts";

/** A body in pieces of `pieceBytes`, the last one shorter, each in the memory of the one before. `skip` bytes come before them. */
async function* cut(reader: BodyReader, pieceBytes: number, skip = 0): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const memory = new Uint8Array(pieceBytes);
  try {
    while (skip > 0) {
      const skipped = await reader.fill(memory.subarray(0, skip));
      if (skipped.length === 0) return;
      skip -= skipped.length;
    }
    for (;;) {
      const piece = await reader.fill(memory);
      if (piece.length > 0) yield piece;
      if (piece.length < pieceBytes) return;
    }
  } finally {
    await reader.close();
    giveBack(memory.buffer);
  }
}

export interface KnownFile {
  readonly url: URL;
  readonly list: PieceList;
  readonly store: FolderStore;
  readonly storing: Storing;
  readonly signal: AbortSignal | undefined;
  /** Called when the last piece was read. */
  readonly onEnd?: () => Promise<void>;
}

/** Pieces on their way into the store: one at a time, so that a slow disk holds the download up and not the memory. */
export class Storing {
  readonly #store: FolderStore;
  readonly #makeRoom: () => Promise<boolean>;
  #put = Promise.resolve();
  #isOver = false;
  #isComplete = true;

  /** @param makeRoom deletes what is not needed any more when a piece does not fit. Was there anything? */
  constructor(store: FolderStore, makeRoom: () => Promise<boolean>) {
    this.#store = store;
    this.#makeRoom = makeRoom;
  }

  /** Starts to store a piece when the last one is stored; its memory is free then. */
  async add(digest: string, piece: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#put;
    this.#put = this.#keep(digest, piece);
  }

  /** Waits until nothing is on its way. Was everything stored? */
  async end(): Promise<boolean> {
    await this.#put;
    return this.#isComplete;
  }

  async #keep(digest: string, piece: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#isOver || (await this.#store.keepPiece(digest, piece))) return;
    // This one is fetched again another time; its memory holds the next by now.
    this.#isComplete = false;
    this.#isOver = !(await this.#makeRoom());
  }
}

/**
 * A file whose digests are known: each piece from the store, or from the server and then into the store. What is yielded has
 * been checked. The next stored piece is read and checked while the caller copies one.
 * @throws RootstockError `source-unreadable`, `source-truncated`, `digest-mismatch`
 */
export async function* readKnown(file: KnownFile): AsyncGenerator<Uint8Array> {
  const { list, store, signal, onEnd } = file;
  const count = list.pieces.length;
  const stored = async (index: number): Promise<Uint8Array<ArrayBuffer> | null> =>
    index < count ? store.piece(list.pieces[index]!, pieceSize(list, index)) : null;
  let ahead = stored(0);
  for (let index = 0; index < count; ) {
    const piece = await ahead;
    signal?.throwIfAborted();
    if (piece !== null) {
      ahead = stored(++index);
      yield piece;
      giveBack(piece.buffer);
      continue;
    }
    let end = index + 1;
    while (end < count && !(await store.hasPiece(list.pieces[end]!))) end++;
    yield* download(file, index, end);
    ahead = stored((index = end));
  }
  await onEnd?.();
}

/** Pieces `from` up to and without `end`, from the server. */
async function* download({ url, list, storing, signal }: KnownFile, from: number, end: number): AsyncGenerator<Uint8Array> {
  const start = from * list.pieceBytes;
  const { body, at } = await askRange(url, start, Math.min(end * list.pieceBytes, list.size), list.size, signal);
  let index = from;
  try {
    for await (const piece of cut(new BodyReader(body, url.href, signal), list.pieceBytes, start - at)) {
      const digest = list.pieces[index]!;
      if (piece.length < pieceSize(list, index)) break;
      if ((await sha256(piece)) !== digest) {
        throw new RootstockError("digest-mismatch", `${url.href}: the bytes from ${index * list.pieceBytes} on are not those that rootstock.json or an earlier answer describes (SHA-256 differs). Copy the folder to the server again.`);
      }
      await storing.add(digest, piece);
      yield piece;
      if (++index === end) break;
    }
  } finally {
    // Whoever loads again at once finds what has arrived.
    if (index < end) await storing.end();
  }
  if (index < end) throw new RootstockError("source-truncated", `${url.href} ends early, at piece ${index} of ${list.pieces.length}. Load again: what has arrived is kept.`);
}

/**
 * A file of unknown digests, as it comes from the server; its pieces go into the store on the way.
 * @param onEnd called with the list of all pieces; null when one of them could not be stored
 */
export async function* readNew(url: URL, body: ReadableStream<Uint8Array>, store: FolderStore, signal: AbortSignal | undefined, onEnd: (list: PieceList | null) => Promise<void>): AsyncGenerator<Uint8Array> {
  const pieces: string[] = [];
  let size = 0;
  let isStored = true;
  for await (const piece of cut(new BodyReader(body, url.href, signal), PIECE_BYTES)) {
    const digest = await sha256(piece);
    isStored = isStored && (await store.keepPiece(digest, piece));
    pieces.push(digest);
    size += piece.length;
    yield piece;
  }
  await onEnd(isStored ? { size, pieceBytes: PIECE_BYTES, pieces } : null);
}
