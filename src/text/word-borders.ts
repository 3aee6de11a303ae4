import { isIdeograph, isPunctuation, isWhiteSpace } from "./char-class.ts";

const SPACE = 0;
const PUNCTUATION = 1;
const IDEOGRAPH = 2;
const OTHER = 3;

function kindOf(codePoint: number): number {
  if (isWhiteSpace(codePoint)) return SPACE;
  if (isPunctuation(codePoint)) return PUNCTUATION;
  return isIdeograph(codePoint) ? IDEOGRAPH : OTHER;
}

/**
 * Where the words of named-entity recognition begin: 1 at the first UTF-16 unit of each word of `text`, 0 elsewhere.
 *
 * A word is a run without white space; each punctuation character at its beginning and end is a word of its own, inner
 * punctuation stays ("U.S", "O'Neill", "5.99"). An ideograph is a word of its own too, and bounds a run as white space
 * does: BERT sets it apart, and a Chinese sentence would else be one word.
 */
export function wordStarts(text: string): Uint8Array {
  const starts = new Uint8Array(text.length);
  let runStart = -1; // of the run being read
  let firstInner = -1; // its first character that is not punctuation
  let afterInner = -1; // end of its last one
  const closeRun = (end: number): void => {
    if (runStart >= 0) markRun(text, starts, runStart, firstInner, afterInner, end);
    runStart = firstInner = afterInner = -1;
  };
  for (let at = 0; at < text.length; ) {
    const codePoint = text.codePointAt(at) as number;
    const next = at + (codePoint > 0xffff ? 2 : 1);
    const kind = kindOf(codePoint);
    if (kind === SPACE || kind === IDEOGRAPH) {
      closeRun(at);
      if (kind === IDEOGRAPH) starts[at] = 1;
    } else {
      if (runStart < 0) runStart = at;
      if (kind === OTHER) {
        if (firstInner < 0) firstInner = at;
        afterInner = next;
      }
    }
    at = next;
  }
  closeRun(text.length);
  return starts;
}

/** Marks the words of one run: every character outside [firstInner, afterInner), and the inside once. */
function markRun(
  text: string,
  starts: Uint8Array,
  runStart: number,
  firstInner: number,
  afterInner: number,
  runEnd: number,
): void {
  for (let at = runStart; at < runEnd; ) {
    starts[at] = 1;
    if (at === firstInner) at = afterInner;
    else at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
  }
}

/**
 * Tells which tokens open a word, tokens asked for in order. A border inside a token is dropped (its words are one), a
 * border before deleted characters passes to the next token, and of several tokens at one border the first opens it.
 */
export class WordCursor {
  readonly #starts: Uint8Array;
  #at = 0;

  /** @param starts as `wordStarts` gives them. */
  constructor(starts: Uint8Array) {
    this.#starts = starts;
  }

  /** Whether the token of units [start, end) is the first of a word. */
  opens(start: number, end: number): boolean {
    let isOpen = false;
    for (; this.#at <= start; this.#at++) isOpen ||= this.#starts[this.#at] === 1;
    if (end > this.#at) this.#at = end;
    return isOpen;
  }
}
