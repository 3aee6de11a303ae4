import { describe, quote, RootstockError } from "../errors.ts";
import { field, place, type Place } from "../format/json.ts";
import { MAX_LABELS, MAX_TRAINING_ROWS } from "../limits.ts";
import { DataDigest } from "../finetune/data-digest.ts";
import { headLabels } from "../finetune/label-book.ts";
import { iterable } from "../finetune/read-data.ts";
import { Pace } from "../runtime/event-loop.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import type { PairText, SentenceText } from "./batch.ts";
import { readPair, readSentence } from "./rows.ts";
import type { PretrainingData, PretrainingSettings, RowSet, SourceRecord, TaskFamily } from "./types.ts";

/** Rows of one name: what is mixed with a weight, and whose types share a softmax. */
export interface CorpusSource {
  readonly name: string;
  readonly weight: number;
  readonly outside: "label" | "ignored";
  rows: number;
  /** Numbers of the entity types that occur. */
  readonly types: Set<number>;
  /** Classes that its softmax is over; null for pairs. */
  allowed: Uint8Array | null;
}

/** A row of the corpus; its text is let go once there are token ids. */
export interface CorpusRow<Text, Encoded> {
  readonly source: CorpusSource;
  text: Text | null;
  encoded: Encoded | null;
}

export type SentenceRow = CorpusRow<{ readonly words: readonly string[]; readonly classes: Int32Array }, SentenceText>;
export type PairRow = CorpusRow<{ readonly a: string; readonly b: string }, PairText>;

/** All rows that are drawn from. */
export interface Corpus {
  readonly sentences: readonly SentenceRow[];
  readonly pairs: readonly PairRow[];
  /** Entity types in the order of their numbers: type t has the classes 1 + 2t (B) and 2 + 2t (I); class 0 is O. */
  readonly types: readonly string[];
  readonly sources: readonly SourceRecord[];
  readonly digest: string | null;
}

/** Classes of the NER head: "O", "B-x", "I-x" … */
export function classNames({ types }: Pick<Corpus, "types">): string[] {
  return headLabels("ner", types);
}

/** Sources of one family by name. */
class Sources {
  readonly #settings: PretrainingSettings["sources"];
  readonly byName = new Map<string, CorpusSource>();

  constructor(settings: PretrainingSettings["sources"]) {
    this.#settings = settings;
  }

