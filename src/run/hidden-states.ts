import type { AdapterPlan } from "../model/slot.ts";
import { uniformBatch } from "./batch.ts";
import { finiteResult } from "./deliver.ts";
import { embeddings, layer, type Machine, type Steps } from "./forward.ts";
import type { PassText } from "./pass-text.ts";
import { fillRows } from "./rows.ts";

/** Runs one text under one adapter and hands out the state before the first layer and after each: tokens × hidden. @throws RootstockError `tensor-value` */
export function* hiddenStates(m: Machine, text: Pick<PassText, "ids" | "mask">, adapter: AdapterPlan | null, take: (state: Float32Array) => void): Steps {
  const { layers, hidden } = m.plan.config;
  const [x] = m.work.states;
  const [mask] = fillRows(m, [text], [{ text: 0, first: 0 }]);
  const batch = uniformBatch(x, [text.ids.length], adapter, mask!, m.work.block);
  const state = (): Float32Array => finiteResult(m.memory.floats(x, batch.rows * hidden).slice());
  yield* embeddings(m, batch);
  take(state());
  for (let index = 0; index < layers; index++) {
    yield* layer(m, index, batch, batch);
    take(state());
  }
}
