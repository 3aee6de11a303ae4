/**
 * JSON from strangers. `JSON.parse` alone keeps the last of two equal keys, reads 1e400 as Infinity and 2^53 + 1 as 2^53,
 * and takes 200,000 nested arrays; a copy of `{"__proto__": …}` into a plain object changes its prototype. So: size and
 * depth are capped before parsing and keys counted on both sides of it, objects are read into Maps, and numbers through range-checked readers.
 */

import { describe, quote, RootstockError, type ErrorCode } from "../errors.ts";
import { MAX_CONFIG_BYTES, MAX_JSON_DEPTH } from "../limits.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

export interface JsonOptions {
  /** What is being read, for messages: "config.json". */
  readonly where: string;
  /** Cap on UTF-8 bytes (UTF-16 units for a string); default MAX_CONFIG_BYTES. */
  readonly maxBytes?: number;
  /** Cap on nesting; default MAX_JSON_DEPTH. */
  readonly maxDepth?: number;
  /** The error for "not JSON" and repeated keys; default `json-invalid`. */
  readonly code?: ErrorCode;
}

/**
 * Where a value stands and which error its being wrong is. `place("config.json: hidden_size", "config-invalid")`;
 * readers put the place first in the message.
 */
export interface Place {
  readonly path: string;
  readonly code: ErrorCode;
}

export function place(path: string, code: ErrorCode = "json-invalid"): Place {
  return { path, code };
}

/** Decodes UTF-8 strictly: a replacement character would make two different names equal. */
function decodeUtf8(bytes: Uint8Array, at: Place): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new RootstockError(at.code, `${at.path}: the bytes are not UTF-8, so this is not JSON; fetch the file again.`, { cause });
  }
}

/** Index after the closing quote of the string that opens at `open`, or the text length when it never closes. */
function endOfString(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === BACKSLASH) i++;
    else if (unit === QUOTE) return i + 1;
  }
  return text.length;
}

/** The key as JSON means it: two spellings of one key ("a", "\u0061") are equal. */
function keyAt(text: string, open: number, end: number): string {
  const raw = text.slice(open + 1, end - 1);
  if (!raw.includes("\\")) return raw;
  try {
    return String(JSON.parse(text.slice(open, end)));
  } catch {
    return raw; // A broken escape: JSON.parse of the whole text will say where.
  }
}

/**
 * One linear pass over the text: refuses nesting beyond `maxDepth` (before a recursive parser sees it) and visits each key.
 * It need not judge the grammar: what it lets pass of broken JSON, JSON.parse refuses.
 * @param onKey called with a key's quotes, from the opening one to behind the closing one, and the object that it stands in
 */
function scan(text: string, at: Place, maxDepth: number, onKey: (open: number, end: number, object: object) => void): void {
  const open: (object | null)[] = []; // a mark for each open object, null for an array
  let expectKey = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === QUOTE) {
      const end = endOfString(text, i);
      const object = open.at(-1);
      if (expectKey && object) {
        onKey(i, end, object);
        expectKey = false;
      }
      i = end - 1;
    } else if (unit === 0x7b || unit === 0x5b) {
      expectKey = unit === 0x7b;
      open.push(expectKey ? {} : null);
      if (open.length > maxDepth) {
        throw new RootstockError("limit-exceeded", `${at.path}: nested deeper than ${maxDepth} levels.`);
      }
    } else if (unit === 0x7d || unit === 0x5d) {
      open.pop();
      expectKey = false;
    } else if (unit === COMMA) {
      expectKey = Boolean(open.at(-1));
    }
  }
}

/** Keys of a parsed value and all below it. */
function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inner: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  let count = Array.isArray(value) ? 0 : inner.length;
  for (const item of inner) if (typeof item === "object") count += countKeys(item);
  return count;
}

