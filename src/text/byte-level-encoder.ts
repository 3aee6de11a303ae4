import type { AlignedText } from "./aligned-text.ts";
import { isWhiteSpace } from "./char-class.ts";
import type { EncodingBuilder } from "./encoding.ts";
import { ByteLevelPreTokenizer, type BpeModel } from "./library.ts";
import { CONTINUES_WORD, OUTSIDE_WORDS, STARTS_WORD, type Pieces } from "./pieces.ts";
import type { NormalizedSlice, SegmentEncoder, SegmentPlace } from "./segment-encoder.ts";
import { WordCursor, wordStarts } from "./word-borders.ts";
import { WordCache } from "./word-cache.ts";

/**
 * The byte-level pre-token pattern of GPT-2 and RoBERTa, on a run without white space but for one space before it.
 * `White_Space` is spelled out because `\s` in JavaScript has U+FEFF and lacks U+0085.
 */
const PRE_TOKEN = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+/gu;

/** The character that stands for the byte 0x20. */
const SPACE_BYTE = "Ġ";

/**
 * Bytes of a pre-token that are merged together. A longer one is cut, and differs from the reference near the cuts alone:
 * merging builds and heaps an object per byte, and one word of a megabyte took from 6 to 80 s. The first cut comes after
 * more than the 512 tokens that encoders take, 16 bytes each.
 */
const MAX_MERGED_BYTES = 8192;

const utf8 = /* @__PURE__ */ new TextEncoder();

/**
 * ByteLevel pre-tokenizer and BPE: RoBERTa. A run without white space, together with the one U+0020 before it when
 * there is one, has the same tokens wherever it stands; the white space before that space makes tokens of its own.
 */
export class ByteLevelEncoder implements SegmentEncoder {
  readonly #model: BpeModel;
  readonly #addPrefixSpace: boolean;
  readonly #byteCharacters: Readonly<Record<number, string>>;
  readonly #cache: WordCache<Pieces>;

  constructor(model: BpeModel, addPrefixSpace: boolean, cacheWords: number) {
    this.#model = model;
    model.cache.capacity = 0; // every hit is in our own cache; a second one would only hold memory
    this.#addPrefixSpace = addPrefixSpace;
    this.#byteCharacters = new ByteLevelPreTokenizer({ type: "ByteLevel" }).byte_encoder;
    this.#cache = new WordCache(cacheWords);
  }

  /** A given word is always read after a space: the reference takes words only with `add_prefix_space`. */
  encode(text: string, base: number, place: SegmentPlace, out: EncodingBuilder): void {
    const hasPrefix = (this.#addPrefixSpace || place.isGivenWord) && !text.startsWith(" ");
    const source = hasPrefix ? ` ${text}` : text;
    const origin = hasPrefix ? base - 1 : base;
    for (let at = 0; at < source.length; ) {
      let run = at;
      while (run < source.length && isWhiteSpace(source.charCodeAt(run))) run++;
      let end = run;
      while (end < source.length && !isWhiteSpace(source.charCodeAt(end))) end++;
      const head = end > run && source[run - 1] === " " ? run - 1 : run;
      // White space before a run: all but its last character is one pre-token, and the last one is another unless it is
      // the space that the run takes along. At the end of the text it is one.
      const split = end > run && head === run && run > at ? run - 1 : head;
      if (split > at) this.#add(source.slice(at, split), origin + at, out);
      if (head > split) this.#add(source.slice(split, head), origin + split, out);
      if (end > head) this.#add(source.slice(head, end), origin + head, out);
      at = end;
    }
  }

  /** No normaliser: the text itself. */
  normalize(text: string): AlignedText {
    const start = Array.from({ length: text.length }, (_, i) => i);
    return { text, start, end: start.map((i) => i + 1) };
  }

  encodeNormalized({ source, from, to }: NormalizedSlice, base: number, place: SegmentPlace, out: EncodingBuilder): void {
    this.encode(source.slice(from, to), base + from, place, out);
  }

  #add(run: string, runBase: number, out: EncodingBuilder): void {
    let pieces = this.#cache.get(run);
    if (pieces === undefined) {
      pieces = this.#encodeRun(run);
      this.#cache.set(run, pieces);
    }
    // The prefix space lies one unit before the segment; offsets leave out spaces, so nothing shows it.
    out.addPieces(pieces, runBase);
  }

  #encodeRun(run: string): Pieces {
    const pieces: Pieces = [];
    if (isWhiteSpace(run.charCodeAt(run.length - 1))) {
      this.#encodePreToken(run, 0, null, pieces);
    } else {
      const words = new WordCursor(wordStarts(run));
      for (const match of run.matchAll(PRE_TOKEN)) this.#encodePreToken(match[0], match.index, words, pieces);
    }
    return pieces;
  }

  /** Tokens of one pre-token at `base` of its run; `words` null for white space alone. */
  #encodePreToken(preToken: string, base: number, words: WordCursor | null, pieces: Pieces): void {
    const { text, start, end } = bytesOf(preToken, this.#byteCharacters);
    const ids = this.#model.tokens_to_ids;
    let at = 0;
    for (const token of this.#merge(text)) {
      const next = at + token.length;
      const range = trimSpaces(text, at, next, start, end);
      const tokenStart = base + range[0];
      const tokenEnd = base + range[1];
      const opened = words?.opens(tokenStart, tokenEnd) ? STARTS_WORD : CONTINUES_WORD;
      // The reader made sure that every byte and every merge has an id.
      pieces.push(ids.get(token) as number, tokenStart, tokenEnd, words === null ? OUTSIDE_WORDS : opened);
      at = next;
    }
  }

  *#merge(text: string): Generator<string> {
    if (this.#model.ignore_merges && this.#model.tokens_to_ids.has(text)) yield text;
    else for (let at = 0; at < text.length; at += MAX_MERGED_BYTES) yield* this.#model.bpe(text.slice(at, at + MAX_MERGED_BYTES));
  }
}

/** Source range of byte characters [from, to) without the spaces at its ends; empty at its end when there is no more. */
function trimSpaces(
  text: string,
  from: number,
  to: number,
  start: readonly number[],
  end: readonly number[],
): [number, number] {
  let first = from;
  let last = to;
  while (first < to && text[first] === SPACE_BYTE) first++;
  if (first === to) return [end[to - 1] as number, end[to - 1] as number];
  while (text[last - 1] === SPACE_BYTE) last--;
  return [start[first] as number, end[last - 1] as number];
}

/** Byte characters of a text, each with the range of the code point it belongs to. Lone surrogates become U+FFFD. */
function bytesOf(preToken: string, characters: Readonly<Record<number, string>>): AlignedText {
  let text = "";
  const start: number[] = [];
  const end: number[] = [];
  for (let at = 0; at < preToken.length; ) {
    const codePoint = preToken.codePointAt(at) as number;
    const next = at + (codePoint > 0xffff ? 2 : 1);
    const bytes = codePoint < 0x80 ? [codePoint] : utf8.encode(preToken.slice(at, next));
    for (const byte of bytes) {
      text += characters[byte] as string;
      start.push(at);
      end.push(next);
    }
    at = next;
  }
  return { text, start, end };
}
