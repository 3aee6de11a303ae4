import { RootstockError } from "../errors.ts";
import { PIECE_BYTES } from "../format/manifest.ts";
import { sha256 } from "../load/byte-reader.ts";
import { readBody } from "../load/source.ts";
import type { FolderStore } from "./folder-store.ts";
import { pieceSize, type PieceList } from "./piece-list.ts";
import { askRange } from "./request.ts";

/** Bytes of the stream in pieces of `pieceBytes`, the last one shorter, in one buffer that is filled again for the next. */
async function* cut(chunks: AsyncIterable<Uint8Array>, pieceBytes: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(pieceBytes);
  let fill = 0;
  for await (let chunk of chunks) {
    while (chunk.length > 0) {
      const count = Math.min(chunk.length, pieceBytes - fill);
      buffer.set(chunk.subarray(0, count), fill);
      fill += count;
      chunk = chunk.subarray(count);
      if (fill < pieceBytes) continue;
      yield buffer;
      fill = 0;
    }
  }
  if (fill > 0) yield buffer.subarray(0, fill);
}

/** Leaves out the first `count` bytes of a stream. */
async function* skip(chunks: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (count < chunk.length) yield chunk.subarray(count);
    count = Math.max(0, count - chunk.length);
  }
}

export interface KnownFile {
  readonly url: URL;
  readonly list: PieceList;
  readonly store: FolderStore;
  readonly signal: AbortSignal | undefined;
  /** A piece could not be stored: deletes what is not needed any more. Was there anything? */
  readonly makeRoom?: () => Promise<boolean>;
  /** Called when the last piece was read: are all of them in the store? */
  readonly onEnd?: (isStored: boolean) => Promise<void>;
}

/**
 * A file whose digests are known: each piece from the store, or from the server and then into the store. What is yielded has
 * been checked. The next stored piece is read and checked while the caller copies one.
 * @throws RootstockError `source-unreadable`, `source-truncated`, `digest-mismatch`
 */
export async function* readKnown(file: KnownFile): AsyncGenerator<Uint8Array> {
  const { list, store, signal, onEnd } = file;
  const count = list.pieces.length;
  const stored = (index: number): Promise<Uint8Array | null> =>
    index < count ? store.piece(list.pieces[index]!, pieceSize(list, index)) : Promise.resolve(null);
  const storing = { isComplete: true, isOver: false };
  let ahead = stored(0);
  for (let index = 0; index < count; ) {
    const piece = await ahead;
    signal?.throwIfAborted();
    if (piece !== null) {
      ahead = stored(++index);
      yield piece;
      continue;
    }
    let end = index + 1;
    while (end < count && !(await store.hasPiece(list.pieces[end]!))) end++;
    yield* download(file, index, end, storing);
    ahead = stored((index = end));
  }
  await onEnd?.(storing.isComplete);
}

/** Pieces `from` up to and without `end`, from the server. */
async function* download(file: KnownFile, from: number, end: number, storing: { isComplete: boolean; isOver: boolean }): AsyncGenerator<Uint8Array> {
  const { url, list, store, signal, makeRoom } = file;
  const start = from * list.pieceBytes;
  const { body, at } = await askRange(url, start, Math.min(end * list.pieceBytes, list.size), list.size, signal);
  const chunks = readBody(body, url.href, signal);
  let putting = Promise.resolve();
  let index = from;
  try {
    for await (const piece of cut(skip(chunks, start - at), list.pieceBytes)) {
      const digest = list.pieces[index]!;
      if (piece.length < pieceSize(list, index)) break;
      if ((await sha256(piece)) !== digest) {
        throw new RootstockError("digest-mismatch", `${url.href}: the bytes from ${index * list.pieceBytes} on are not those that rootstock.json or an earlier answer describes (SHA-256 differs). Copy the folder to the server again.`);
      }
      // One piece at most is on its way into the store: a slow disk holds the download up, not the memory.
      await putting;
      putting = keep(digest, piece);
      yield piece;
      if (++index === end) break;
    }
  } finally {
    await putting;
  }
  if (index < end) throw new RootstockError("source-truncated", `${url.href} ends early, at piece ${index} of ${list.pieces.length}. Load again: what has arrived is kept.`);

  async function keep(digest: string, piece: Uint8Array<ArrayBuffer>): Promise<void> {
    // The store copies the piece before it first waits.
    if (storing.isOver || (await store.keepPiece(digest, piece))) return;
    // This one is fetched again another time; the buffer holds the next by now.
    storing.isComplete = false;
    storing.isOver = !(await makeRoom?.());
  }
}

/**
 * A file of unknown digests, as it comes from the server; its pieces go into the store on the way.
 * @param onEnd called with the list of all pieces; null when one of them could not be stored
 */
export async function* readNew(url: URL, body: ReadableStream<Uint8Array>, store: FolderStore, signal: AbortSignal | undefined, onEnd: (list: PieceList | null) => Promise<void>): AsyncGenerator<Uint8Array> {
  const pieces: string[] = [];
  let size = 0;
  let isStored = true;
  for await (const piece of cut(readBody(body, url.href, signal), PIECE_BYTES)) {
    const digest = await sha256(piece);
    isStored = isStored && (await store.keepPiece(digest, piece));
    pieces.push(digest);
    size += piece.length;
    yield piece;
  }
  await onEnd(isStored ? { size, pieceBytes: PIECE_BYTES, pieces } : null);
}
