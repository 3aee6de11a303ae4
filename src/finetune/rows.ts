import { quote, RootstockError } from "../errors.ts";
import { field, readInteger, readList, readObject, readString, type Place } from "../format/json.ts";
import { splitTag } from "../heads/tags.ts";
import { MAX_TEXT_UNITS } from "../limits.ts";
import { tagsToSpans } from "../metrics/spans.ts";
import type { TrainingKind } from "./types.ts";

/** An entity as a UTF-16 range of its text, half open. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

/** A row whose types and ranges have been checked. */
export type CheckedRow =
  | { readonly kind: "ner"; readonly text: string; readonly spans: readonly TextSpan[] }
  | { readonly kind: "ner"; readonly words: readonly string[]; readonly tags: readonly string[] }
  | { readonly kind: "classification" | "multi-label"; readonly text: string; readonly labels: readonly string[] };

export interface RowOptions {
  /** What the spans' offsets count. */
  readonly offsets: "utf16" | "codepoint";
}

/** What rows look like, for messages. */
const FORMS = `{ tokens, tags }, { text, spans }, { text, label } or { text, labels }`;

/** Names of the forms, for rows that are not of the first row's. */
const FORM_OF: Readonly<Record<TrainingKind, string>> = {
  ner: "{ tokens, tags } or { text, spans }",
  classification: "{ text, label }",
  "multi-label": "{ text, labels }",
};

/**
 * Reads one row. JSON's null is "not given". Where a row has text and spans as well as tokens and tags, the text is read: it is what will
 * be served.
 * @param kind that of the rows before; null for the first
 * @throws RootstockError `at.code`
 */
export function readRow(value: unknown, at: Place, kind: TrainingKind | null, options: RowOptions): CheckedRow {
  const fields = new Map([...readObject(value, at)].filter(([, given]) => given !== null && given !== undefined));
  const own = kindOf(fields);
  if (own === null) throw new RootstockError(at.code, `${at.path}: a row is ${kind === null ? FORMS : FORM_OF[kind]}; this one has ${namesOf(fields)}.`);
  if (kind !== null && own !== kind) throw new RootstockError(at.code, `${at.path}: the rows before are ${FORM_OF[kind]}, this one is ${FORM_OF[own]}. Give rows of one form.`);
  if (own !== "ner") {
    const labels = own === "classification" ? [readLabel(fields.get("label"), field(at, "label"))] : readList(fields.get("labels"), field(at, "labels"), MAX_TEXT_UNITS, readLabel);
    return { kind: own, text: readText(fields.get("text"), field(at, "text")), labels: [...new Set(labels)] };
  }
  const tagged = fields.has("tags") ? readTagged(fields, at) : null;
  if (!fields.has("spans")) return tagged!;
  const text = readText(fields.get("text"), field(at, "text"));
  const spans = readSpans(fields.get("spans"), text, field(at, "spans"), options);
  if (tagged !== null) checkAgreement(tagged.tags, spans, at);
  return { kind: "ner", text, spans };
}

function kindOf(fields: ReadonlyMap<string, unknown>): TrainingKind | null {
  if (fields.has("tags") || fields.has("spans")) return "ner";
  if (fields.has("labels")) return "multi-label";
  return fields.has("label") ? "classification" : null;
}

function namesOf(fields: ReadonlyMap<string, unknown>): string {
  const names = [...fields.keys()].slice(0, 8).map(quote);
  return names.length === 0 ? "no fields" : names.join(", ");
}

function readText(value: unknown, at: Place): string {
  if (typeof value === "string") return value;
  throw new RootstockError(at.code, `${at.path}: expected a string, found ${value === undefined ? "nothing" : typeof value}.`);
}

function readLabel(value: unknown, at: Place): string {
  const label = readString(value, at);
  if (label === "") throw new RootstockError(at.code, `${at.path}: a label must not be empty.`);
  return label;
}

function readTagged(fields: ReadonlyMap<string, unknown>, at: Place): { readonly kind: "ner"; readonly words: readonly string[]; readonly tags: readonly string[] } {
  const words = readList(fields.get("tokens"), field(at, "tokens"), MAX_TEXT_UNITS, readText);
  const tags = readList(fields.get("tags"), field(at, "tags"), MAX_TEXT_UNITS, readTag);
  if (words.length !== tags.length) throw new RootstockError(at.code, `${at.path}: ${words.length} tokens and ${tags.length} tags; give one tag a token, O for none.`);
  return { kind: "ner", words, tags };
}

function readTag(value: unknown, at: Place): string {
  const tag = readString(value, at);
  if (tag === "O") return tag;
  const type = splitTag(tag)?.type ?? "";
  if (type === "") throw new RootstockError(at.code, `${at.path}: ${quote(tag)} is no tag; tags are O, B-LABEL and I-LABEL (or E-, S-, L-, U-LABEL).`);
  checkEntity(type, at);
  return tag;
}

/** "O" stands for no entity, and serving leaves it out. */
function checkEntity(label: string, at: Place): void {
  if (label === "O") throw new RootstockError(at.code, `${at.path}: an entity cannot be called "O", which means none. Give it another name.`);
}

function readSpans(value: unknown, text: string, at: Place, { offsets }: RowOptions): TextSpan[] {
  const units = offsets === "codepoint" ? unitsOfPoints(text) : null;
  const most = units === null ? text.length : units.length - 1;
  const spans = readList(value, at, MAX_TEXT_UNITS, (item, itemAt): TextSpan => {
    const fields = readObject(item, itemAt);
    const label = readLabel(fields.get("label"), field(itemAt, "label"));
    checkEntity(label, itemAt);
    // Its tags are labels too, of two characters more.
    readString(`B-${label}`, field(itemAt, "label"));
    const start = readInteger(fields.get("start"), field(itemAt, "start"), 0, most);
    const end = readInteger(fields.get("end"), field(itemAt, "end"), 0, most);
    if (start >= end) throw new RootstockError(at.code, `${itemAt.path}: the span ends at ${end} and starts at ${start}; spans are half open and hold at least one character.`);
    return units === null ? { start, end, label } : { start: units[start]!, end: units[end]!, label };
  });
  return spans.sort((a, b) => a.start - b.start || b.end - a.end);
}

/** The UTF-16 unit where each code point begins, and the text's length. */
function unitsOfPoints(text: string): number[] {
  const units = [0];
  for (const point of text) units.push(units.at(-1)! + point.length);
  return units;
}

/** Tags and spans of one row must name the same entities, in order. */
function checkAgreement(tags: readonly string[], spans: readonly TextSpan[], at: Place): void {
  const tagged = tagsToSpans(tags).map(({ label }) => label);
  if (tagged.length === spans.length && tagged.every((label, i) => label === spans[i]!.label)) return;
  throw new RootstockError(at.code, `${at.path}: its tags name ${tagged.length} entities and its spans ${spans.length}, or others; leave out one of the two.`);
}
