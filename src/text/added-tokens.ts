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

/** A word character as `\w` of Rust has it (UTS 18, Annex C). */
const WORD_BEFORE = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const WORD_AFTER = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** One unit of added tokens' contents, by their beginnings. */
interface TrieNode {
  readonly next: Map<number, TrieNode>;
  /** The token that ends here. */
  token: AddedToken | null;
}

const newNode = (): TrieNode => ({ next: new Map(), token: null });

/**
 * Finds added tokens in a text: leftmost, longest first, as the reference does. Of several that are written alike (once they
 * are normalised) it takes the first; tokenizers 0.23 may take another in each process. Special tokens are found in what a
 * user types too: the text "[SEP]" is the token [SEP]. A trie, and no regular expression: of 4,096 alternatives it took
 * 0.1 ms a character, and engines refuse long ones.
 */
export class AddedTokenSplitter {
  readonly #root = newNode();

  constructor(tokens: readonly AddedToken[]) {
    for (const token of tokens) {
      if (token.content === "") continue;
      let node = this.#root;
      for (let i = 0; i < token.content.length; i++) {
        const unit = token.content.charCodeAt(i);
        let next = node.next.get(unit);
        if (next === undefined) node.next.set(unit, (next = newNode()));
        node = next;
      }
      node.token ??= token;
    }
  }

  /** Sections of `text` in order, empty ones left out. */
  split(text: string): Section[] {
    const sections: Section[] = [];
    let done = 0;
    for (let at = 0; at < text.length; ) {
      const token = this.#longestAt(text, at);
      if (token === null) {
        at++;
        continue;
      }
      const start = at;
      const end = at + token.content.length;
      at = end;
      if (start < done || (token.singleWord && isInWord(text, start, end))) continue;
      let left = start;
      let right = end;
      while (token.lstrip && left > done && isWhiteSpace(text.charCodeAt(left - 1))) left--;
      while (token.rstrip && right < text.length && isWhiteSpace(text.charCodeAt(right))) right++;
      if (left > done) sections.push({ id: null, start: done, end: left });
      sections.push({ id: token.id, start, end });
      done = right;
    }
    if (done < text.length) sections.push({ id: null, start: done, end: text.length });
    return sections;
  }

  #longestAt(text: string, at: number): AddedToken | null {
    let longest: AddedToken | null = null;
    let node = this.#root.next.get(text.charCodeAt(at));
    for (let end = at + 1; node !== undefined; end++) {
      longest = node.token ?? longest;
      node = node.next.get(text.charCodeAt(end)); // NaN past the end: no key
    }
    return longest;
  }
}

function isInWord(text: string, start: number, end: number): boolean {
  // Two units hold any code point.
  return WORD_BEFORE.test(text.slice(Math.max(0, start - 2), start)) || WORD_AFTER.test(text.slice(end, end + 2));
}
