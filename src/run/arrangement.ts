import type { AdapterPlan, Head } from "../model/slot.ts";
import type { Address } from "../wasm/kernels.ts";
import { blocksOf, type Batch, type Group } from "./batch.ts";
import type { Machine } from "./forward.ts";
import type { Branch, TrunkState } from "./pass-text.ts";

/** The texts of a pass and their adapters, with all plans looked up. */
export interface Placement {
  readonly texts: readonly PlacedText[];
  /** Order of the adapters' groups; null (no slots), which trunks are under too, is the first. */
  readonly adapters: ReadonlyMap<AdapterPlan | null, number>;
}

export interface PlacedText {
  readonly length: number;
  readonly branches: readonly PlacedBranch[];
  readonly trunk: TrunkState | null;
  /** Was the trunk kept by an earlier pass? Then it starts there, otherwise from the embeddings. */
  readonly isKept: boolean;
}

export interface PlacedBranch {
  readonly branch: Branch;
  readonly head: Head | null;
  /** null where the adapter changes no layer. */
  readonly slots: AdapterPlan | null;
  readonly firstLayer: number;
}

/** A text's rows under one adapter; null = its trunk, or the bare encoder. */
export interface Item {
  readonly text: number;
  readonly adapter: AdapterPlan | null;
  readonly first: number;
  readonly length: number;
}

/** Does any text part from its trunk, join, or end before this layer? */
export function changesAt({ texts }: Placement, index: number): boolean {
  return texts.some(({ branches, trunk }) => trunk?.depth === index || branches.some(({ firstLayer }) => firstLayer === index));
}

/** Where each text's rows lie in a layer (−1: in the embeddings), adapter by adapter, so that a group is one run of rows. */
export function arrangementAt({ texts, adapters }: Placement, index: number): Item[] {
  const chosen: { text: number; adapter: AdapterPlan | null; length: number }[] = [];
  for (const [text, { length, branches, trunk, isKept }] of texts.entries()) {
    if (isKept && index < trunk!.depth) continue;
    const isToBeKept = trunk !== null && !isKept && trunk.depth > index;
    if (isToBeKept || branches.some(({ firstLayer }) => firstLayer > index)) chosen.push({ text, adapter: null, length });
    const own = new Set(branches.flatMap(({ slots, firstLayer }) => (slots !== null && firstLayer <= index ? [slots] : [])));
    for (const adapter of own) chosen.push({ text, adapter, length });
  }
  // Array.sort is stable: texts keep their order within a group.
  chosen.sort((a, b) => adapters.get(a.adapter)! - adapters.get(b.adapter)!);
  let first = 0;
  return chosen.map((item) => {
    const placed = { ...item, first };
    first += item.length;
    return placed;
  });
}

/** @param masks address of each text's key mask, 0 without one */
export function itemBatch(m: Machine, items: readonly Item[], masks: readonly Address[], x: Address): Batch {
  const last = items.at(-1);
  const segments = items.map(({ text, first, length }) => ({ first, length, mask: masks[text]! }));
  return { x, rows: last === undefined ? 0 : last.first + last.length, segments, blocks: blocksOf(groupsOf(items), m.work.block) };
}

/** Neighbouring items under one adapter. */
export function groupsOf(items: readonly { readonly first: number; readonly length: number; readonly adapter: AdapterPlan | null }[]): Group[] {
  const groups: { first: number; rows: number; adapter: AdapterPlan | null }[] = [];
  for (const { first, length, adapter } of items) {
    const last = groups.at(-1);
    if (last !== undefined && last.adapter === adapter) last.rows += length;
    else groups.push({ first, rows: length, adapter });
  }
  return groups;
}

/**
 * Copies the rows of one arrangement at `x` into the order of the next one at `to`: an item under an adapter that starts
 * here comes from its text's trunk, a trunk kept earlier from where it was kept.
 * @returns whether there was anything to copy; if not, the rows lie right as they are
 */
export function regroup(
  m: Machine, { texts }: Placement, items: readonly Item[], next: readonly Item[], x: Address, to: Address,
): boolean {
  const rowBytes = m.plan.config.hidden * 4;
  const at = new Map<number, Map<AdapterPlan | null, Item>>();
  for (const item of items) at.set(item.text, (at.get(item.text) ?? new Map<AdapterPlan | null, Item>()).set(item.adapter, item));
  const sources = next.map((item) => at.get(item.text)?.get(item.adapter) ?? at.get(item.text)?.get(null) ?? null);
  if (next.every((item, i) => sources[i]?.first === item.first)) return false;
  const { u8 } = m.memory;
  for (const [i, { text, first, length }] of next.entries()) {
    const source = sources[i] ?? null;
    const target = to + first * rowBytes;
    if (source === null) m.memory.floats(target, length * (rowBytes / 4)).set(texts[text]!.trunk!.rows!);
    else u8.copyWithin(target, x + source.first * rowBytes, x + (source.first + length) * rowBytes);
  }
  return true;
}
