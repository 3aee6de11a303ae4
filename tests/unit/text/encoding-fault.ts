import type { Encoded } from "../../../src/text/encoding.ts";
import type { TextTokenizer } from "../../../src/text/tokenizer.ts";

/** What is wrong with an encoding of `text` (words joined by a space, if given), or null: whatever the text, nothing may be. */
export function encodingFault(tokenizer: TextTokenizer, encoded: Encoded, text: string): string | null {
  return (
    lengthFault(encoded) ??
    idFault(encoded, tokenizer) ??
    offsetFault(encoded, text) ??
    wordFault(encoded, text)
  );
}

function lengthFault({ ids, tokenStart, tokenEnd, wordOfToken, truncated, tokenCount }: Encoded): string | null {
  if (tokenStart.length !== ids.length || tokenEnd.length !== ids.length || wordOfToken.length !== ids.length) {
    return "arrays of unequal length";
  }
  return truncated === tokenCount > ids.length ? null : `truncated ${truncated}, ${tokenCount} tokens, ${ids.length} kept`;
}

function idFault({ ids }: Encoded, tokenizer: TextTokenizer): string | null {
  const wrong = ids.findIndex((id) => id < 0 || id >= tokenizer.vocabSize);
  return wrong < 0 ? null : `token ${wrong} has id ${ids[wrong]}`;
}

/** Ranges in order, inside the text, on borders of code points; special tokens at 0, 0. */
function offsetFault({ ids, tokenStart, tokenEnd, prefixLength, suffixLength }: Encoded, text: string): string | null {
  let previousStart = 0;
  let previousEnd = 0;
  for (let i = 0; i < ids.length; i++) {
    const start = tokenStart[i] as number;
    const end = tokenEnd[i] as number;
    if (i < prefixLength || i >= ids.length - suffixLength) {
      if (start !== 0 || end !== 0) return `special token ${i} at ${start}, ${end}`;
      continue;
    }
    if (start > end || start < previousStart || end < previousEnd || end > text.length) {
      return `token ${i} at ${start}, ${end} after ${previousStart}, ${previousEnd}`;
    }
    if (isInsidePair(text, start) || isInsidePair(text, end)) return `token ${i} at ${start}, ${end} parts a code point`;
    previousStart = start;
    previousEnd = end;
  }
  return null;
}

function isInsidePair(text: string, at: number): boolean {
  return at > 0 && /^[\uD800-\uDBFF][\uDC00-\uDFFF]/.test(text.slice(at - 1, at + 1));
}

/** Words in order and apart, of whole runs of tokens that lie inside them; every token's word is the one that has it. */
function wordFault({ words, wordOfToken, tokenStart, tokenEnd }: Encoded, text: string): string | null {
  let end = 0;
  let counted = 0;
  for (const [i, word] of words.entries()) {
    if (word.start < end || word.end < word.start || word.end > text.length) return `word ${i} at ${word.start}, ${word.end}`;
    if (isInsidePair(text, word.start) || isInsidePair(text, word.end)) return `word ${i} parts a code point`;
    end = word.end;
    if (word.tokenCount === 0 && word.firstToken !== -1) return `word ${i} without tokens has a first one`;
    for (let token = word.firstToken; token >= 0 && token < word.firstToken + word.tokenCount; token++) {
      if (wordOfToken[token] !== i) return `token ${token} of word ${i} is of ${wordOfToken[token]}`;
      const isInside = (tokenStart[token] as number) >= word.start && (tokenEnd[token] as number) <= word.end;
      if (!isInside) return `token ${token} lies outside word ${i}`;
      counted++;
    }
  }
  const owned = wordOfToken.reduce((sum, word) => sum + (word >= 0 ? 1 : 0), 0);
  return owned === counted ? null : `${owned} tokens have a word, ${counted} are of one`;
}
