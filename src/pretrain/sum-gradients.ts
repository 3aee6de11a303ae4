import type { TrainMachine } from "../train/machine.ts";
import type { Parameter } from "../train/parameters.ts";
import type { TrainModel } from "../train/pass.ts";
import type { Peers } from "../train/peers.ts";
import type { Address } from "../wasm/kernels.ts";
import type { UpdateBatch } from "./batch.ts";

/** A tensor's gradient, and where it lies. */
export type Summed = Iterable<readonly [Parameter, Address]>;

/**
 * Sums gradients among peers. Of the word table, half of MiniLM's numbers, only the rows of tokens that are in the batches: all others are 0
 * in every peer.
 */
export async function sumGradients({ memory }: TrainMachine, peers: Peers, { embeddings }: TrainModel, gradients: Summed, batches: readonly UpdateBatch[]): Promise<void> {
  if (peers.size === 1) return;
  for (const [parameter, place] of gradients) {
    if (parameter !== embeddings?.word) {
      await peers.sum(memory.floats(place, parameter.count));
      continue;
    }
    const { width } = embeddings;
    const ids = idsOf(batches);
    const rows = new Float32Array(ids.length * width);
    for (const [i, id] of ids.entries()) rows.set(memory.floats(place + id * width * 4, width), i * width);
    await peers.sum(rows);
    for (const [i, id] of ids.entries()) memory.floats(place + id * width * 4, width).set(rows.subarray(i * width, (i + 1) * width));
  }
}

/** The gradients where they are added up. */
export function inPlace(parameters: Iterable<Parameter>): Summed {
  return [...parameters].map((parameter) => [parameter, parameter.gradient] as const);
}

/** Every token id of the batches, once, rising: the same in all peers, who draw the same batches. */
function idsOf(batches: readonly UpdateBatch[]): Int32Array {
  const ids = new Set<number>();
  for (const { ner, tc } of batches) {
    for (const text of ner ?? []) for (const id of text.ids) ids.add(id);
    for (const { a, b } of tc ?? []) for (const text of [a, b]) for (const id of text) ids.add(id);
  }
  return Int32Array.from(ids).sort();
}
