/**
 * The tokens of one stretch of text, `PIECE_FIELDS` numbers each: id, start, end (UTF-16 units counted from the start of
 * the stretch, half open) and its place among the words. One flat array per cached word keeps the cache small.
 */
export type Pieces = number[];

export const PIECE_FIELDS = 4;

/** The token goes on with the word of the token before it. */
export const CONTINUES_WORD = 0;
/** The token is the first of a word. */
export const STARTS_WORD = 1;
/** The token is white space and of no word. */
export const OUTSIDE_WORDS = 2;
