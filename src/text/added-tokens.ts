import { isWhiteSpace } from "./char-class.ts";

/** A token outside the model's vocabulary rules, as `added_tokens` of tokenizer.json has it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Only where no word character touches it. */
  readonly singleWord: boolean;
  /** Takes the white space on its left (right) along. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in the normalised text, not in the raw one. */
  readonly normalized: boolean;
}

/**
 * One stretch of a split text: `id` is that of an added token, or null for text to be tokenised. An added token's range is
 * that of its content; white space that it takes along is in no section.
 */
export interface Section {
  readonly id: number | null;
  readonly start: number;
  readonly end: number;
}

const WORD_BEFORE = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]$/u;
const WORD_AFTER = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]/u;

/**
 * Finds added tokens in a text: leftmost, longest first, as the reference does. Special tokens are found in what a user
 * types too: the text "[SEP]" is the token [SEP].
 */
export class AddedTokenSplitter {
  readonly #pattern: RegExp | null;
  readonly #byContent = new Map<string, AddedToken>();

  constructor(tokens: readonly AddedToken[]) {
    for (const token of tokens) {
      if (token.content !== "") this.#byContent.set(token.content, token);
    }
    const contents = [...this.#byContent.keys()].sort((a, b) => b.length - a.length);
    const escaped = contents.map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
    this.#pattern = escaped.length === 0 ? null : new RegExp(escaped.join("|"), "g");
  }

  /** Sections of `text` in order, empty ones left out. */
  split(text: string): Section[] {
    const sections: Section[] = [];
    let done = 0;
    if (this.#pattern !== null) {
      for (const match of text.matchAll(this.#pattern)) {
        const token = this.#byContent.get(match[0]) as AddedToken;
        const start = match.index;
        const end = start + match[0].length;
        if (start < done || (token.singleWord && isInWord(text, start, end))) continue;
        let left = start;
        let right = end;
        while (token.lstrip && left > done && isWhiteSpace(text.charCodeAt(left - 1))) left--;
        while (token.rstrip && right < text.length && isWhiteSpace(text.charCodeAt(right))) right++;
        if (left > done) sections.push({ id: null, start: done, end: left });
        sections.push({ id: token.id, start, end });
        done = right;
      }
    }
    if (done < text.length) sections.push({ id: null, start: done, end: text.length });
    return sections;
  }
}

function isInWord(text: string, start: number, end: number): boolean {
  // Two units hold any code point.
  return WORD_BEFORE.test(text.slice(Math.max(0, start - 2), start)) || WORD_AFTER.test(text.slice(end, end + 2));
}
