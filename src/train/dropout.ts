import type { Address } from "../wasm/kernels.ts";
import type { TrainMachine } from "./machine.ts";

/**
 * The random numbers of one forward pass and its backward pass: who drops what is a function of this key and the place. null
 * where nothing is dropped (evaluation).
 */
export interface Draws {
  /** A number of the seed, the step and the micro-batch: `drawKey`. */
  readonly key: number;
  readonly rates: DropoutRates;
}

/** Shares of values that become 0 in training; 0 to below 1. */
export interface DropoutRates {
  /** Outputs of the embeddings, of attention's output layer and of the feed-forward. */
  readonly hidden: number;
  /** Attention's weights. */
  readonly attention: number;
  /** Inputs of low-rank terms (PEFT's `lora_dropout`). */
  readonly lora: number;
  /** Inputs of the classifier. */
  readonly classifier: number;
}

/** A well-mixed 32-bit number of a few whole numbers, the same on every engine. */
export function drawKey(...numbers: readonly number[]): number {
  let key = 0x9e3779b9;
  for (const number of numbers) {
    key = Math.imul(key ^ number, 0x85ebca6b);
    key = Math.imul(key ^ (key >>> 13), 0xc2b2ae35);
    key ^= key >>> 16;
  }
  return key | 0;
}

/** A rate as the kernels take it. */
export function threshold(rate: number): number {
  return Math.round(rate * 2 ** 32) | 0;
}

/** Drops in place, forward or backward; `place` is a number of its own for every use of a pass. */
export function drop({ train }: TrainMachine, draws: Draws | null, kind: keyof DropoutRates, place: number, x: Address, count: number): void {
  const rate = draws?.rates[kind] ?? 0;
  if (rate > 0) train.dropout(x, count, threshold(rate), 1 / (1 - rate), draws!.key, drawKey(place));
}
