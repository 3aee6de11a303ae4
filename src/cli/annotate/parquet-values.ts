import type { ParquetParsers } from "hyparquet";
import { Decimal } from "./parquet-decimals.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * How values of Parquet's richer types are read: as text that says them exactly. The library's own `Date` has milliseconds
 * only. Old writers leave their strings without a type, so bytes are text where they are UTF-8, else base64.
 */
export const PARSERS: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (millis) => instant(millis, 3),
  timestampFromMicroseconds: (micros) => instant(micros, 6),
  timestampFromNanoseconds: (nanos) => instant(nanos, 9),
  dateFromDays: (days: number | undefined) => (days == null ? null : date(days)),
  geographyFromBytes: (bytes: Uint8Array | undefined) => bytes, // decimals: see Decimals
  stringFromBytes: (bytes: Uint8Array | undefined) => (bytes === undefined ? null : textOrBase64(bytes)),
  jsonFromBytes: (bytes: Uint8Array | undefined) => (bytes === undefined ? null : jsonOrText(textOrBase64(bytes))),
};

/** A value of a JSON column: as it was written, since numbers have more digits there than here. */
export class JsonValue {
  /** On one line. */
  readonly text: string;
  readonly value: unknown;

  constructor(text: string) {
    this.value = JSON.parse(text);
    // Line breaks stand between tokens alone: within strings JSON escapes them.
    this.text = text.replace(/[\r\n]+/g, " ").trim();
  }
}

/** What is no JSON, whatever its column says, is a text. */
function jsonOrText(text: string): JsonValue | string {
  try {
    return new JsonValue(text);
  } catch {
    return text;
  }
}

function textOrBase64(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return base64(bytes);
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** ISO 8601, or the days since 1970 where that has no such date. */
function date(days: number): string {
  const start = new Date(days * 86_400_000);
  return Number.isNaN(start.getTime()) ? String(days) : start.toISOString().replace(/T.*/, "");
}

/** ISO 8601 with `digits` digits of a second. */
function instant(count: bigint | null | undefined, digits: number): string | null {
  if (count == null) return null;
  const perSecond = 10n ** BigInt(digits);
  const part = ((BigInt(count) % perSecond) + perSecond) % perSecond;
  const date = new Date(Number((BigInt(count) - part) / perSecond) * 1000);
  if (Number.isNaN(date.getTime())) return String(count);
  return date.toISOString().replace(/\.\d+Z$/, `.${String(part).padStart(digits, "0")}Z`);
}

/** A value as JSON: whole numbers of any size digit for digit, bytes as base64, what JSON cannot say as null. */
export function jsonText(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return JSON.stringify(value);
  if (value instanceof Decimal || value instanceof JsonValue) return value.text;
  if (value instanceof Date) return JSON.stringify(value);
  if (value instanceof Uint8Array) return JSON.stringify(base64(value));
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return `[${Array.from(value as unknown as ArrayLike<unknown>, jsonText).join(",")}]`;
  if (typeof value !== "object" || value === null) return "null";
  return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${jsonText(item)}`).join(",")}}`;
}
