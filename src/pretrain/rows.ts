import { quote, RootstockError } from "../errors.ts";
import { field, readInteger, readList, readObject, readString, type Place } from "../format/json.ts";
import { MAX_ROW_WORDS, MAX_TEXT_UNITS } from "../limits.ts";

/** A sentence for entity recognition as it was given. */
export interface TaggedSentence {
  readonly source: string | null;
  readonly words: readonly string[];
  /** One a word: O, B-type, I-type; an I that continues nothing has become a B. */
  readonly tags: readonly string[];
}

/** Two texts that belong together. */
export interface TextPair {
  readonly source: string | null;
  readonly a: string;
  readonly b: string;
}

const MAX_NAME = 256;

function readSource(fields: ReadonlyMap<string, unknown>, at: Place): string | null {
  const value = fields.get("source");
  return value === undefined || value === null ? null : readString(value, field(at, "source"), MAX_NAME);
}

/** `{ tokens, tags }`, or `{ text, spans }`; other fields are not looked at. @throws RootstockError `at.code`. */
export function readSentence(value: unknown, at: Place): TaggedSentence {
  const fields = readObject(value, at);
  const source = readSource(fields, at);
  if (!fields.has("tokens")) return { source, ...readSpans(fields, at) };
  const words = readList(fields.get("tokens"), field(at, "tokens"), MAX_ROW_WORDS, (word, place) => readString(word, place, MAX_TEXT_UNITS));
  const given = readList(fields.get("tags"), field(at, "tags"), MAX_ROW_WORDS, (tag, place) => readString(tag, place, MAX_NAME));
  if (words.length === 0) throw new RootstockError(at.code, `${at.path}: there are no tokens. Leave the row out.`);
  const units = words.reduce((sum, { length }) => sum + length + 1, -1);
  if (units > MAX_TEXT_UNITS) throw new RootstockError("limit-exceeded", `${field(at, "tokens").path}: ${units} UTF-16 units with a space between them; at most ${MAX_TEXT_UNITS} are read.`);
  if (given.length !== words.length) throw new RootstockError(at.code, `${at.path}: ${words.length} tokens and ${given.length} tags. Give one tag a token.`);
  return { source, words, tags: given.map((tag, i) => plainTag(tag, i === 0 ? "O" : given[i - 1]!, field(field(at, "tags"), String(i)))) };
}

function plainTag(tag: string, before: string, at: Place): string {
  if (tag === "O") return tag;
  if (!/^[BI]-./u.test(tag)) throw new RootstockError(at.code, `${at.path}: ${quote(tag)} is no tag. Give O, B-type or I-type.`);
  return tag.startsWith("I") && before.slice(1) !== tag.slice(1) ? `B${tag.slice(1)}` : tag;
}

/** The text cut at white space and where spans begin and end. */
function readSpans(fields: ReadonlyMap<string, unknown>, at: Place): Pick<TaggedSentence, "words" | "tags"> {
  const text = readString(fields.get("text"), field(at, "text"), MAX_TEXT_UNITS);
  const spans = readList(fields.get("spans"), field(at, "spans"), MAX_ROW_WORDS, (item, place) => {
    const span = readObject(item, place);
    const start = readInteger(span.get("start"), field(place, "start"), 0, text.length);
    return { start, end: readInteger(span.get("end"), field(place, "end"), start + 1, text.length), label: readString(span.get("label"), field(place, "label"), MAX_NAME) };
  }).toSorted((x, y) => x.start - y.start);
  const words: string[] = [];
  const tags: string[] = [];
  const cut = (start: number, end: number, label: string | null): void => {
    for (const [i, word] of (text.slice(start, end).match(/\S+/gu) ?? []).entries()) {
      words.push(word);
      tags.push(label === null ? "O" : `${i === 0 ? "B" : "I"}-${label}`);
    }
  };
  let done = 0;
  for (const { start, end, label } of spans) {
    if (start < done) throw new RootstockError(at.code, `${at.path}: the span at ${start} overlaps the one before it. Keep one of them.`);
    if (label === "") throw new RootstockError(at.code, `${at.path}: the span at ${start} has no label.`);
    cut(done, start, null);
    cut(start, end, label);
    done = end;
  }
  cut(done, text.length, null);
  if (words.length === 0) throw new RootstockError(at.code, `${at.path}: the text is empty. Leave the row out.`);
  if (words.length > MAX_ROW_WORDS) throw new RootstockError("limit-exceeded", `${at.path}: ${words.length} words; at most ${MAX_ROW_WORDS} are read.`);
  return { words, tags };
}

/** `{ a, b }`; other fields are not looked at. @throws RootstockError `at.code`. */
export function readPair(value: unknown, at: Place): TextPair {
  const fields = readObject(value, at);
  const [a, b] = (["a", "b"] as const).map((name) => {
    const text = readString(fields.get(name), field(at, name), MAX_TEXT_UNITS);
    if (text.trim() === "") throw new RootstockError(at.code, `${at.path}: ${name} is empty. Leave the row out.`);
    return text;
  }) as [string, string];
  return { source: readSource(fields, at), a, b };
}
