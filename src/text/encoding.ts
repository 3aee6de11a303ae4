import { CONTINUES_WORD, OUTSIDE_WORDS, PIECE_FIELDS, type Pieces } from "./pieces.ts";

/** One word of the text: UTF-16 range, half open, and its tokens. */
export interface EncodedWord {
  start: number;
  end: number;
  /** Index of its first token in `ids`; −1 when it has none (only words given by the caller). */
  firstToken: number;
  /** Tokens that were kept: fewer than the word has when `truncated` cut it. */
  tokenCount: number;
}

/** A text as the encoder takes it. All arrays have one entry per kept token, special tokens of the model included. */
export interface Encoded {
  /** Vocabulary ids, with the special tokens of the post-processor ([CLS] … [SEP], or the family's own). */
  readonly ids: Int32Array;
  /** UTF-16 range of each token in the text, half open, without the white space at its ends; 0, 0 for special tokens. */
  readonly tokenStart: Int32Array;
  readonly tokenEnd: Int32Array;
  /** Words in order; with words given by the caller exactly those, else only words with at least one kept token. */
  readonly words: readonly EncodedWord[];
  /** Index in `words` of each token; −1 for special tokens and for tokens that are white space alone. */
  readonly wordOfToken: Int32Array;
  /** Special tokens before and after those of the text. */
  readonly prefixLength: number;
  readonly suffixLength: number;
  /** True when tokens were left out because of `maxTokens`. */
  readonly truncated: boolean;
  /** Tokens before truncation, special ones included. */
  readonly tokenCount: number;
}

/** Special tokens put around the tokens of a text. */
export interface Template {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

/** Collects tokens and words left to right; past `limit` tokens it only counts. */
export class EncodingBuilder {
  readonly #template: Template;
  readonly #limit: number;
  readonly #ids: number[] = [];
  readonly #start: number[] = [];
  readonly #end: number[] = [];
  readonly #wordOf: number[] = [];
  readonly #words: EncodedWord[] = [];
  #total = 0;
  #isWordGiven = false;
  #current: EncodedWord | null = null;

  /** @param limit most tokens kept, those of the template not counted. */
  constructor(template: Template, limit: number) {
    this.#template = template;
    this.#limit = limit;
  }

  /** Opens a word given by the caller: every token until the next call is its own, whatever the pieces say. */
  beginGivenWord(start: number, end: number): void {
    this.#isWordGiven = true;
    this.#current = { start, end, firstToken: -1, tokenCount: 0 };
    this.#words.push(this.#current);
  }

  /** Adds the tokens of a stretch of text that begins at `base`. */
  addPieces(pieces: Pieces, base: number): void {
    for (let i = 0; i < pieces.length; i += PIECE_FIELDS) {
      this.addToken(
        pieces[i] as number,
        base + (pieces[i + 1] as number),
        base + (pieces[i + 2] as number),
        pieces[i + 3] as number,
      );
    }
  }

  addToken(id: number, start: number, end: number, mark: number): void {
    const isKept = this.#total++ < this.#limit;
    if (!this.#isWordGiven) this.#advanceWord(start, end, mark, isKept);
    if (!isKept) return;
    const index = this.#template.prefix.length + this.#ids.length;
    this.#ids.push(id);
    this.#start.push(start);
    this.#end.push(end);
    const word = this.#current;
    this.#wordOf.push(word === null ? -1 : this.#words.length - 1);
    if (word === null) return;
    if (word.firstToken < 0) word.firstToken = index;
    word.tokenCount++;
  }

  /**
   * A cut word keeps its whole range; a word all of whose tokens are left out is left out. A token of a character that the
   * word has already (an added token found in a part of what that became) is of the word.
   */
  #advanceWord(start: number, end: number, mark: number, isKept: boolean): void {
    if (mark === OUTSIDE_WORDS) {
      this.#current = null;
    } else if (mark === CONTINUES_WORD || (this.#current !== null && start < this.#current.end)) {
      if (this.#current !== null && end > this.#current.end) this.#current.end = end;
    } else if (isKept) {
      this.#current = { start, end, firstToken: -1, tokenCount: 0 };
      this.#words.push(this.#current);
    } else {
      this.#current = null;
    }
  }

  build(): Encoded {
    const { prefix, suffix } = this.#template;
    const kept = this.#ids.length;
    const length = prefix.length + kept + suffix.length;
    const ids = new Int32Array(length);
    const tokenStart = new Int32Array(length);
    const tokenEnd = new Int32Array(length);
    const wordOfToken = new Int32Array(length).fill(-1);
    ids.set(prefix, 0);
    ids.set(this.#ids, prefix.length);
    ids.set(suffix, prefix.length + kept);
    tokenStart.set(this.#start, prefix.length);
    tokenEnd.set(this.#end, prefix.length);
    wordOfToken.set(this.#wordOf, prefix.length);
    return {
      ids,
      tokenStart,
      tokenEnd,
      words: this.#words,
      wordOfToken,
      prefixLength: prefix.length,
      suffixLength: suffix.length,
      truncated: this.#total > kept,
      tokenCount: prefix.length + this.#total + suffix.length,
    };
  }
}