/** The error for the first key that an object has twice. */
function repeatedKey(text: string, at: Place, maxDepth: number): RootstockError {
  const seen = new Map<object, Set<string>>();
  let found = "";
  scan(text, at, maxDepth, (open, end, object) => {
    const keys = seen.get(object) ?? new Set();
    seen.set(object, keys);
    const key = keyAt(text, open, end);
    if (keys.has(key)) found ||= key;
    keys.add(key);
  });
  return new RootstockError(at.code, `${at.path}: the key ${quote(found)} occurs twice in one object.`);
}

/**
 * Parses UTF-8 bytes or text. Throws `json-invalid` (not JSON, repeated key), `limit-exceeded` (size, depth).
 * The result holds plain objects; read it with `readObject` and the other readers, never by property access.
 */
export function parseJson(source: Uint8Array | string, options: JsonOptions): unknown {
  const { where, maxBytes = MAX_CONFIG_BYTES, maxDepth = MAX_JSON_DEPTH, code = "json-invalid" } = options;
  const at = place(where, code);
  if (source.length > maxBytes) {
    throw new RootstockError("limit-exceeded", `${where}: ${source.length} bytes; at most ${maxBytes} are read.`);
  }
  const text = typeof source === "string" ? source : decodeUtf8(source, at);
  let keys = 0;
  scan(text, at, maxDepth, () => keys++);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RootstockError(code, `${where}: this is not JSON; fetch the file again.`, { cause });
  }
  // A repeated key is one that JSON.parse has lost. Comparing the keys themselves of a tokenizer's 30,522 pieces took 2 MB more.
  if (countKeys(value) !== keys) throw repeatedKey(text, at, maxDepth);
  return value;
}

/** The place of a field of the object at `parent`. */
export function field(parent: Place, key: string): Place {
  return { path: `${parent.path}: ${key.length > 80 ? `${key.slice(0, 80)}…` : key}`, code: parent.code };
}

function wrong(at: Place, expected: string, value: unknown): RootstockError {
  return new RootstockError(at.code, `${at.path}: expected ${expected}, found ${describe(value)}.`);
}

/** Own fields of a JSON object. `__proto__` is a key like any other in a Map. */
export function readObject(value: unknown, at: Place): Map<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(at, "an object", value);
  return new Map(Object.entries(value));
}

/** A whole number from `min` to `max`, both safe. 1.5, 1e400, 2^53 + 1 and -0 are refused. */
export function readInteger(value: unknown, at: Place, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || Object.is(value, -0) || value < min || value > max) {
    throw wrong(at, `a whole number from ${min} to ${max}`, value);
  }
  return value;
}

/** A finite number from `min` to `max`. */
export function readNumber(value: unknown, at: Place, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < min || value > max) {
    throw wrong(at, `a number from ${min} to ${max}`, value);
  }
  return value;
}

export function readBoolean(value: unknown, at: Place): boolean {
  if (typeof value !== "boolean") throw wrong(at, "true or false", value);
  return value;
}

/** A string without lone surrogates of at most `maxUnits` UTF-16 units. */
export function readString(value: unknown, at: Place, maxUnits = 1024): string {
  if (typeof value !== "string") throw wrong(at, "a string", value);
  if (value.length > maxUnits) throw wrong(at, `a string of at most ${maxUnits} characters`, value);
  if (/\p{Surrogate}/u.test(value)) throw wrong(at, "a string of whole characters (it has a lone surrogate)", value);
  return value;
}

/** One of a closed list of strings. */
export function readChoice<T extends string>(value: unknown, at: Place, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw wrong(at, `one of ${choices.join(", ")}`, value);
  return found;
}

/** A list of at most `maxItems`, each read by `readItem`. */
export function readList<T>(value: unknown, at: Place, maxItems: number, readItem: (item: unknown, at: Place) => T): T[] {
  if (!Array.isArray(value)) throw wrong(at, "a list", value);
  if (value.length > maxItems) throw wrong(at, `a list of at most ${maxItems}`, `${value.length} items`);
  return value.map((item: unknown, index) => readItem(item, field(at, String(index))));
}
