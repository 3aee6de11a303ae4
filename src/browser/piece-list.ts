import { MAX_PIECE_BYTES } from "../limits.ts";
import type { ManifestFile } from "../format/types.ts";

/** How a file is cut and what its pieces must be: all that is needed to fetch, check and store it piece by piece. */
export interface PieceList {
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes of every piece but the last. */
  readonly pieceBytes: number;
  /** SHA-256 of each piece, 64 lower-case hexadecimal digits. */
  readonly pieces: readonly string[];
}

/** A file of a converted encoder. One that rootstock.json lists without pieces is a piece of its own; none is longer than its file. */
export function listedPieces({ size, sha256, pieces }: ManifestFile): PieceList {
  if (size === 0) return { size, pieceBytes: 1, pieces: [] };
  return { size, pieceBytes: Math.min(pieces?.bytes ?? size, size), pieces: pieces?.sha256 ?? [sha256] };
}

/** Bytes of the piece at `index`. */
export function pieceSize({ size, pieceBytes }: PieceList, index: number): number {
  return Math.min(pieceBytes, size - index * pieceBytes);
}

/** What is remembered of a file that no manifest lists. */
export type FileRecord = StoredFile | { readonly missing: true };

/** A stored file, and the validators its server gave for it. */
export interface StoredFile extends PieceList {
  readonly missing?: undefined;
  readonly etag: string | null;
  readonly modified: string | null;
}

/** A record as it was stored; null when it is not one, as any script of the origin may write to the cache. */
export function parseRecord(text: string): FileRecord | null {
  let value: Partial<Record<keyof StoredFile, unknown>>;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  if (value.missing === true) return { missing: true };
  const { size, pieceBytes, pieces, etag, modified } = value;
  if (!isCount(size) || !isCount(pieceBytes) || pieceBytes === 0 || pieceBytes > MAX_PIECE_BYTES || !isTextOrNull(etag) || !isTextOrNull(modified)) return null;
  if (!Array.isArray(pieces) || pieces.length !== Math.ceil(size / pieceBytes)) return null;
  if (!pieces.every((digest): digest is string => typeof digest === "string" && /^[0-9a-f]{64}$/.test(digest))) return null;
  return { size, pieceBytes, pieces, etag, modified };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}
