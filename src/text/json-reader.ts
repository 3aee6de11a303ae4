import { quote, RootstockError } from "../errors.ts";
import { MAX_DIMENSION } from "../limits.ts";

/** What is read, as every refusal says it. */
export const SUPPORTED_TOKENIZERS =
  "WordPiece with BertNormalizer and BertPreTokenizer (BERT, DistilBERT, ELECTRA); " +
  "BPE with the ByteLevel pre-tokenizer and no normalizer (RoBERTa); " +
  "Unigram with Metaspace, alone or after WhitespaceSplit, and the normalizers Precompiled, NFC, NFD, NFKC, NFKD, " +
  "Lowercase, StripAccents, Strip and Replace (XLM-R, ALBERT)";

/** A value of the file for a message. */
export function shown(value: unknown): string {
  return typeof value === "string" ? quote(value) : quote(JSON.stringify(value) ?? "nothing").slice(1, -1);
}

/** A refusal of tokenizer.json. @param what what was wrong, and where. */
export function invalid(what: string): RootstockError {
  return new RootstockError("tokenizer-invalid", `tokenizer.json: ${what}. Supported: ${SUPPORTED_TOKENIZERS}.`);
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own field; what the prototype has is no field of the file. */
export function field(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export function readObject(value: unknown, where: string): JsonObject {
  if (!isObject(value)) throw invalid(`${where} is not an object`);
  return value;
}

export function readArray(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(`${where} is not a list`);
  return value;
}

/** A list of at most `most` entries. */
export function readShortArray(value: unknown, most: number, where: string): readonly unknown[] {
  const list = readArray(value, where);
  if (list.length <= most) return list;
  throw new RootstockError("limit-exceeded", `tokenizer.json: ${where} has ${list.length} entries; at most ${most} are read.`);
}

export function readString(value: unknown, where: string): string {
  if (typeof value !== "string") throw invalid(`${where} is not a string`);
  return value;
}

/** A string of at most `most` UTF-16 units, for what is looked for at each place of a text. */
export function readPiece(value: unknown, most: number, where: string): string {
  const piece = readString(value, where);
  if (piece.length <= most) return piece;
  throw new RootstockError("limit-exceeded", `tokenizer.json: ${where} has ${piece.length} UTF-16 units; at most ${most} are read.`);
}

/** A boolean; absent or null gives `fallback`. */
export function readFlag(value: unknown, fallback: boolean, where: string): boolean {
  if (value === undefined || value === null) return fallback;
  if (typeof value !== "boolean") throw invalid(`${where} is not true or false`);
  return value;
}

function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < MAX_DIMENSION && !Object.is(value, -0);
}

/** A token id: 0 … 2^24 − 1. */
export function readId(value: unknown, where: string): number {
  if (!isId(value)) throw invalid(`${where} is not a token id (an integer from 0 to ${MAX_DIMENSION - 1})`);
  return value;
}

/** A vocabulary `{piece: id}` as a map. */
export function readVocabulary(value: unknown, where: string): Map<string, number> {
  const object = readObject(value, where);
  const out = new Map<string, number>();
  for (const piece of Object.keys(object)) {
    const id = object[piece];
    // The message is made on failure alone: made for each of 30,522 pieces it would take 10 ms.
    if (!isId(id)) throw invalid(`${where}[${shown(piece)}] is not a token id`);
    out.set(piece, id);
  }
  if (out.size === 0) throw invalid(`${where} is empty`);
  return out;
}

/** The `type` of a part, "none" when the part is absent. */
export function typeOf(part: unknown): string {
  if (part === undefined || part === null) return "none";
  const type = isObject(part) ? field(part, "type") : undefined;
  return typeof type === "string" ? type : "unknown";
}
