import { invalid } from "./json-reader.ts";
import { isInsidePair } from "./surrogate-pair.ts";

const HAS_VALUE = 1 << 8;
const LABEL = 0x8000_00ff | 0;
const VALUE = 0x7fff_ffff;

/** Below this no character joins a grapheme, but for line feed behind carriage return. */
const FIRST_JOINING = 0x300;

/** First and last of other stretches without: Greek, Cyrillic, Armenian; punctuation; kana and ideographs; full-width forms. */
const APART = [0x370, 0x482, 0x48a, 0x58f, 0x2010, 0x2027, 0x3001, 0x3029, 0x3030, 0x3098, 0x309b, 0x9fff, 0xff01, 0xff9d] as const;

/** Whether a unit may be of a character that others join, or that joins them. To ask for graphemes takes 10 µs, so most texts should not. */
function mayJoin(unit: number): boolean {
  if (unit < FIRST_JOINING) return false;
  for (let i = 0; i < APART.length; i += 2) if (unit >= (APART[i] as number) && unit <= (APART[i + 1] as number)) return false;
  return true;
}

/** Most graphemes have fewer than 10 units. */
const WINDOW_UNITS = 64;

/** Graphemes of this many bytes and more are mapped one character at a time. */
const LONG_GRAPHEME_BYTES = 6;

/** A stretch of a text that is to be written otherwise, in units. */
export interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * SentencePiece's `precompiled_charsmap`: a double array over UTF-8 (Darts, as its sources have it), whose values are places
 * in a list of strings that end at NUL. A unit with bit 31 is a value; else bits 0–7 are the byte that leads to it, bit 8
 * says that a value follows, and bits 9–31 where from here the next bytes are.
 */
