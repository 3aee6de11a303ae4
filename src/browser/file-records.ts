import { MAX_PIECE_BYTES } from "../limits.ts";
import type { PieceList } from "./piece-list.ts";

/** What is remembered of a file that no manifest lists. */
export type FileRecord = StoredFile | { readonly missing: true; readonly pieces?: undefined };

/** A stored file, and the validators its server gave for it. */
export interface StoredFile extends PieceList {
  readonly missing?: undefined;
  readonly etag: string | null;
  readonly modified: string | null;
}

/** A folder's records by name, as they were stored; none when one of them is no record, as any script of the origin may write to the cache. */
export function parseRecords(text: string): Map<string, FileRecord> {
  const records = new Map<string, FileRecord>();
  try {
    for (const [name, value] of JSON.parse(text) as [unknown, unknown][]) {
      const record = readRecord(value as Fields);
      if (typeof name !== "string" || record === null) return new Map();
      records.set(name, record);
    }
  } catch {
    return new Map();
  }
  return records;
}

type Fields = Partial<Record<keyof StoredFile, unknown>>;

/** null for what is none. Throws for what has no fields. */
function readRecord(value: Fields): FileRecord | null {
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
