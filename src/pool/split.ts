/** A stretch of a list: items `first` to `end` − 1. */
export interface Part {
  readonly first: number;
  readonly end: number;
  /** Its texts' lengths, as `lengthOf` counts them. */
  readonly size: number;
}

/** Special tokens of a text, as units of text (about 4 a token). */
const TEXT_OVERHEAD = 8;
/** Below about 64 tokens a pass costs more a token (README, figures). */
const MIN_PART = 256;
/** About 512 tokens: a longer part computes no faster, and ends later. */
const MAX_PART = 2048;
/** Parts of a list between those: enough for 8 workers to end at the same time. */
const PARTS = 16;

/** What a text, words or ids cost, in UTF-16 units of text, roughly; whatever else it is costs nothing and is refused later. */
export function lengthOf(item: unknown): number {
  if (typeof item === "string") return TEXT_OVERHEAD + item.length;
  if (!Array.isArray(item)) return TEXT_OVERHEAD;
  return item.reduce<number>((sum, word) => sum + (typeof word === "string" ? word.length + 1 : 0), TEXT_OVERHEAD);
}

/**
 * Splits a list into parts of about equal length, at least one. It depends on the list alone, not on the number of workers,
 * and so do answers and errors.
 */
export function split(lengths: readonly number[]): Part[] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const wanted = Math.min(MAX_PART, Math.max(MIN_PART, Math.ceil(total / PARTS)));
  const parts: Part[] = [];
  let first = 0;
  let size = 0;
  for (const [index, length] of lengths.entries()) {
    if (index > first && size + length > wanted) {
      parts.push({ first, end: index, size });
      first = index;
      size = 0;
    }
    size += length;
  }
  if (size > 0 || parts.length === 0) parts.push({ first, end: lengths.length, size });
  return parts;
}
