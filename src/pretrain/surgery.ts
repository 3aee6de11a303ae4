import type { TrainMachine } from "../train/machine.ts";
import type { PretrainingModel } from "./model.ts";

/** Copies the backbone's gradients to their second place. */
export function putAside({ memory }: TrainMachine, { aside }: PretrainingModel): void {
  for (const [{ gradient, count }, to] of aside) memory.u8.copyWithin(to, gradient, gradient + count * 4);
}

/**
 * PCGrad for two losses, on the backbone as one vector: where the gradients n (put aside) and t conflict, n·t < 0, each loses its part along the
 * other, n − (n·t/t·t)t + t − (n·t/n·n)n = (1 − n·t/n·n)n + (1 − n·t/t·t)t. Leaves the sum at the gradients' place.
 * @returns whether they conflicted
 */
export function joinBySurgery({ train }: TrainMachine, { aside }: PretrainingModel): boolean {
  let [nn, nt, tt] = [0, 0, 0];
  for (const [{ gradient, count }, n] of aside) {
    nn += train.innerProduct(n, n, count);
    nt += train.innerProduct(n, gradient, count);
    tt += train.innerProduct(gradient, gradient, count);
  }
  const isConflict = nt < 0;
  for (const [{ gradient, count }, n] of aside) {
    if (isConflict) {
      train.scaleValues(n, count, 1 - nt / nn);
      train.scaleValues(gradient, count, 1 - nt / tt);
    }
    train.addTo(n, count, gradient);
  }
  return isConflict;
}
