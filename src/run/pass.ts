import type { ScoreFunction } from "../heads/classify.ts";
import type { AdapterPlan } from "../model/slot.ts";
import type { Address } from "../wasm/kernels.ts";
import { arrangementAt, batchOf, changesAt, regroup, type Item, type Placement } from "./arrangement.ts";
import type { Batch } from "./batch.ts";
import { embeddings, layer, type Machine, type Steps } from "./forward.ts";
import { deliver } from "./deliver.ts";
import { fillRows } from "./rows.ts";
import { readingOf, selectRows, type Reading } from "./reading.ts";

/** A text in a pass, and everything that it is asked for. */
export interface PassText {
  /** Token ids, special tokens included. */
  readonly ids: ArrayLike<number>;
  /** 1 = attend, 0 = leave out as a key; all 1 when absent. */
  readonly mask?: ArrayLike<number> | undefined;
  readonly branches: readonly Branch[];
  /** Where its trunk is taken from, or kept; no branch may part from the trunk below its depth. */
  readonly trunk?: TrunkState | undefined;
}

/** A text's state before layer `depth`, f32 [tokens][hidden]; null until a pass has made it. */
export interface TrunkState {
  readonly depth: number;
  rows: Float32Array | null;
}

/** One adapter over one text. */
export interface Branch {
  /** null: the bare encoder. Its plan is looked up when the pass begins: adapters move. */
  readonly adapter: { readonly plan: AdapterPlan } | null;
  /** Rows of the last state that are wanted; no others are computed. */
  readonly read: Reading;
  readonly output: Output;
  /** Instead of the output, when the numbers overflow. */
  readonly fail: (error: unknown) => void;
}

/** What becomes of the rows that are read, in rising order. `take` gets an array of its own. */
export type Output =
  /** rows × classes of the adapter's head */
  | { readonly kind: "scores"; readonly apply: ScoreFunction; readonly take: (scores: Float32Array) => void }
  /** rows × hidden */
  | { readonly kind: "states"; readonly take: (rows: Float32Array) => void }
  /** hidden: the mean of the rows */
  | { readonly kind: "mean"; readonly take: (mean: Float32Array) => void };

/**
 * Runs texts through the encoder together. A text's trunk runs once; at the first layer that an adapter of its touches, its
 * rows fan out. k adapted layers of L cost (L − k + N·k)/L for N adapters. In each layer all rows share the int8
 * products, whatever their texts and adapters. The last layer computes only the rows that are read.
 *
 * @param texts together at most `work.rows` rows (`rowsOf`)
 */
export function* runPass(m: Machine, texts: readonly PassText[]): Steps {
  const { layers } = m.plan.config;
  const placement = placementOf(texts, layers);
  let [x, spare] = m.work.states;
  let items = arrangementAt(placement, -1);
  fillRows(m, texts, items, placement.masks);
  let batch = batchOf(m, placement, items, x);
  yield* embeddings(m, batch);

  for (let index = 0; index < layers; index++) {
    if (changesAt(placement, index)) {
      keepTrunks(m, placement, index, items, x);
      const next = arrangementAt(placement, index);
      if (regroup(m, placement, items, next, x, spare)) [x, spare] = [spare, x];
      items = next;
      batch = batchOf(m, placement, items, x);
    }
    let queries: Batch = batch;
    if (index === layers - 1) {
      const reading = readingOf(placement, items);
      queries = selectRows(m, batch, items, reading, spare);
      yield* layer(m, index, batch, queries);
      yield* deliver(m, queries, reading);
    } else {
      yield* layer(m, index, batch, queries);
    }
  }
}

/**
 * Token rows that a text takes in its widest layer: once for each adapter that changes a layer, and once for those that
 * change none and for a trunk that is made to be kept.
 */
export function rowsOf({ ids, branches, trunk }: Pick<PassText, "ids" | "branches" | "trunk">, layers: number): number {
  const own = new Set<unknown>();
  let shared = branches.length === 0 || (trunk !== undefined && trunk.rows === null);
  for (const { adapter } of branches) {
    if (adapter === null || adapter.plan.firstLayer >= layers) shared = true;
    else own.add(adapter);
  }
  return ids.length * (own.size + (shared ? 1 : 0));
}

function placementOf(texts: readonly PassText[], layers: number): Placement {
  const adapters = new Map<AdapterPlan | null, number>([[null, 0]]);
  const placed = texts.map(({ ids, branches, trunk }) => {
    const own = branches.map((branch) => {
      const plan = branch.adapter?.plan ?? null;
      // An adapter that changes no layer has the bare encoder's rows.
      const slots = plan !== null && plan.firstLayer < layers ? plan : null;
      if (!adapters.has(slots)) adapters.set(slots, adapters.size);
      return { branch, head: plan?.head ?? null, slots, firstLayer: slots?.firstLayer ?? layers };
    });
    return { length: ids.length, branches: own, trunk: trunk ?? null, from: trunk == null || trunk.rows === null ? null : trunk };
  });
  return { texts: placed, adapters, masks: new Array<Address>(texts.length).fill(0) };
}

/** Copies the states of texts whose trunk ends before this layer and is to be kept. */
function keepTrunks(m: Machine, { texts }: Placement, index: number, items: readonly Item[], x: Address): void {
  const { hidden } = m.plan.config;
  for (const { text, adapter, first, length } of items) {
    const { trunk, from } = texts[text]!;
    if (adapter !== null || trunk === null || from !== null || trunk.depth !== index) continue;
    trunk.rows = m.memory.floats(x + first * hidden * 4, length * hidden).slice();
  }
}
