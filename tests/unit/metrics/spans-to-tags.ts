import type { WordSpan } from "../../../src/metrics/spans.ts";

/** BIO tags of a sentence of `words` words: `tagsToSpans` reads the spans back. */
export function spansToTags(spans: readonly WordSpan[], words: number): string[] {
  const tags = Array.from({ length: words }, () => "O");
  for (const { label, start, end } of spans) {
    tags.fill(`I-${label}`, start, end);
    tags[start] = `B-${label}`;
  }
  return tags;
}
