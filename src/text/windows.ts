import { RootstockError } from "../errors.ts";
import type { Encoded } from "./encoding.ts";

/** A part of a long text that the encoder reads at once. Token numbers are those of the whole text. */
export interface TextWindow {
  /** Its tokens between the special tokens. */
  readonly ids: Int32Array;
  /** Its tokens of the text: first, and how many. */
  readonly first: number;
  readonly length: number;
  /** The tokens that are read from this window: from … to − 1. Those of all windows are the text's, each once. */
  readonly from: number;
  readonly to: number;
}

/**
 * Cuts a text into windows of `maxTokens` tokens, special ones included, that overlap by `stride` tokens of the text
 * (`stride` as in Hugging Face tokenizers). Of two windows that share tokens, the first is read up to the middle of what
 * they share, so that every token is read where it has the more context; a word is not cut there.
 *
 * @throws RootstockError `argument-invalid` when a window would hold no new tokens.
 */
export function windowsOf(encoded: Encoded, maxTokens: number, stride: number): TextWindow[] {
  const { prefixLength, suffixLength } = encoded;
  const end = encoded.ids.length - suffixLength;
  const room = maxTokens - prefixLength - suffixLength;
  if (stride >= room) {
    throw new RootstockError("argument-invalid", `stride is ${stride} and a window of ${maxTokens} tokens has room for ${room} of the text. Give a smaller stride.`);
  }
  const starts = [prefixLength];
  while (starts.at(-1)! + room < end) starts.push(starts.at(-1)! + room - stride);
  const limits = starts.slice(1).map((start) => borderIn(encoded, start, start + stride));
  return starts.map((first, i) => {
    const length = Math.min(room, end - first);
    return { ids: idsOf(encoded, first, length), first, length, from: limits[i - 1] ?? prefixLength, to: limits[i] ?? end };
  });
}

/** The row of a token of the whole text in its window. */
export function rowInWindow({ first }: TextWindow, { prefixLength }: Encoded, token: number): number {
  return token - first + prefixLength;
}

/** The middle of the tokens that two windows share, at the beginning of a word where there is one before it. */
function borderIn({ wordOfToken, words }: Encoded, start: number, end: number): number {
  const middle = start + ((end - start) >> 1);
  const word = words[wordOfToken[middle]!];
  return word === undefined || word.firstToken < start ? middle : word.firstToken;
}

function idsOf({ ids, prefixLength, suffixLength }: Encoded, first: number, length: number): Int32Array {
  const window = new Int32Array(prefixLength + length + suffixLength);
  window.set(ids.subarray(0, prefixLength), 0);
  window.set(ids.subarray(first, first + length), prefixLength);
  window.set(ids.subarray(ids.length - suffixLength), prefixLength + length);
  return window;
}
