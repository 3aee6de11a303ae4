import type { Address } from "../wasm/kernels.ts";
import type { Layout } from "../wasm/memory.ts";
import { panelBytes } from "./linear.ts";
import type { TrainMachine } from "./machine.ts";
import type { Rows } from "./pass.ts";

/** Sentence vectors of a batch of pairs, and what their loss needs. f32. */
export interface PairPlace {
  readonly pairs: number;
  readonly hidden: number;
  /** [2·pairs][hidden]: means over tokens; first the pairs' first texts, then their second. */
  readonly means: Address;
  /** [2·pairs][hidden]: of length 1. */
  readonly units: Address;
  /** [2·pairs][hidden]: gradients of the units, then of the means. */
  readonly dUnits: Address;
  /** [pairs][pairs] */
  readonly scores: Address;
  /** ⌈pairs/8⌉ panels of `hidden` steps */
  readonly panels: Address;
  readonly leftOut: Address;
  readonly terms: Address;
  readonly losses: Address;
}

export function planPairs(layout: Layout, pairs: number, hidden: number): PairPlace {
  const vectors = (): Address => layout.reserve(2 * pairs * hidden * 4);
  return {
    pairs, hidden, means: vectors(), units: vectors(), dUnits: vectors(),
    scores: layout.reserve(pairs * pairs * 4),
    panels: layout.reserve(panelBytes(pairs, hidden)),
    leftOut: layout.reserve(pairs * pairs),
    terms: layout.reserve(pairs * 16),
    losses: layout.reserve(pairs * 4),
  };
}

/**
 * Mean over a text's rows, and that at length 1, for each segment of x.
 * @param first place of the first segment among the vectors: batches that do not fit at once go in parts
 */
export function poolForward({ kernels, memory }: TrainMachine, { hidden, means, units }: PairPlace, { segments }: Rows, x: Address, first: number): void {
  const bytes = hidden * 4;
  for (const [i, { first: row, length }] of segments.entries()) {
    const at = (first + i) * bytes;
    kernels.meanRows(x + row * bytes, length, hidden, hidden, 0, means + at);
    memory.u8.copyWithin(units + at, means + at, means + at + bytes);
    kernels.l2Normalize(units + at, hidden);
  }
}

/** The gradient of the vectors, left by `contrastiveLoss`, to that of the rows, [rows][hidden] at `dx`. Once for each segment. */
export function poolBackward({ train }: TrainMachine, { hidden, means, dUnits }: PairPlace, { segments }: Rows, dx: Address, first: number): void {
  const bytes = hidden * 4;
  for (const [i, { first: row, length }] of segments.entries()) {
    const at = (first + i) * bytes;
    train.l2NormalizeBackward(means + at, dUnits + at, hidden);
    train.meanRowsBackward(dUnits + at, length, hidden, 0, dx + row * bytes);
  }
}

export interface ContrastiveOptions {
  readonly temperature: number;
  /** [count][count], not 0: partner j is no negative of text i (equal texts). Pairs themselves never are left out. */
  readonly leftOut?: Uint8Array | undefined;
  /** "first": first texts look for second ones; "both" (default): half of each direction. */
  readonly direction?: "both" | "first";
}

/** Cosines of the first `count` texts with their partners over the temperature, [count][count] at `scores`. */
function scorePairs({ train }: TrainMachine, { hidden, units, scores, panels }: PairPlace, count: number, temperature: number): void {
  const rowBytes = hidden * 4;
  train.packRowPanels(units + count * rowBytes, count, hidden, hidden, panels);
  train.product(units, count, rowBytes, 4, hidden, panels, hidden * 32, 32, count, 0, scores, count, 0);
  train.scaleValues(scores, count * count, 1 / temperature);
}

/** How many of the first `count` texts are nearer to their own partner than to any other that is not left out. */
export function nearestPartners(m: TrainMachine, place: PairPlace, count: number, leftOut?: Uint8Array): number {
  scorePairs(m, place, count, 1);
  const scores = m.memory.floats(place.scores, count * count);
  let found = 0;
  for (let row = 0; row < count; row++) {
    const own = scores[row * count + row]!;
    let isNearest = true;
    for (let i = row * count; i < (row + 1) * count; i++) if (scores[i]! > own && !leftOut?.[i]) isNearest = false;
    if (isNearest) found++;
  }
  return found;
}

/**
 * InfoNCE over the first `count` pairs of the `2·count` vectors made; their gradient times `scale` (1/count for
 * the mean) is left for `poolBackward`.
 * @returns each pair's loss, not scaled
 */
export function contrastiveLoss(
  m: TrainMachine, place: PairPlace, count: number, scale: number, { temperature, leftOut, direction = "both" }: ContrastiveOptions,
): Float32Array {
  const { memory, train } = m;
  const { hidden, units, dUnits, scores } = place;
  const [rowBytes, half] = [hidden * 4, count * hidden * 4];
  scorePairs(m, place, count, temperature);
  if (leftOut !== undefined) memory.octets(place.leftOut, count * count).set(leftOut);
  train.contrastive(scores, count, leftOut === undefined ? 0 : place.leftOut, direction === "both" ? 0.5 : 1, scale, place.terms, place.losses);
  train.scaleValues(scores, count * count, 1 / temperature);
  train.product(scores, count, count * 4, 4, count, units + half, 32, rowBytes, hidden, 0, dUnits, hidden, 0);
  train.product(scores, count, 4, count * 4, count, units, 32, rowBytes, hidden, 0, dUnits + half, hidden, 0);
  return memory.floats(place.losses, count).slice();
}
