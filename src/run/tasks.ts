import type { AdapterPlan } from "../model/slot.ts";
import { embeddings, layer, type Batch, type Machine } from "./forward.ts";

/**
 * Runs a batch once for each adapter (null = the bare encoder) and calls `done` with `work.hidden` holding that
 * adapter's last hidden state. The trunk runs once: adapters are taken in the order of their first layer, and at each
 * such layer the state is kept, so k adapted layers of L cost (L − k + N·k)/L for N adapters.
 */
export function runAdapters(
  m: Machine,
  batch: Batch,
  adapters: readonly (AdapterPlan | null)[],
  done: (index: number) => void,
): void {
  const { layers, config } = m.plan;
  const firstLayer = (index: number): number => adapters[index]?.firstLayer ?? config.layers;
  const order = adapters.map((_, index) => index).sort((a, b) => firstLayer(a) - firstLayer(b));
  let trunkDepth: number | null = null;
  for (const [turn, index] of order.entries()) {
    const adapter = adapters[index] ?? null;
    const first = firstLayer(index);
    if (first < 0) {
      embeddings(m, batch, adapter);
    } else {
      if (trunkDepth === null) {
        embeddings(m, batch, null);
        trunkDepth = 0;
      } else {
        copyRows(m, batch, m.work.trunk, m.work.hidden);
      }
      for (; trunkDepth < first; trunkDepth++) layer(m, batch, layers[trunkDepth]!, null);
      if (turn + 1 < order.length) copyRows(m, batch, m.work.hidden, m.work.trunk);
    }
    for (let l = Math.max(first, 0); l < config.layers; l++) {
      layer(m, batch, layers[l]!, adapter?.layers[l] ?? null);
    }
    done(index);
  }
}

function copyRows(m: Machine, batch: Batch, from: number, to: number): void {
  m.memory.u8.copyWithin(to, from, from + batch.rows * m.plan.config.hidden * 4);
}
