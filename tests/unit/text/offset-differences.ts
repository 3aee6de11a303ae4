import { isWhiteSpace } from "../../../src/text/char-class.ts";
import type { FamilyName } from "./goldens.ts";

type Range = readonly [number, number];

/**
 * Why a token's range is not the reference's; null when it is.
 * - marks: stripped combining marks stay with their character; the reference leaves them out at a token's end
 * - space: white space at the ends is left out; the reference keeps it (without `trim_offsets`, or under Metaspace)
 * - lone space: the token is a space alone, so its range is empty; the reference gives it its space or, when it was
 *   added, the first character of the word
 * - typed ▁: taken for a space
 * - whole character: all of a character that was composed or decomposed; the reference gives some part of it
 * - own space: the reference takes a character off for the prefix space that it added itself
 * - shifted: the reference is one off in a text whose first character is deleted
 */
export function explainDifference(text: string, reference: Range, ours: Range, family: FamilyName): string | null {
  const [start, end] = ours;
  const [from, to] = reference;
  if (start === from && end === to) return null;
  if (start === from && end > to && /^\p{M}+$/u.test(text.slice(to, end))) return "marks";
  const [trimmedFrom, trimmedTo] = trimmed(text, reference);
  if (start === trimmedFrom && end === trimmedTo) return "space";
  if (family === "byte-level" && from === start + 1 && to === Math.max(end, from)) return "own space";
  if (start === end && ((start >= from && start <= to) || from === to)) return "lone space";
  if (start === from + 1 && end === to && text[from] === "▁") return "typed ▁";
  if (family === "unigram" && start <= from && end >= to) return "whole character";
  if (family === "unigram" && /^\p{Cc}/u.test(text) && start === from + 1 && end === to + 1) return "shifted";
  return "unexplained";
}

/** A range without white space at its ends; empty at its end when there is nothing else. */
function trimmed(text: string, range: Range): Range {
  let [from, to] = range;
  while (from < to && isWhiteSpace(text.charCodeAt(from))) from++;
  while (to > from && isWhiteSpace(text.charCodeAt(to - 1))) to--;
  return [from, to];
}

/** Adds one to a count by name. */
export function tally(counts: Record<string, number>, name: string | null): void {
  if (name !== null) counts[name] = (counts[name] ?? 0) + 1;
}
