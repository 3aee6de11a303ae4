import { RootstockError } from "../errors.ts";

/**
 * The class with the highest value among `classes` values from `offset` on; the first of equals.
 * Throws `engine-fault` on NaN: every comparison with it is false, so it would pass as a result of class 0.
 */
export function argmax(values: ArrayLike<number>, offset: number, classes: number): number {
  let best = 0;
  for (let index = 0; index < classes; index++) {
    const value = values[offset + index]!;
    if (value !== value) {
      throw new RootstockError(
        "engine-fault",
        `Class ${index} has a score that is not a number. The head or the adapter overflowed: check its weights.`,
      );
    }
    if (value > values[offset + best]!) best = index;
  }
  return best;
}
