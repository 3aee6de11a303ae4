import type { AlignedText } from "./aligned-text.ts";
import { isWhiteSpace } from "./char-class.ts";
import type { EncodingBuilder } from "./encoding.ts";
import { CONTINUES_WORD, OUTSIDE_WORDS, STARTS_WORD } from "./pieces.ts";
import type { NormalizedSlice, SegmentEncoder, SegmentPlace } from "./segment-encoder.ts";
import { segmentUnigram, type Segmentation, type UnigramVocabulary } from "./unigram.ts";
import { normalizeUnigram, type NormalizerStep } from "./unigram-normalizer.ts";
import { WordCursor, wordStarts } from "./word-borders.ts";
import { WordCache } from "./word-cache.ts";

/** The Metaspace pre-tokenizer of a folder, with or without a split at white space before it. */
export interface MetaspaceOptions {
  /** Stands for a space, "▁". */
  readonly replacement: string;
  readonly prependScheme: "always" | "first" | "never";
  readonly splitsWhiteSpace: boolean;
}

/** Metaspace and Unigram: XLM-R, ALBERT. The cache holds pre-tokens: a word after normalisation, "▁" before it. */
export class UnigramEncoder implements SegmentEncoder {
  readonly #steps: readonly NormalizerStep[];
  readonly #metaspace: MetaspaceOptions;
  readonly #vocabulary: UnigramVocabulary;
  readonly #cache: WordCache<Segmentation>;

  constructor(
    steps: readonly NormalizerStep[],
    metaspace: MetaspaceOptions,
    vocabulary: UnigramVocabulary,
    cacheWords: number,
  ) {
    this.#steps = steps;
    this.#metaspace = metaspace;
    this.#vocabulary = vocabulary;
    this.#cache = new WordCache(cacheWords);
  }

  normalize(text: string): AlignedText {
    return normalizeUnigram(text, this.#steps);
  }

  encode(text: string, base: number, place: SegmentPlace, out: EncodingBuilder): void {
    const aligned = this.normalize(text);
    const to = aligned.text.length;
    if (to > 0) this.encodeNormalized({ source: text, aligned, from: 0, to }, base, place, out);
  }

  encodeNormalized(slice: NormalizedSlice, base: number, place: SegmentPlace, out: EncodingBuilder): void {
    const { source: text, aligned: source } = slice;
    // Words are those of the slice alone: an added token beside it is a word of its own.
    const wordsFrom = slice.from === 0 ? 0 : (source.end[slice.from - 1] as number);
    const words = new WordCursor(wordStarts(text.slice(wordsFrom, source.start[slice.to])));
    const target: PreTokenTarget = { text, base, words, wordsFrom, out };
    for (const [from, to] of this.#chunks(source.text, slice.from, slice.to)) {
      let at = from;
      let isPrefixed = this.#isPrefixed(source.text, from, place.isFirst && source.start[from] === 0);
      while (at < to) {
        const end = this.#preTokenEnd(source.text, at, to);
        this.#encodePreToken(source, at, end, isPrefixed, target);
        isPrefixed = false;
        at = end;
      }
    }
  }

  /** Stretches that Metaspace sees: the words when white space is split off first, else the whole text. */
  *#chunks(text: string, from: number, to: number): Generator<[number, number]> {
    if (!this.#metaspace.splitsWhiteSpace) {
      yield [from, to];
      return;
    }
    for (let at = from; at < to; ) {
      if (isWhiteSpace(text.charCodeAt(at))) {
        at++;
        continue;
      }
      let end = at + 1;
      while (end < to && !isWhiteSpace(text.charCodeAt(end))) end++;
      yield [at, end];
      at = end;
    }
  }

  #isPrefixed(text: string, at: number, isFirst: boolean): boolean {
    const { prependScheme, replacement } = this.#metaspace;
    const hasOne = text[at] === " " || text[at] === replacement;
    return !hasOne && (prependScheme === "always" || (prependScheme === "first" && isFirst));
  }

  /** A pre-token ends before the next space or replacement character. */
  #preTokenEnd(text: string, at: number, limit: number): number {
    let end = at + 1;
    while (end < limit && text[end] !== " " && text[end] !== this.#metaspace.replacement) end++;
    return end;
  }

  #encodePreToken(source: AlignedText, from: number, to: number, isPrefixed: boolean, target: PreTokenTarget): void {
    const { replacement } = this.#metaspace;
    const raw = source.text.slice(from, to).replace(" ", replacement);
    const preToken = isPrefixed ? replacement + raw : raw;
    let segmentation = this.#cache.get(preToken);
    if (segmentation === undefined) {
      segmentation = segmentUnigram(preToken, this.#vocabulary);
      this.#cache.set(preToken, segmentation);
    }
    // The prefix is no unit of the source text: units of the pre-token are counted from one before it.
    let at = isPrefixed ? from - 1 : from;
    segmentation.ids.forEach((id, i) => {
      const next = at + (segmentation.lengths[i] as number);
      const first = Math.max(at, from);
      const isSpace = source.text[first] === " " || source.text[first] === replacement;
      this.#addToken(source, id, first + (isSpace && first < next ? 1 : 0), next, to, target);
      at = next;
    });
  }

  /** Adds the token of normalised units [first, next) of a pre-token that ends at `to`; its own space is left out. */
  #addToken(source: AlignedText, id: number, first: number, next: number, to: number, target: PreTokenTarget): void {
    const { text, base, words, wordsFrom, out } = target;
    let start = first < to ? (source.start[first] as number) : (source.end[to - 1] as number);
    // A space among the letters that one character stands for (ﷺ is four words) is a part of that character.
    const isInCharacter = first > 0 && first < to && start < (source.end[first - 1] as number);
    let end = first < next ? (source.end[next - 1] as number) : isInCharacter ? (source.end[first] as number) : start;
    while (start < end && isWhiteSpace(text.charCodeAt(start))) start++;
    while (end > start && isWhiteSpace(text.charCodeAt(end - 1))) end--;
    const isOutside = start === end && first >= to;
    const opened = !isOutside && words.opens(start - wordsFrom, end - wordsFrom) ? STARTS_WORD : CONTINUES_WORD;
    out.addToken(id, base + start, base + end, isOutside ? OUTSIDE_WORDS : opened);
  }
}

interface PreTokenTarget {
  /** The text before normalisation. */
  readonly text: string;
  readonly base: number;
  readonly words: WordCursor;
  /** Where in `text` those words begin to be counted. */
  readonly wordsFrom: number;
  readonly out: EncodingBuilder;
}
