import type { Address } from "../wasm/kernels.ts";
import type { Layout } from "../wasm/memory.ts";
import type { TrainMachine } from "./machine.ts";
import type { Parameter, Parameters } from "./parameters.ts";

/** A LayerNorm's weight and bias. */
export interface TrainNorm {
  readonly width: number;
  readonly gamma: Address;
  readonly beta: Address;
  /** null: frozen. */
  readonly trained: { readonly gamma: Parameter; readonly beta: Parameter } | null;
}

/** What backward needs of forward: n [rows][width] and 1/deviation [rows]. */
export interface KeptNorm {
  readonly normal: Address;
  readonly inverse: Address;
}

export function planTrainedNorm(parameters: Parameters, name: string, width: number, isFrozen = false): TrainNorm {
  const gamma = parameters.add(`${name}.weight`, [width], isFrozen);
  const beta = parameters.add(`${name}.bias`, [width], isFrozen);
  return { width, gamma: gamma.value, beta: beta.value, trained: isFrozen ? null : { gamma, beta } };
}

export function planKeptNorm(layout: Layout, rows: number, width: number): KeptNorm {
  return { normal: layout.reserve(rows * width * 4), inverse: layout.reserve(rows * 4) };
}

/** out = LayerNorm(x + residual). Residual 0: none. */
export function normForward(
  { train }: TrainMachine, { gamma, beta, width }: TrainNorm, epsilon: number, x: Address, residual: Address, rows: number, kept: KeptNorm, out: Address,
): void {
  train.layerNormForward(x, residual, rows, width, gamma, beta, epsilon, kept.normal, kept.inverse, out);
}

/** dy [rows][width] becomes the gradient of x and of the residual. */
export function normBackward({ train }: TrainMachine, { gamma, width, trained }: TrainNorm, kept: KeptNorm, dy: Address, rows: number): void {
  if (trained !== null) {
    train.columnSums(dy, rows, width, trained.beta.gradient);
    train.columnDots(dy, kept.normal, rows, width, trained.gamma.gradient);
  }
  train.layerNormBackward(dy, kept.normal, kept.inverse, gamma, rows, width, dy);
}
