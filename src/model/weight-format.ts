import type { Address } from "../wasm/kernels.ts";
import type { LinearMemory } from "../wasm/memory.ts";

/** Where a linear layer lies in linear memory. */
export interface LinearPlace {
  readonly panels: Address;
  readonly channels: Address;
  /** Output features. */
  readonly columns: number;
  /** Input features. */
  readonly depth: number;
  /**
   * f32[depth] that the input is multiplied by before it is quantised, or 0 for none. Calibration evens out the
   * channels' ranges with it (the weights are divided by it), which costs nothing: the multiplication is part of
   * quantising the rows.
   */
  readonly inputScale: Address;
}

/** Where an embedding table of 8-bit rows lies. */
export interface TablePlace {
  readonly codes: Address;
  readonly scales: Address;
  readonly rows: number;
  readonly width: number;
}

/**
 * How weights are stored for the kernels. There is one in the library (`int8.ts`); tests put a float32 one in its
 * place, so that the whole forward pass can be held against PyTorch without quantisation in between.
 */
export interface WeightFormat {
  /** Bytes of the packed weights of a linear layer. */
  panelBytes(columns: number, depth: number): number;
  /** Bytes of one embedding row. */
  tableRowBytes(width: number): number;
  /** Rounds and stores output channels `first…first+n` of a weight given as n×depth f32, n a multiple of 8 but at the end. */
  packChannels(memory: LinearMemory, place: LinearPlace, first: number, weight: Float32Array): void;
  /** The weights of one output channel as the product sees them, into `out` (depth). */
  readChannel(memory: LinearMemory, place: LinearPlace, channel: number, out: Float32Array): void;
  /** Rounds and stores embedding rows `first…` of a table given as n×width f32. */
  packTableRows(memory: LinearMemory, place: TablePlace, first: number, rows: Float32Array): void;
}

/**
 * Smallest scale that is stored, the smallest float32 with all of its digits: weights that decay has made smaller are 0.
 * A file that holds a smaller one, or one below 0, was not written by the converter.
 */
export const SMALLEST_SCALE = 2 ** -126;

export function storedScale(scale: number): number {
  return scale < SMALLEST_SCALE ? 0 : scale;
}

/** Output channels that one panel holds. */
export const PANEL_CHANNELS = 8;
/** Inputs that one step of a panel holds. */
const STEP_DEPTH = 4;
/** f32 scale[8], f32 bias[8], i32 sum[8] of one panel. */
const PANEL_TERM_BYTES = 96;
/** Padding in a panel: the stored form of weight 0. */
const ZERO_WEIGHT = 64;

function panelCount(columns: number): number {
  return Math.ceil(columns / PANEL_CHANNELS);
}

export function channelBytes(columns: number): number {
  return panelCount(columns) * PANEL_TERM_BYTES;
}

/** Element index, in the f32/i32 view, of a term of `channel`: part 0 scale, 1 bias, 2 sum. */
function termIndex(place: LinearPlace, channel: number, part: 0 | 1 | 2): number {
  return (place.channels >>> 2) + (channel >> 3) * 24 + part * 8 + (channel & 7);
}

export function writeBias(memory: LinearMemory, place: LinearPlace, bias: Float32Array): void {
  const f32 = memory.f32;
  for (let channel = 0; channel < place.columns; channel++) f32[termIndex(place, channel, 1)] = bias[channel]!;
}

export function readBias(memory: LinearMemory, place: LinearPlace): Float32Array {
  const f32 = memory.f32;
  return Float32Array.from({ length: place.columns }, (_, channel) => f32[termIndex(place, channel, 1)]!);
}

/**
 * Stores integer weights −63…63 (n×depth, output channels `first…first+n`) as u = w + 64 in the kernels' order
 * [panel of 8 channels][step of 4 inputs][8 channels][4 inputs], with their scales and sums. Padding channels and
 * inputs hold weight 0 and scale 0.
 */
export function packCodes(
  memory: LinearMemory,
  place: LinearPlace,
  first: number,
  codes: Int8Array,
  scales: Float32Array,
): void {
  const { depth } = place;
  const steps = Math.ceil(depth / STEP_DEPTH);
  const { u8, f32, i32 } = memory;
  const count = scales.length;
  if (first + count === place.columns) {
    // The last panel may have padding channels.
    const from = place.panels + (panelCount(place.columns) - 1) * steps * 32;
    u8.fill(ZERO_WEIGHT, from, from + steps * 32);
  }
  for (let n = 0; n < count; n++) {
    const channel = first + n;
    const base = place.panels + (channel >> 3) * steps * 32 + (channel & 7) * STEP_DEPTH;
    let sum = 0;
    for (let k = 0; k < steps * STEP_DEPTH; k++) {
      const w = k < depth ? codes[n * depth + k]! : 0;
      u8[base + (k >> 2) * 32 + (k & 3)] = w + ZERO_WEIGHT;
      sum += w;
    }
    f32[termIndex(place, channel, 0)] = storedScale(scales[n]!);
    i32[termIndex(place, channel, 2)] = sum;
  }
}

/** Weights of one output channel as they act on the layer's input: scale·w·inputScale. */
export function unpackChannel(memory: LinearMemory, place: LinearPlace, channel: number, out: Float32Array): void {
  const steps = Math.ceil(place.depth / STEP_DEPTH);
  const base = place.panels + (channel >> 3) * steps * 32 + (channel & 7) * STEP_DEPTH;
  const scale = memory.f32[termIndex(place, channel, 0)]!;
  const u8 = memory.u8;
  for (let k = 0; k < place.depth; k++) out[k] = scale * (u8[base + (k >> 2) * 32 + (k & 3)]! - ZERO_WEIGHT);
  if (place.inputScale === 0) return;
  const inputScale = memory.floats(place.inputScale, place.depth);
  for (let k = 0; k < place.depth; k++) out[k]! *= inputScale[k]!;
}

/** Bytes of packed int8 weights. */
export function packedBytes(columns: number, depth: number): number {
  return panelCount(columns) * Math.ceil(depth / STEP_DEPTH) * PANEL_CHANNELS * STEP_DEPTH;
}
