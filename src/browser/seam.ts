/**
 * The piece that one part of a file ends in, until the next part begins with it: else each part would read all of the piece again,
 * from the server where it could not be stored.
 */
export class Seam {
  #kept: { readonly digest: string; readonly piece: Uint8Array<ArrayBuffer> } | null = null;

  /** Keeps a copy. */
  keep(digest: string, piece: Uint8Array<ArrayBuffer>): void {
    this.#kept = { digest, piece: piece.slice() };
  }

  /** The piece, if it is the one that was kept; none is kept afterwards. */
  take(digest: string): Uint8Array<ArrayBuffer> | null {
    const kept = this.#kept;
    this.#kept = null;
    return kept?.digest === digest ? kept.piece : null;
  }
}
