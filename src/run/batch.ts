import type { AdapterPlan } from "../model/slot.ts";
import type { Address } from "../wasm/kernels.ts";

/** Rows of one text; attention walks these. */
export interface Segment {
  readonly first: number;
  readonly length: number;
  /** u8 a row, 0 = a key that is left out; address 0 = none is. */
  readonly mask: Address;
}

/** Neighbouring rows under one adapter (null: the bare encoder). */
export interface Group {
  readonly first: number;
  readonly rows: number;
  readonly adapter: AdapterPlan | null;
}

/** Rows that go through the linear layers together, whatever their adapters; `parts` are the groups cut to the block. */
export interface Block {
  readonly first: number;
  readonly rows: number;
  readonly parts: readonly Group[];
}

/** A matrix of token rows without padding, f32 [rows][hidden] at `x`. */
export interface Batch {
  readonly x: Address;
  readonly rows: number;
  readonly segments: readonly Segment[];
  readonly blocks: readonly Block[];
}

/** Texts of these lengths, one after the other, all under one adapter. */
export function uniformBatch(x: Address, lengths: readonly number[], adapter: AdapterPlan | null, mask: Address, blockRows: number): Batch {
  let rows = 0;
  const segments = lengths.map((length) => {
    const segment = { first: rows, length, mask };
    rows += length;
    return segment;
  });
  return { x, rows, segments, blocks: blocksOf([{ first: 0, rows, adapter }], blockRows) };
}

/**
 * Cuts groups into blocks of at most `most` rows. A block's rows are quantised together, so an adapter that scales a
 * layer's input ((IA)³ on the feed-forward) has blocks of its own.
 */
export function blocksOf(groups: readonly Group[], most: number): Block[] {
  const blocks: { first: number; rows: number; parts: Group[] }[] = [];
  let isOpen = false;
  for (const { first, rows, adapter } of groups) {
    const isAlone = adapter?.scalesInputs ?? false;
    if (isAlone) isOpen = false;
    for (let at = first; at < first + rows; ) {
      if (!isOpen || blocks.at(-1)!.rows === most) blocks.push({ first: at, rows: 0, parts: [] });
      isOpen = true;
      const block = blocks.at(-1)!;
      const part = { first: at, rows: Math.min(first + rows - at, most - block.rows), adapter };
      block.parts.push(part);
      block.rows += part.rows;
      at += part.rows;
    }
    if (isAlone) isOpen = false;
  }
  return blocks;
}
