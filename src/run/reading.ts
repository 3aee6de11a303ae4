import type { Address } from "../wasm/kernels.ts";
import { groupsOf, type Item, type PlacedBranch, type Placement } from "./arrangement.ts";
import { blocksOf, type Batch } from "./batch.ts";
import type { Machine } from "./forward.ts";
import type { Reading } from "./pass-text.ts";

/** What is read of one item, and by whom. */
export interface ItemReading {
  readonly branches: readonly PlacedBranch[];
  /** Tokens in rising order, the union over the branches; null = all. */
  readonly tokens: Int32Array | null;
  /** Row of its first token in the matrix of read rows. */
  readonly first: number;
  /** Rows there. */
  readonly rows: number;
}

export function readingOf({ texts }: Placement, items: readonly Item[]): ItemReading[] {
  let first = 0;
  return items.map(({ text, adapter, length }) => {
    const branches = texts[text]!.branches.filter(({ slots }) => slots === adapter);
    const tokens = union(branches.map(({ branch }) => branch.read), length);
    const rows = tokens === null ? length : tokens.length;
    const reading = { branches, tokens, first, rows };
    first += rows;
    return reading;
  });
}

/** Rows of a branch in the matrix of read rows, in rising order. */
export function rowsRead({ tokens, first, rows }: ItemReading, read: Reading): Int32Array {
  if (read === "all") return Int32Array.from({ length: rows }, (_, row) => first + row);
  const wanted = read === "first" ? Int32Array.of(0) : read;
  if (tokens === null) return wanted.map((token) => first + token);
  const out = new Int32Array(wanted.length);
  for (let i = 0, row = 0; i < wanted.length; i++) {
    while (tokens[row]! < wanted[i]!) row++;
    out[i] = first + row;
  }
  return out;
}

function union(readings: readonly Reading[], length: number): Int32Array | null {
  if (readings.includes("all")) return null;
  const [only] = readings;
  if (readings.length === 1) return only === "first" ? Int32Array.of(0) : (only as Int32Array);
  const isRead = new Uint8Array(length);
  for (const read of readings) {
    if (read === "first") isRead[0] = 1;
    else for (const token of read as Int32Array) isRead[token] = 1;
  }
  const tokens: number[] = [];
  for (const [token, read] of isRead.entries()) if (read) tokens.push(token);
  return Int32Array.from(tokens);
}

/** The read rows of a batch, gathered at `to`; the batch itself where every row is read. */
export function selectRows(m: Machine, batch: Batch, items: readonly Item[], reading: readonly ItemReading[], to: Address): Batch {
  if (reading.every(({ tokens }) => tokens === null)) return batch;
  const { hidden } = m.plan.config;
  const { ids } = m.work;
  const indices = m.memory.i32;
  let rows = 0;
  for (const [i, { first, length }] of items.entries()) {
    const { tokens } = reading[i]!;
    for (let row = 0; row < (tokens?.length ?? length); row++) indices[(ids >>> 2) + rows++] = first + (tokens === null ? row : tokens[row]!);
  }
  m.kernels.gatherRows(batch.x, ids, rows, hidden, to);
  const segments = reading.map(({ first, rows: length }) => ({ first, length, mask: 0 }));
  const groups = groupsOf(reading.map(({ first, rows: length }, i) => ({ first, length, adapter: items[i]!.adapter })));
  return { x: to, rows, segments, blocks: blocksOf(groups, m.work.block) };
}
