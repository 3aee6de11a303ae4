import type { Entity } from "../index.ts";

/**
 * The tag of each word: the label of its first token, as token-classification heads are trained; `O` for a word without
 * one (cut off, or nothing but characters that the tokenizer drops).
 *
 * Exact BIO comparison needs every word's own tag. Grouped entities would not do: they join two words of one type over
 * a word that has no token.
 *
 * @param words as they were given; offsets of `tokens` count in the words joined by one space
 * @param tokens all tokens with their labels (`aggregation: "none"`, nothing ignored), in order
 */
export function wordTags(words: readonly string[], tokens: readonly Entity[]): string[] {
  const tags = new Array<string>(words.length).fill("O");
  let word = 0;
  let end = words[0]?.length ?? 0;
  let tagged = -1;
  for (const token of tokens) {
    const last = Math.max(token.start, token.end - 1); // a piece may begin with the space before its word
    while (last >= end && word < words.length - 1) {
      word++;
      end += 1 + words[word]!.length;
    }
    if (tagged < word) tags[word] = token.entity;
    tagged = word;
  }
  return tags;
}
