import { RootstockError } from "../errors.ts";
import type { Address } from "../wasm/kernels.ts";
import type { Layout } from "../wasm/memory.ts";
import type { TrainMachine } from "./machine.ts";

/** Where the losses of a head's rows are made. */
export interface LossPlace {
  readonly classes: number;
  /** i32 [rows] */
  readonly labels: Address;
  /** f32 [rows][classes] */
  readonly targets: Address;
  /** f32 [classes] */
  readonly weights: Address;
  /** u8 [classes] */
  readonly allowed: Address;
  /** f32 [rows] */
  readonly losses: Address;
}

export function planLoss(layout: Layout, rows: number, classes: number): LossPlace {
  return {
    classes,
    labels: layout.reserve(rows * 4),
    targets: layout.reserve(rows * classes * 4),
    weights: layout.reserve(classes * 4),
    allowed: layout.reserve(classes),
    losses: layout.reserve(rows * 4),
  };
}

/** Label of a row that has none: PyTorch's `ignore_index`. Any number below 0 will do. */
export const IGNORED = -100;

export interface ClassOptions {
  /** One a class; absent: all 1. */
  readonly weights?: Float32Array | undefined;
}

export interface CrossEntropyOptions extends ClassOptions {
  /** 0 (default) to below 1. */
  readonly smoothing?: number;
  /** One a class, 0 = no part of the softmax; absent: all are. */
  readonly allowed?: Uint8Array | undefined;
}

/** The mean's divisor, as PyTorch has it: Σ of the weights of the labels that count. Over all micro-batches of an update. */
export function labelTotal(labels: ArrayLike<number>, { weights }: ClassOptions): number {
  let total = 0;
  for (let row = 0; row < labels.length; row++) if (labels[row]! >= 0) total += weights?.[labels[row]!] ?? 1;
  return total;
}

/**
 * Cross-entropy of each row; `logits` become the gradient of their sum times `scale` (1/`labelTotal` for the mean).
 * @param logits f32 [labels.length][classes]
 * @returns the rows' losses, not scaled; 0 for ignored ones
 * @throws RootstockError `argument-invalid` for a label that is no allowed class.
 */
export function crossEntropyLoss(
  { memory, train }: TrainMachine, place: LossPlace, logits: Address, labels: ArrayLike<number>, scale: number, options: CrossEntropyOptions = {},
): Float32Array {
  const { classes } = place;
  const { weights, smoothing = 0, allowed } = options;
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    if (label >= classes || allowed?.[label] === 0) {
      throw new RootstockError("argument-invalid", `row ${row} has the label ${label}, which is none of the ${classes} classes that its head tells apart.`);
    }
    memory.i32[(place.labels >>> 2) + row] = label;
  }
  if (weights !== undefined) memory.floats(place.weights, classes).set(weights);
  if (allowed !== undefined) memory.octets(place.allowed, classes).set(allowed);
  train.crossEntropy(
    logits, labels.length, classes, place.labels, weights === undefined ? 0 : place.weights, smoothing,
    allowed === undefined ? 0 : place.allowed, scale, place.losses,
  ); // prettier-ignore
  return memory.floats(place.losses, labels.length).slice();
}

/**
 * Sigmoid cross-entropy of each row, summed over its classes (multi-label); `logits` become the gradient of the sum times `scale`
 * (1/(rows·classes) for PyTorch's mean).
 * @param targets [rows][classes], 0 to 1
 * @param options `weights` are those of a class's positives (PyTorch's `pos_weight`)
 */
export function sigmoidLoss(
  { memory, train }: TrainMachine, place: LossPlace, logits: Address, targets: Float32Array, scale: number, { weights }: ClassOptions = {},
): Float32Array {
  const { classes } = place;
  const rows = targets.length / classes;
  memory.floats(place.targets, targets.length).set(targets);
  if (weights !== undefined) memory.floats(place.weights, classes).set(weights);
  train.sigmoidCrossEntropy(logits, rows, classes, place.targets, weights === undefined ? 0 : place.weights, scale, place.losses);
  return memory.floats(place.losses, rows).slice();
}

/** Σ in float64. */
export function sumOf(losses: Float32Array): number {
  let sum = 0;
  for (const loss of losses) sum += loss;
  return sum;
}