  /** null for a source that is left out. */
  take(name: string): CorpusSource | null {
    let source = this.byName.get(name);
    if (source === undefined) {
      const { weight = 1, outside = "label" } = (Object.hasOwn(this.#settings, name) ? this.#settings[name] : undefined) ?? {};
      source = { name, weight, outside, rows: 0, types: new Set(), allowed: null };
      this.byName.set(name, source);
    }
    if (source.weight === 0) return null;
    source.rows++;
    return source;
  }

  records(family: TaskFamily): SourceRecord[] {
    return [...this.byName.values()].map(({ name, rows, types, weight, outside }) => ({ name, family, rows, types: types.size, weight, outside }));
  }
}

/**
 * Reads and checks every row.
 * @throws RootstockError `data-invalid` with the row's number from 1, `limit-exceeded`; `argument-invalid` for a source that is set and has no row.
 */
export async function readCorpus(data: PretrainingData, settings: PretrainingSettings, signal: AbortSignal | undefined): Promise<Corpus> {
  const digest = new DataDigest();
  const types = new Map<string, number>();
  const nerSources = new Sources(settings.sources);
  const pairSources = new Sources(settings.sources);
  const sentences: SentenceRow[] = [];
  const pairs: PairRow[] = [];
  await eachRow(data.ner ?? [], signal, (value, at, name) => {
    const row = readSentence(value, at);
    digest.add({ ...row, source: row.source ?? name });
    const source = nerSources.take(row.source ?? name);
    if (source === null) return;
    const classes = Int32Array.from(row.tags, (tag) => classOf(tag, types, source, at));
    sentences.push({ source, text: { words: row.words, classes }, encoded: null });
  });
  await eachRow(data.pairs ?? [], signal, (value, at, name) => {
    const row = readPair(value, at);
    digest.add({ ...row, source: row.source ?? name });
    const source = pairSources.take(row.source ?? name);
    if (source !== null) pairs.push({ source, text: { a: row.a, b: row.b }, encoded: null });
  });
  for (const source of nerSources.byName.values()) source.allowed = allowedClasses(source, types.size);
  const unused = Object.keys(settings.sources).find((name) => !nerSources.byName.has(name) && !pairSources.byName.has(name));
  if (unused !== undefined) throw new RootstockError("argument-invalid", `sources: ${quote(unused)} is set, and no row is of that source. Check its spelling.`);
  return { sentences, pairs, types: [...types.keys()], sources: [...nerSources.records("ner"), ...pairSources.records("tc")], digest: await digest.finish() };
}

/** What a program gives, before the encoder is read. @throws RootstockError `argument-invalid` */
export function checkData(data: PretrainingData): void {
  const invalid = (what: string, value: unknown): RootstockError => new RootstockError("argument-invalid", `${what} is ${describe(value)}; give the data as { ner, pairs }, each a list of { name, rows }.`);
  if (typeof data !== "object" || data === null) throw invalid("the data", data);
  for (const family of Object.keys(data)) if (family !== "ner" && family !== "pairs") throw new RootstockError("argument-invalid", `the data has no ${quote(family)}, only ner and pairs.`);
  for (const family of ["ner", "pairs"] as const) {
    const sets: unknown = data[family];
    if (sets === undefined) continue;
    if (!Array.isArray(sets)) throw invalid(family, sets);
    for (const [i, set] of sets.entries()) {
      const { name, nameRow } = Object(set) as Partial<Record<keyof RowSet, unknown>>;
      if (typeof name !== "string") throw invalid(`the name of ${family}[${i}]`, name);
      if (nameRow !== undefined && typeof nameRow !== "function") throw new RootstockError("argument-invalid", `nameRow of ${quote(name)} is ${describe(nameRow)}; give a function.`);
    }
  }
}

async function eachRow(sets: readonly RowSet[], signal: AbortSignal | undefined, take: (value: unknown, at: Place, name: string) => void): Promise<void> {
  let total = 0;
  const pace = new Pace();
  for (const { name, rows, nameRow = (row: number) => `${name}, row ${row}` } of sets) {
    let number = 0;
    for await (const value of iterable(rows, `rows of ${quote(name)}`)) {
      number++;
      if (pace.isDue) {
        await pace.turn();
        signal?.throwIfAborted();
      }
      if (++total > MAX_TRAINING_ROWS) throw new RootstockError("limit-exceeded", `${name}: more than ${MAX_TRAINING_ROWS} rows of one family.`);
      take(value, place(nameRow(number), "data-invalid"), name);
    }
  }
}

function classOf(tag: string, types: Map<string, number>, source: CorpusSource, at: Place): number {
  if (tag === "O") return 0;
  const name = tag.slice(2);
  let type = types.get(name);
  if (type === undefined) {
    type = types.size;
    if (1 + 2 * (type + 1) > MAX_LABELS) throw new RootstockError("limit-exceeded", `${field(at, "tags").path}: more than ${type} entity types.`);
    types.set(name, type);
  }
  source.types.add(type);
  return (tag.startsWith("B") ? 1 : 2) + 2 * type;
}

function allowedClasses({ types, outside }: CorpusSource, count: number): Uint8Array {
  const allowed = new Uint8Array(1 + 2 * count);
  if (outside === "label") allowed[0] = 1;
  for (const type of types) allowed.fill(1, 1 + 2 * type, 3 + 2 * type);
  return allowed;
}

/** Token ids and the labels of first sub-tokens, made once a row. Where O is no evidence it is no label. */
export function encodeSentence(row: SentenceRow, tokenizer: TextTokenizer, maxTokens: number): SentenceText {
  if (row.encoded !== null) return row.encoded;
  const { words, classes } = row.text!;
  const encoded = tokenizer.encodeWords(words, { maxTokens });
  const read: number[] = [];
  const labels: number[] = [];
  for (const [i, { firstToken }] of encoded.words.entries()) {
    if (firstToken < 0 || (classes[i] === 0 && row.source.outside === "ignored")) continue;
    read.push(firstToken);
    labels.push(classes[i]!);
  }
  row.text = null;
  row.encoded = { ids: encoded.ids, read: Int32Array.from(read), labels: Int32Array.from(labels), allowed: row.source.allowed };
  return row.encoded;
}

export function encodePair(row: PairRow, tokenizer: TextTokenizer, maxTokens: number): PairText {
  if (row.encoded !== null) return row.encoded;
  const { a, b } = row.text!;
  row.text = null;
  row.encoded = { a: tokenizer.encode(a, { maxTokens }).ids, b: tokenizer.encode(b, { maxTokens }).ids };
  return row.encoded;
}
