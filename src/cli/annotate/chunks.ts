import type { Row } from "./rows.ts";

/** Rows of one call: enough to fill passes of the encoder. */
export const CHUNK_ROWS = 64;

/** UTF-16 units of one call, about: so that long rows do not add up. */
const CHUNK_UNITS = 4_000_000;

/** One of several runs that share the rows of an input: row r is for run r mod `count`. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

export interface Selection {
  /** Rows before this one are done. */
  readonly from: number;
  readonly shard: Shard;
  /** Do not wait for a chunk to be full: a pipe may bring its next row much later. */
  readonly eager: boolean;
}

/** The rows that are asked for, in chunks. */
export async function* chunks(rows: AsyncIterable<readonly Row[]>, { from, shard, eager }: Selection): AsyncGenerator<Row[]> {
  let chunk: Row[] = [];
  let units = 0;
  for await (const portion of rows) {
    for (const row of portion) {
      if (row.number < from || row.number % shard.count !== shard.index) continue;
      chunk.push(row);
      units += row.units;
      if (chunk.length < CHUNK_ROWS && units < CHUNK_UNITS) continue;
      yield chunk;
      chunk = [];
      units = 0;
    }
    if (!eager || chunk.length === 0) continue;
    yield chunk;
    chunk = [];
    units = 0;
  }
  if (chunk.length > 0) yield chunk;
}
