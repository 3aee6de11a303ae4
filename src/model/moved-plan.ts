import type { Address } from "../wasm/kernels.ts";
import type { AdapterPlan, DensePlace, EmbeddingSlot, EmbeddingSlots, Head, LayerSlots, Slot } from "./slot.ts";

/** The same plan where its block of numbers lies `bytes` further on (negative: further back). 0, "none", stays 0. */
export function movedPlan(plan: AdapterPlan, bytes: number): AdapterPlan {
  const at = (address: Address): Address => (address === 0 ? 0 : address + bytes);
  return {
    ...plan,
    embeddings: plan.embeddings && movedEmbeddings(plan.embeddings, at),
    layers: plan.layers.map((slots) => slots && movedLayer(slots, at)),
    head: plan.head && movedHead(plan.head, at),
  };
}

type At = (address: Address) => Address;

function movedSlot(slot: Slot, at: At): Slot {
  const { rank, inputScale, down, up, outputScale, shift } = slot;
  return { rank, inputScale: at(inputScale), down: at(down), up: at(up), outputScale: at(outputScale), shift: at(shift) };
}

function movedLayer(slots: LayerSlots, at: At): LayerSlots {
  return Object.fromEntries(Object.entries(slots).map(([part, slot]) => [part, typeof slot === "number" ? at(slot) : movedSlot(slot, at)])) as LayerSlots;
}

function movedEmbeddings({ word, position, type, normBias, projection }: EmbeddingSlots, at: At): EmbeddingSlots {
  const table = (slot: EmbeddingSlot | null): EmbeddingSlot | null => slot && { rank: slot.rank, table: at(slot.table), up: at(slot.up) };
  return { word: table(word), position: table(position), type: table(type), normBias: at(normBias), projection: projection && movedSlot(projection, at) };
}

function movedHead(head: Head, at: At): Head {
  const dense = <T extends DensePlace>(place: T): T => ({ ...place, weights: at(place.weights), bias: at(place.bias) });
  return {
    ...head,
    poolerSlot: head.poolerSlot && movedSlot(head.poolerSlot, at),
    dense: head.dense && dense(head.dense),
    classifier: dense(head.classifier),
  };
}
