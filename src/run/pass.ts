import type { AdapterPlan } from "../model/slot.ts";
import type { Address } from "../wasm/kernels.ts";
import { arrangementAt, changesAt, itemBatch, regroup, type Item, type Placement } from "./arrangement.ts";
import { deliver } from "./deliver.ts";
import { embeddings, layer, type Machine, type Steps } from "./forward.ts";
import type { PassText } from "./pass-text.ts";
import { readingOf, selectRows } from "./reading.ts";
import { fillRows } from "./rows.ts";

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
  const masks = fillRows(m, texts, items);
  let batch = itemBatch(m, items, masks, x);
  yield* embeddings(m, batch);

  for (let index = 0; index < layers; index++) {
    if (changesAt(placement, index)) {
      keepTrunks(m, placement, index, items, x);
      const next = arrangementAt(placement, index);
      if (regroup(m, placement, items, next, x, spare)) [x, spare] = [spare, x];
      items = next;
      batch = itemBatch(m, items, masks, x);
    }
    if (index < layers - 1) yield* layer(m, index, batch, batch);
    else {
      const reading = readingOf(placement, items);
      const queries = selectRows(m, batch, items, reading, spare);
      yield* layer(m, index, batch, queries);
      yield* deliver(m, queries, reading);
    }
  }
}

/**
 * Token rows that a text takes in its widest layer: once for each adapter that changes a layer, and once for those that
 * change none and for a trunk that is made to be kept.
 */
export function rowsOf({ ids, branches, trunk }: PassText, layers: number): number {
  const own = new Set<unknown>();
  let isShared = branches.length === 0 || (trunk !== undefined && trunk.rows === null);
  for (const { adapter } of branches) {
    if (adapter === null || adapter.plan.firstLayer >= layers) isShared = true;
    else own.add(adapter);
  }
  return ids.length * (own.size + (isShared ? 1 : 0));
}

function placementOf(texts: readonly PassText[], layers: number): Placement {
  const adapters = new Map<AdapterPlan | null, number>([[null, 0]]);
  const placed = texts.map(({ ids, branches, trunk = null }) => {
    const own = branches.map((branch) => {
      const plan = branch.adapter?.plan ?? null;
      // An adapter that changes no layer has the bare encoder's rows.
      const slots = plan !== null && plan.firstLayer < layers ? plan : null;
      if (!adapters.has(slots)) adapters.set(slots, adapters.size);
      return { branch, head: plan?.head ?? null, slots, firstLayer: slots?.firstLayer ?? layers };
    });
    return { length: ids.length, branches: own, trunk, isKept: trunk !== null && trunk.rows !== null };
  });
  return { texts: placed, adapters };
}

/** Copies the states of texts whose trunk ends before this layer and is to be kept. */
function keepTrunks(m: Machine, { texts }: Placement, index: number, items: readonly Item[], x: Address): void {
  const { hidden } = m.plan.config;
  for (const { text, adapter, first, length } of items) {
    const { trunk, isKept } = texts[text]!;
    if (adapter !== null || trunk === null || isKept || trunk.depth !== index) continue;
    trunk.rows = m.memory.floats(x + first * hidden * 4, length * hidden).slice();
  }
}
