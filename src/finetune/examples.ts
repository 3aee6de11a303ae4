import type { Encoded, EncodedWord } from "../text/encoding.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import { MAX_TEXT_UNITS } from "../limits.ts";
import { tagsToSpans, type WordSpan } from "../metrics/spans.ts";
import type { LabelBook } from "./label-book.ts";
import type { CheckedRow, TextSpan } from "./rows.ts";
import type { Warnings } from "./warnings.ts";

/** A row as the encoder takes it. */
export interface Example {
  readonly ids: Int32Array;
  /** Tokens that the head reads, rising: the first; for NER the first of each word. */
  readonly read: Int32Array;
  /** Of the book: a tag for each token read; or the text's labels. */
  readonly gold: Int32Array;
}

/** One that is measured. */
export interface DevExample extends Example {
  readonly text: string;
  /** UTF-16 range of each word that is read. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Entities that no word that is read is part of: they were cut off, and count as not found. */
  readonly lost: readonly string[];
}

export interface ExampleOptions {
  readonly maxLength: number;
  readonly book: LabelBook;
  readonly warnings: Warnings;
}

/** Tokenises a row. @returns null for one that holds nothing to read. */
export function makeExample(tokenizer: TextTokenizer, row: CheckedRow, where: string, options: ExampleOptions): DevExample | null {
  const { maxLength: maxTokens, book, warnings } = options;
  const content = "words" in row ? cutWords(row.words) : row.text.slice(0, MAX_TEXT_UNITS);
  const text = typeof content === "string" ? content : content.join(" ");
  const encoded = typeof content === "string" ? tokenizer.encode(content, { maxTokens }) : tokenizer.encodeWords(content, { maxTokens });
  const words = encoded.words.filter(({ tokenCount }) => tokenCount > 0);
  if (text.trim() === "" || (row.kind === "ner" && words.length === 0)) {
    warnings.add("rows have no text and were left out", where);
    return null;
  }
  const isCut = encoded.truncated || ("words" in row ? content.length < row.words.length : content.length < row.text.length);
  if (isCut) warnings.add(`rows are longer than ${maxTokens} tokens and were cut`, where);
  if (row.kind !== "ner") {
    return { ids: encoded.ids, read: Int32Array.of(0), gold: Int32Array.from(row.labels, (label) => book.number(label)), text, starts: new Int32Array(0), ends: new Int32Array(0), lost: [] };
  }
  const { spans, lost } = "words" in row ? fromTags(row.tags, encoded, warnings, where) : fromText(row.spans, words, warnings, where);
  if (lost.length > 0) warnings.add("rows have entities beyond their last word that is read, which were left out", where);
  const gold = new Int32Array(words.length);
  for (const { label, start, end } of spans) {
    const number = book.number(label);
    gold.fill(2 * number + 2, start, end);
    gold[start] = 2 * number + 1;
  }
  for (const label of lost) book.number(label);
  return {
    ids: encoded.ids, gold, text, lost,
    read: Int32Array.from(words, ({ firstToken }) => firstToken),
    starts: Int32Array.from(words, ({ start }) => start),
    ends: Int32Array.from(words, ({ end }) => end),
  };
}

/** As many words as one text may hold. */
function cutWords(words: readonly string[]): readonly string[] {
  let units = -1;
  const end = words.findIndex((word) => (units += word.length + 1) > MAX_TEXT_UNITS);
  return end === -1 ? words : words.slice(0, end);
}

interface Entities {
  /** Over the words that are read, in order, none touching another's. */
  readonly spans: readonly WordSpan[];
  readonly lost: readonly string[];
}

function fromTags(tags: readonly string[], { words }: Encoded, warnings: Warnings, where: string): Entities {
  if (tags.some((tag, i) => tag.startsWith("I-") && (i === 0 || tags[i - 1] === "O" || tags[i - 1]!.slice(1) !== tag.slice(1)))) {
    warnings.add("rows have an I- tag with no entity of its kind before it, which begins one", where);
  }
  // Words without a token of their own are not read, so those after them move up.
  const places: number[] = [0];
  for (const { tokenCount } of words) places.push(places.at(-1)! + (tokenCount > 0 ? 1 : 0));
  const spans: WordSpan[] = [];
  const lost: string[] = [];
  for (const { label, start, end } of tagsToSpans(tags)) {
    const [first, last] = [places[Math.min(start, words.length)]!, places[Math.min(end, words.length)]!];
    if (first < last) spans.push({ label, start: first, end: last });
    else lost.push(label);
  }
  return { spans, lost };
}

/** @param spans by start, the longer first */
function fromText(given: readonly TextSpan[], words: readonly EncodedWord[], warnings: Warnings, where: string): Entities {
  const spans: WordSpan[] = [];
  const lost: string[] = [];
  let word = 0;
  let free = 0;
  let taken = 0;
  for (const { start, end, label } of given) {
    if (start < taken) {
      warnings.add("rows have spans that overlap, of which the first and longest was kept", where);
      continue;
    }
    taken = end;
    while (word < words.length && words[word]!.end <= start) word++;
    let last = word;
    while (last < words.length && words[last]!.start < end) last++;
    const first = Math.max(word, free);
    if (first < last) {
      if (words[word]!.start !== start || words[last - 1]!.end !== end) warnings.add("rows have spans that begin or end within a word, which were widened to whole words", where);
      spans.push({ label, start: first, end: last });
      free = last;
    } else if (word === words.length) lost.push(label);
    else if (word < last) warnings.add("rows have two spans in one word, of which the first was kept", where);
    else warnings.add("rows have spans without a word, which were left out", where);
  }
  return { spans, lost };
}
