import { drawKey } from "../train/dropout.ts";

/**
 * Token rows of a pass: what is kept of a pass grows with them, and the encoder's other callers wait for one pass. Fixed, because the order
 * of sums depends on how a batch is cut.
 */
export const PASS_ROWS = 256;

/** The order in which an epoch sees `count` rows: Fisher–Yates by numbers of the seed and the epoch, the same on every engine. */
export function orderOf(count: number, seed: number, epoch: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, row) => row);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(((drawKey(seed, epoch, last) >>> 0) / 2 ** 32) * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
