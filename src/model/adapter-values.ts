import type { AdapterSite, EmbeddingSite, LinearTensors, TensorInfo } from "../format/types.ts";
import { alignUp, type LinearMemory } from "../wasm/memory.ts";
import { finite } from "./finite.ts";
import { readBias, type LinearPlace, type WeightFormat } from "./weight-format.ts";

/** Reads a tensor of the adapter's file as f32, row-major. */
export type ReadTensor = (tensor: TensorInfo) => Float32Array;

/** A slot's numbers in the kernels' order, before they have an address; absent parts are the identity. */
export interface SlotValues {
  readonly rank: number;
  readonly inputScale?: Float32Array;
  readonly down?: Float32Array;
  readonly up?: Float32Array;
  readonly outputScale?: Float32Array;
  readonly shift?: Float32Array;
}

/**
 * The slot of one adapted linear layer (paper: y = g ∘ (W(u ∘ x) + s·B(A x)) + c, PEFT's rules for each kind).
 * `place` is the base layer: DoRA needs its rows' norms, bias variants its bias.
 */
export function* slotValues(
  site: AdapterSite,
  read: ReadTensor,
  memory: LinearMemory,
  place: LinearPlace,
  format: WeightFormat,
): Generator<void, SlotValues> {
  const values: { -readonly [K in keyof SlotValues]: SlotValues[K] } = { rank: site.rank };
  if (site.inputScale) values.inputScale = inputScaleOf(finite(read(site.inputScale), site.inputScale), memory, place);
  if (site.outputScale) values.outputScale = finite(read(site.outputScale), site.outputScale);
  const a = site.down && finite(read(site.down), site.down);
  const b = site.up && finite(read(site.up), site.up);
  if (a && b) {
    values.down = transposed(a, site.rank, place.depth, 1);
    values.up = transposed(b, place.columns, site.rank, site.scale);
  }
  if (site.magnitude && a && b) {
    const norms = yield* rowNorms(memory, place, format, a, b, site.rank, site.scale);
    values.outputScale = doraGain(finite(read(site.magnitude), site.magnitude), norms);
    finite(values.outputScale, site.magnitude);
  }
  const shift = shiftOf(site, read, memory, place, site.magnitude ? values.outputScale : undefined);
  if (shift) values.shift = shift;
  return values;
}

/** u, times the scale that the encoder's own rows get before they are quantised. */
function inputScaleOf(u: Float32Array, memory: LinearMemory, place: LinearPlace): Float32Array {
  if (place.inputScale === 0) return u;
  const base = memory.floats(place.inputScale, place.depth);
  return u.map((value, k) => value * base[k]!);
}

/**
 * What is left to add after g∘(Wx + b + s·BAx): c − g∘b + g∘s·(bias of B). With (IA)³ g scales the bias too, so
 * nothing is left.
 */
function shiftOf(
  site: AdapterSite,
  read: ReadTensor,
  memory: LinearMemory,
  place: LinearPlace,
  gain: Float32Array | undefined,
): Float32Array | undefined {
  if (!site.bias && !site.upBias && !gain) return undefined;
  const base = readBias(memory, place);
  const own = site.bias ? finite(read(site.bias), site.bias) : base;
  const up = site.upBias && finite(read(site.upBias), site.upBias);
  return base.map((b, channel) => {
    const g = gain?.[channel] ?? 1;
    return own[channel]! - g * b + g * site.scale * (up?.[channel] ?? 0);
  });
}

/** ‖W + s·BA‖ of each output row, in float64 (PEFT's DoRA: norm over the inputs, one value per output). A step is a row. */
export function* rowNorms(
  memory: LinearMemory,
  place: LinearPlace,
  format: WeightFormat,
  a: Float32Array,
  b: Float32Array,
  rank: number,
  scale: number,
): Generator<void, Float64Array> {
  const { columns, depth } = place;
  const norms = new Float64Array(columns);
  const row = new Float32Array(depth);
  const sum = new Float64Array(depth);
  for (let channel = 0; channel < columns; channel++) {
    format.readChannel(memory, place, channel, row);
    sum.set(row);
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[channel * rank + r]!;
      for (let k = 0; k < depth; k++) sum[k] = sum[k]! + factor * a[r * depth + k]!;
    }
    let squares = 0;
    for (let k = 0; k < depth; k++) squares += sum[k]! * sum[k]!;
    norms[channel] = Math.sqrt(squares);
    yield;
  }
  return norms;
}

/** Takes steps one after the other, without a turn between them. */
export function toEnd<Result>(steps: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** DoRA's g = m/‖W + s·BA‖ of each row. A row of zeros gives 0 whatever scales it: g = 0, where 0/0 would be NaN. */
export function doraGain(magnitude: Float32Array, norms: ArrayLike<number>): Float32Array {
  return magnitude.map((m, channel) => (norms[channel] === 0 ? 0 : m / norms[channel]!));
}

/** An embedding table's low-rank rows: A (rank, rows) → [rows][rank4], s·B (width, rank) → [rank][width4]. */
export function embeddingValues(site: EmbeddingSite, read: ReadTensor): { table: Float32Array; up: Float32Array } {
  const a = finite(read(site.down), site.down);
  const b = finite(read(site.up), site.up);
  return {
    table: transposed(a, site.rank, site.down.shape[1]!, 1),
    up: transposed(b, site.up.shape[0]!, site.rank, site.scale),
  };
}

/** A head's dense layer: (outputs, inputs) → [inputs][outputs4], and its bias padded to whole vectors. */
export function denseValues(tensors: LinearTensors, read: ReadTensor): { weights: Float32Array; bias: Float32Array } {
  const [outputs, inputs] = tensors.weight.shape as [number, number];
  const bias = new Float32Array(alignUp(outputs, 4));
  bias.set(finite(read(tensors.bias), tensors.bias));
  return { weights: transposed(finite(read(tensors.weight), tensors.weight), outputs, inputs, 1), bias };
}

/** (rows, columns) → [columns][rows rounded up to 4] times `scale`; padding 0. */
export function transposed(values: Float32Array, rows: number, columns: number, scale: number): Float32Array {
  const stride = alignUp(rows, 4);
  const out = new Float32Array(columns * stride);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * stride + r] = scale * values[r * columns + c]!;
  }
  return out;
}
