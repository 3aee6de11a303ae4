import type { TrainMachine } from "./machine.ts";
import type { Parameter } from "./parameters.ts";

/** AdamW's settings. Defaults are PyTorch's. */
export interface AdamWOptions {
  /** Of all, or by parameter (a rate for the backbone, another for adapters). */
  readonly learningRate: number | ((parameter: Parameter) => number);
  readonly betas?: readonly [number, number];
  readonly epsilon?: number;
  readonly weightDecay?: number;
  /** Which parameters decay; default: all. */
  readonly decays?: (parameter: Parameter) => boolean;
}

/**
 * One update of `parameters` by their gradients times `gradientScale` (1, or `clipFactor`). The derived numbers have to be made
 * anew afterwards (`refresh`).
 * @param step how many updates there have been with this one, from 1
 */
export function adamWStep(machine: TrainMachine, parameters: Iterable<Parameter>, step: number, options: AdamWOptions, gradientScale: number): void {
  const { learningRate, betas: [beta1, beta2] = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0.01, decays } = options;
  const correction = 1 - power(beta1, step);
  const rootCorrection = 1 / Math.sqrt(1 - power(beta2, step));
  for (const parameter of parameters) {
    const rate = typeof learningRate === "number" ? learningRate : learningRate(parameter);
    const keep = decays === undefined || decays(parameter) ? 1 - rate * weightDecay : 1;
    const { value, gradient, momentum, variance, count } = parameter;
    machine.train.adamW(
      value, gradient, momentum, variance, count, keep, 1 - beta1, beta2, 1 - beta2, rate / correction, rootCorrection,
      epsilon, gradientScale,
    ); // prettier-ignore
    if (step % CLEARED_EVERY === 0) clearSmall(machine.memory.floats(momentum, count));
  }
}

/** By squaring: products, which every engine rounds alike. The last bits of `**` differ between engines. @param exponent whole, from 0 */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let [square, rest] = [base, exponent]; rest > 0; square *= square, rest = Math.floor(rest / 2)) if (rest % 2 === 1) result *= square;
  return result;
}

/** Updates between two looks for means that fade: fewer than the 171 in which 2⁻¹⁰⁰ falls to the denormal numbers. */
const CLEARED_EVERY = 100;
/** Beside an epsilon of 1e-8 its step is below 1e-22 of the rate, which no weight notices. */
const SMALLEST_MEAN = 2 ** -100;

/**
 * Sets means that have faded to 0. Without a gradient a mean falls to 4 of the least denormal number and stays there, since a tenth of that rounds
 * to nothing, and denormal numbers take the kernel twice the time: rows of a table of word pieces that few texts name would be so for ever
 * from some 700 updates on.
 */
function clearSmall(means: Float32Array): void {
  for (let i = 0; i < means.length; i++) if (Math.abs(means[i]!) < SMALLEST_MEAN) means[i] = 0;
}

/** Length of all gradients together. NaN or infinite when one of them is: the update must not be made. */
export function gradientNorm({ train }: TrainMachine, parameters: Iterable<Parameter>): number {
  let squares = 0;
  for (const { gradient, count } of parameters) squares += train.innerProduct(gradient, gradient, count);
  return Math.sqrt(squares);
}

/** What gradients of length `norm` are multiplied by so that they are at most `most` long (PyTorch's `clip_grad_norm_`). */
export function clipFactor(norm: number, most: number): number {
  return Math.min(1, most / (norm + 1e-6));
}

/** Copies of the gradients by name: what a probe compares with those of another loss. */
export function copyGradients({ memory }: TrainMachine, parameters: Iterable<Parameter>): Map<string, Float32Array> {
  return new Map([...parameters].map(({ name, gradient, count }) => [name, memory.floats(gradient, count).slice()]));
}
