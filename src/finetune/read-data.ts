import { RootstockError } from "../errors.ts";
import { place } from "../format/json.ts";
import { MAX_TRAINING_ROWS } from "../limits.ts";
import type { Pace } from "../runtime/event-loop.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import { DataDigest } from "./data-digest.ts";
import { makeExample, type DevExample } from "./examples.ts";
import type { LabelBook } from "./label-book.ts";
import { readRow, type RowOptions } from "./rows.ts";
import type { Rows, TrainingData, TrainingKind } from "./types.ts";
import { Warnings } from "./warnings.ts";

export interface ReadOptions extends RowOptions {
  /** "train" or "dev", for messages. */
  readonly set: "train" | "dev";
  readonly nameRow: TrainingData["nameRow"];
  readonly tokenizer: TextTokenizer;
  readonly maxLength: number;
  readonly book: LabelBook;
  /** That of the rows read before; null when there were none. */
  readonly kind: TrainingKind | null;
  readonly pace: Pace;
  readonly signal: AbortSignal | undefined;
}

export interface ReadSet<Kept> {
  readonly kind: TrainingKind;
  readonly examples: readonly Kept[];
  /** Rows, those left out included. */
  readonly rows: number;
  readonly tokens: number;
  readonly digest: string | null;
  /** Of the tokens that the rows became, and of those that are read: two tokenizers may make others of the same rows. */
  readonly tokenDigest: string | null;
  readonly warnings: readonly string[];
}

/**
 * Reads, checks and tokenises rows; the event loop turns between them.
 * @param keep what is held of each
 * @throws RootstockError `data-invalid` with the row's number, from 1; `limit-exceeded`; the signal's reason
 */
export async function readData<Kept>(rows: Rows, options: ReadOptions, keep: (example: DevExample) => Kept): Promise<ReadSet<Kept>> {
  const { set, nameRow, tokenizer, pace, signal } = options;
  const [digest, tokenDigest, warnings] = [new DataDigest(), new DataDigest(), new Warnings()];
  const examples: Kept[] = [];
  let { kind } = options;
  let count = 0;
  let tokens = 0;
  for await (const value of iterable(rows, set)) {
    count++;
    const where = nameRow === undefined ? `row ${count}` : nameRow(set, count);
    if (count > MAX_TRAINING_ROWS) throw new RootstockError("limit-exceeded", `${set} has more than ${MAX_TRAINING_ROWS} rows, the most that are read. Give a part of them.`);
    const row = readRow(value, place(`${set}: ${where}`, "data-invalid"), kind, options);
    kind = row.kind;
    digest.add(row);
    const example = makeExample(tokenizer, row, where, { ...options, warnings });
    if (example !== null) {
      const { ids, read } = example;
      examples.push(keep(example));
      tokenDigest.add([Array.from(ids), Array.from(read)]);
      tokens += ids.length;
    }
    if (!pace.isDue) continue;
    await pace.turn();
    signal?.throwIfAborted();
  }
  if (kind === null || examples.length === 0) {
    throw new RootstockError("data-invalid", `${set} has ${count === 0 ? "no rows" : "no row with a text"}. ${set === "train" ? "Give at least two." : "Give some, or leave dev out."}`);
  }
  return { kind, examples, rows: count, tokens, digest: await digest.finish(), tokenDigest: await tokenDigest.finish(), warnings: warnings.list(set) };
}

/** Rows as a program gives them. @param set for messages @throws RootstockError `argument-invalid` */
export function iterable(rows: unknown, set: string): Rows {
  if (typeof rows === "object" && rows !== null && (Symbol.iterator in rows || Symbol.asyncIterator in rows)) return rows as Rows;
  throw new RootstockError("argument-invalid", `${set} must be a list of rows, or anything else that can be walked with for await.`);
}
