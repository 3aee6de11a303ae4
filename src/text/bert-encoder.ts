import type { AlignedText } from "./aligned-text.ts";
import { isSeparator, normalizeBert, type BertNormalizerOptions } from "./bert-normalizer.ts";
import { isPunctuation, isWhiteSpace } from "./char-class.ts";
import type { EncodingBuilder } from "./encoding.ts";
import { CONTINUES_WORD, STARTS_WORD, type Pieces } from "./pieces.ts";
import type { NormalizedSlice, SegmentEncoder, SegmentPlace } from "./segment-encoder.ts";
import { wordStarts } from "./word-borders.ts";
import { WordCache } from "./word-cache.ts";
import { matchWordPieces, type WordPieceVocabulary } from "./word-piece.ts";

/**
 * BertNormalizer, BertPreTokenizer and WordPiece: BERT, DistilBERT, ELECTRA. Everything in them is per code point or ends
 * at white space, so a run without white space has the same tokens wherever it stands, and runs are what is cached.
 */
export class BertEncoder implements SegmentEncoder {
  readonly #options: BertNormalizerOptions;
  readonly #vocabulary: WordPieceVocabulary;
  readonly #cache: WordCache<Pieces>;

  constructor(options: BertNormalizerOptions, vocabulary: WordPieceVocabulary, cacheWords: number) {
    this.#options = options;
    this.#vocabulary = vocabulary;
    this.#cache = new WordCache(cacheWords);
  }

  encode(text: string, base: number, _place: SegmentPlace, out: EncodingBuilder): void {
    const { cleanText } = this.#options;
    for (let at = 0; at < text.length; ) {
      if (isSeparator(text.charCodeAt(at), cleanText)) {
        at++;
        continue;
      }
      let end = at + 1;
      while (end < text.length && !isSeparator(text.charCodeAt(end), cleanText)) end++;
      const run = text.slice(at, end);
      let pieces = this.#cache.get(run);
      if (pieces === undefined) {
        pieces = this.#encodeRun(run);
        this.#cache.set(run, pieces);
      }
      out.addPieces(pieces, base + at);
      at = end;
    }
  }

  normalize(text: string): AlignedText {
    return normalizeBert(text, this.#options);
  }

  encodeNormalized({ aligned, from, to }: NormalizedSlice, base: number, _place: SegmentPlace, out: EncodingBuilder): void {
    out.addPieces(this.#piecesOf(aligned, from, to), base);
  }

  #encodeRun(run: string): Pieces {
    const normalized = normalizeBert(run, this.#options);
    return this.#piecesOf(normalized, 0, normalized.text.length);
  }

  #piecesOf({ text: whole, start, end }: AlignedText, first: number, past: number): Pieces {
    const text = whole.slice(first, past);
    const starts = wordStarts(text);
    const pieces: Pieces = [];
    const emit = (id: number, from: number, to: number): void => {
      const mark = starts[from] === 1 ? STARTS_WORD : CONTINUES_WORD;
      pieces.push(id, start[first + from] as number, end[first + to - 1] as number, mark);
    };
    for (let at = 0; at < text.length; ) {
      const next = preTokenEnd(text, at);
      if (!isWhiteSpace(text.charCodeAt(at))) matchWordPieces(text, at, next, this.#vocabulary, emit);
      at = next;
    }
    return pieces;
  }
}

/** End of the pre-token that begins at `at`: one character of white space or punctuation, or all up to the next such. */
function preTokenEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length) {
    const codePoint = text.codePointAt(end) as number;
    const isBorder = isWhiteSpace(codePoint) || isPunctuation(codePoint);
    if (isBorder && end > at) break;
    end += codePoint > 0xffff ? 2 : 1;
    if (isBorder) break;
  }
  return end;
}
