import { RootstockError } from "../errors.ts";
import { PIECE_BYTES } from "../format/manifest.ts";
import { sha256 } from "../load/byte-reader.ts";
import { BodyReader, giveBack } from "./body-reader.ts";
import type { FolderStore } from "./folder-store.ts";
import { pieceSize, type Extent, type PieceList } from "./piece-list.ts";
import { RangeReader } from "./range-reader.ts";
import type { Seam } from "./seam.ts";

/** What a reader gives in pieces of `pieceBytes`, the last one shorter, each in the memory of the one before. */
async function* cut(reader: Pick<BodyReader, "fill" | "close">, pieceBytes: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const memory = new Uint8Array(pieceBytes);
  try {
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

export interface KnownFile extends Extent {
  /** Of the whole file. */
  readonly url: URL;
  readonly store: FolderStore;
  readonly storing: Storing;
  readonly seam: Seam;
  readonly signal: AbortSignal | undefined;
  /** Called when the last piece was read. */
  onEnd(): Promise<void>;
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
 * A file whose digests are known, or a part of it: each piece from the store, or from the server and then into the store. What is
 * yielded has been checked. The next stored piece is read and checked while the caller copies one.
 * @throws RootstockError `source-unreadable`, `source-truncated`, `digest-mismatch`
 */
export async function* readKnown(file: KnownFile): AsyncGenerator<Uint8Array> {
  const { list, from, to, store, seam, signal } = file;
  const count = Math.ceil(to / list.pieceBytes);
  const stored = async (at: number): Promise<Uint8Array<ArrayBuffer> | null> =>
    at < count ? (seam.take(list.pieces[at]!) ?? store.piece(list.pieces[at]!, pieceSize(list, at))) : null;
  /** What lies between `from` and `to`. */
  const within = (piece: Uint8Array<ArrayBuffer>, at: number): Uint8Array => {
    const start = at * list.pieceBytes;
    if (start + piece.length > to) seam.keep(list.pieces[at]!, piece);
    return piece.subarray(Math.max(0, from - start), to - start);
  };
  let index = Math.floor(from / list.pieceBytes);
  let ahead = stored(index);
  while (index < count) {
    const piece = await ahead;
    signal?.throwIfAborted();
    if (piece !== null) {
      ahead = stored(index + 1);
      yield within(piece, index++);
      giveBack(piece.buffer);
      continue;
    }
    let end = index + 1;
    while (end < count && !(await store.hasPiece(list.pieces[end]!))) end++;
    for await (const arrived of download(file, index, end)) yield within(arrived, index++);
    ahead = stored(index);
  }
  await file.onEnd();
}

/** Pieces `from` up to and without `end`, from the server. */
async function* download({ url, list, storing, signal }: KnownFile, from: number, end: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = new RangeReader(url, list, from * list.pieceBytes, Math.min(end * list.pieceBytes, list.size), signal);
  let index = from;
  try {
    for await (const piece of cut(reader, list.pieceBytes)) {
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
