import type { Entity } from "../index.ts";

/**
 * The tag of each word: the label of its first token, as token-classification heads are trained; `O` for a word without
 * one (cut off, or nothing but characters that the tokenizer drops).
 *
 * Exact BIO comparison needs every word's own tag. Grouped entities would not do: they join two words of one type over
 * a word that has no token.
 *
 * @param ends of the words in order: the UTF-16 unit of the text behind each
 * @param tokens all tokens with their labels (`aggregation: "none"`, nothing ignored), in order
 */
export function wordTags(ends: readonly number[], tokens: readonly Entity[]): string[] {
  const tags = new Array<string>(ends.length).fill("O");
  let word = 0;
  let tagged = -1;
  for (const token of tokens) {
    const last = Math.max(token.start, token.end - 1); // a piece may begin with the space before its word
    while (word < ends.length - 1 && last >= ends[word]!) word++;
    if (tagged < word) tags[word] = token.entity;
    tagged = word;
  }
  return tags;
}

/** Where words end in the text that they make, joined by one space. */
export function wordEnds(words: readonly string[]): number[] {
  let end = -1;
  return words.map((word) => (end += 1 + word.length));
}