export class CharsMap {
  readonly #units: Uint32Array;
  readonly #strings: Uint8Array;
  /** The strings that were asked for, by place; at most as many as the file has. */
  readonly #known = new Map<number, string>();
  /** What the characters below FIRST_JOINING become. */
  readonly #plain: readonly (string | null)[];
  readonly #graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  /** @throws RootstockError `tokenizer-invalid` for anything but base64 of a sound map. */
  constructor(base64: unknown) {
    const bytes = decodeBase64(base64);
    const size = bytes.length < 4 ? 0 : new DataView(bytes.buffer).getUint32(0, true);
    if (size === 0 || size % 4 !== 0 || size > bytes.length - 4) throw unsound("says a wrong size of its trie");
    this.#units = new Uint32Array(size / 4);
    const view = new DataView(bytes.buffer, 4, size);
    for (let i = 0; i < this.#units.length; i++) this.#units[i] = view.getUint32(4 * i, true);
    this.#strings = bytes.subarray(4 + size);
    try {
      this.#utf8.decode(this.#strings);
    } catch {
      throw unsound("has strings that are no UTF-8");
    }
    checkUnits(this.#units, this.#strings);
    this.#plain = Array.from({ length: FIRST_JOINING }, (_, codePoint) => this.#firstMatch(String.fromCodePoint(codePoint)));
  }

  /** What is to be replaced in `text`, in order: whole short graphemes first, else single characters, as the reference does. */
  *replacements(text: string): Generator<Replacement> {
    for (let at = 0; at < text.length; ) {
      const end = certainEnd(text, at);
      if (end === at + 1) {
        const unit = text.charCodeAt(at);
        const mapped = unit < FIRST_JOINING ? (this.#plain[unit] as string | null) : this.#firstMatch(text.slice(at, end));
        if (mapped !== null) yield { from: at, to: end, text: mapped };
      } else {
        yield* this.#joined(text, at, end);
      }
      at = end;
    }
  }

  /** Of a long text V8 takes a copy for each grapheme (44 s for 90,000 units), so graphemes are found in short windows of it. */
  *#joined(text: string, at: number, end: number): Generator<Replacement> {
    let size = WINDOW_UNITS;
    for (let from = at; from < end; ) {
      const cut = Math.min(end, from + size);
      const to = cut < end && isInsidePair(text, cut) ? cut + 1 : cut;
      let done = from;
      for (const { segment } of this.#graphemes.segment(text.slice(from, to))) {
        if (to < end && done + segment.length === to) break; // what follows may belong to it
        yield* this.#grapheme(segment, done);
        done += segment.length;
      }
      size = done > from ? WINDOW_UNITS : 2 * size;
      from = done;
    }
  }

  *#grapheme(grapheme: string, base: number): Generator<Replacement> {
    const whole = byteLength(grapheme) < LONG_GRAPHEME_BYTES ? this.#firstMatch(grapheme) : null;
    if (whole !== null) return yield { from: base, to: base + grapheme.length, text: whole };
    let from = base;
    for (const character of grapheme) {
      const mapped = this.#firstMatch(character);
      if (mapped !== null) yield { from, to: from + character.length, text: mapped };
      from += character.length;
    }
  }

  /** The string of the shortest beginning of `text` that has one, which is all that the reference asks for; null if none has. */
  #firstMatch(text: string): string | null {
    let at = childrenOf(this.#units, 0);
    for (const byte of utf8Bytes(text)) {
      const next = at ^ byte;
      const unit = this.#units[next] as number;
      if (byte === 0 || (unit & LABEL) !== byte) return null;
      at = childrenOf(this.#units, next);
      if ((unit & HAS_VALUE) !== 0) return this.#stringAt((this.#units[at] as number) & VALUE);
    }
    return null;
  }

  #stringAt(place: number): string {
    let text = this.#known.get(place);
    if (text === undefined) {
      const end = this.#strings.indexOf(0, place);
      text = this.#utf8.decode(this.#strings.subarray(place, end < 0 ? this.#strings.length : end));
      this.#known.set(place, text);
    }
    return text;
  }
}

/** Where a unit's children are: this place, exclusive-or their byte. */
function childrenOf(units: Uint32Array, at: number): number {
  const unit = units[at] as number;
  return (at ^ ((unit >>> 10) << ((unit & (1 << 9)) >>> 6))) >>> 0;
}

/** Every step from every unit stays inside the file, so that looking up needs no checks. */
function checkUnits(units: Uint32Array, strings: Uint8Array): void {
  units.forEach((unit, at) => {
    if (unit >>> 31 === 1) {
      const place = unit & VALUE;
      const isSound = place < strings.length && ((strings[place] as number) & 0xc0) !== 0x80;
      if (!isSound) throw unsound(`has a value that is no place of a string (unit ${at})`);
      return;
    }
    const children = childrenOf(units, at);
    if ((children | 0xff) >>> 0 >= units.length) throw unsound(`leads out of its trie (unit ${at})`);
    if ((unit & HAS_VALUE) !== 0 && (units[children] as number) >>> 31 === 0) throw unsound(`has no value where it says so (unit ${at})`);
  });
}

function decodeBase64(text: unknown): Uint8Array<ArrayBuffer> {
  if (typeof text !== "string") throw unsound("is not a string");
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw unsound("is no base64");
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

function unsound(what: string): Error {
  return invalid(`normalizer.precompiled_charsmap ${what}`);
}

/** The first place behind `at` where a grapheme ends for certain: between two characters of which neither could join another. */
function certainEnd(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && !endsBetween(text.charCodeAt(end - 1), text.charCodeAt(end))) end++;
  return end;
}

function endsBetween(left: number, right: number): boolean {
  return !mayJoin(left) && !mayJoin(right) && !(left === 0x0d && right === 0x0a);
}

function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) bytes += utf8Length(character.codePointAt(0) as number);
  return bytes;
}

function utf8Length(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}

/** The bytes of a short text; of a lone surrogate the three that it would have. */
function utf8Bytes(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const codePoint = character.codePointAt(0) as number;
    const length = utf8Length(codePoint);
    bytes.push(length === 1 ? codePoint : ((0xf00 >> length) & 0xff) | (codePoint >> (6 * (length - 1))));
    for (let rest = length - 2; rest >= 0; rest--) bytes.push(0x80 | ((codePoint >> (6 * rest)) & 0x3f));
  }
  return bytes;
}
