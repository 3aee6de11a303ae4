import type { Manifest, ManifestFile } from "../format/types.ts";

/** How a file is cut and what its pieces must be: all that is needed to fetch, check and store it piece by piece. */
export interface PieceList {
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes of every piece but the last. */
  readonly pieceBytes: number;
  /** SHA-256 of each piece, 64 lower-case hexadecimal digits. */
  readonly pieces: readonly string[];
  /** The server has it as `NAME.part0`, `NAME.part1`, … of so many bytes, the last one shorter. Pieces go on from one to the next. */
  readonly partBytes?: number | undefined;
}

/** What a name stands for: bytes `from` up to and without `to` of the file `name`. */
export interface Extent {
  readonly name: string;
  readonly list: PieceList;
  readonly from: number;
  readonly to: number;
}

/** A file of a converted encoder. One that rootstock.json lists without pieces is a piece of its own; none is longer than its file. */
export function listedPieces({ size, sha256, pieces, partBytes }: ManifestFile): PieceList {
  if (size === 0) return { size, pieceBytes: 1, pieces: [] };
  return { size, pieceBytes: Math.min(pieces?.bytes ?? size, size), pieces: pieces?.sha256 ?? [sha256], partBytes };
}

/** A file that rootstock.json lists, or a part of one; null for any other name. */
export function findListed({ files }: Manifest, file: string): Extent | null {
  const [, whole = file, part] = files.has(file) ? [] : (/^(.+)\.part(0|[1-9]\d{0,3})$/.exec(file) ?? []);
  const listed = files.get(whole);
  if (listed === undefined) return null;
  const list = listedPieces(listed);
  if (part === undefined) return wholeFile(whole, list);
  const partBytes = list.partBytes ?? 0;
  const from = Number(part) * partBytes;
  const to = Math.min(from + partBytes, list.size);
  return from < to ? { name: whole, list, from, to } : null;
}

export function wholeFile(name: string, list: PieceList): Extent {
  return { name, list, from: 0, to: list.size };
}

/** Bytes of the piece at `index`. */
export function pieceSize({ size, pieceBytes }: PieceList, index: number): number {
  return Math.min(pieceBytes, size - index * pieceBytes);
}
