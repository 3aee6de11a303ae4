import { LINEAR_PARTS } from "../model/plan.ts";
import { pack, repack } from "./linear.ts";
import type { TrainMachine } from "./machine.ts";
import type { TrainModel } from "./pass.ts";
import { refreshSlot } from "./slot.ts";

/** Packs the weights of an encoder that is frozen: once, when they were given values. */
export function packFrozen(m: TrainMachine, { embeddings, layers, pooler }: TrainModel): void {
  const linears = [embeddings?.projection ?? null, pooler, ...[...new Set(layers)].flatMap((layer) => LINEAR_PARTS.map((part) => layer.linears[part]))];
  for (const linear of linears) if (linear !== null && linear.trained === null && linear.served === null) pack(m, linear);
}

/** Makes everything that forward reads of the parameters: to be called after they were given values, and after every update. */
export function refresh(m: TrainMachine, model: TrainModel): void {
  const { embeddings, layers, pooler, groups, work } = model;
  if (embeddings?.projection) repack(m, embeddings.projection);
  for (const { linears } of new Set(layers)) for (const part of LINEAR_PARTS) repack(m, linears[part]);
  if (pooler !== null) repack(m, pooler);
  for (const group of groups.values()) {
    for (const [at, slots] of group.layers.entries()) {
      for (const part of LINEAR_PARTS) {
        const slot = slots?.linears[part];
        if (slot !== undefined) refreshSlot(m, work, layers[at]!.linears[part], slot);
      }
    }
    if (group.head === null) continue;
    if (group.head.dense !== null) repack(m, group.head.dense.linear);
    repack(m, group.head.classifier);
  }
}
