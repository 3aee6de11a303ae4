// Matrices of floats in the test arena: rows with gaps, read back and compared bit by bit.
import type { KernelArena } from "./instance.ts";
import type { Random } from "./int8-layout.ts";

/** Unit roundoff of f32. */
export const UNIT = 2 ** -24;
export const NONE = new Float32Array(0);

/** What a chain of `operations` roundings can add, relative to the sum of magnitudes. */
export function gamma(operations: number): number {
  return (operations * UNIT) / (1 - operations * UNIT);
}

export function floats(random: Random, length: number, magnitude: number): Float32Array {
  return Float32Array.from({ length }, () => random.float(magnitude));
}

/** Row-major `data` with rows `stride` apart; the gaps and whatever follows the last row stay NaN. */
export function placeRows(arena: KernelArena, data: Float32Array, rows: number, width: number, stride: number, skew = 0): number {
  const address = arena.output(((rows - 1) * stride + width) * 4, skew);
  for (let row = 0; row < rows; row++) {
    arena.float32(address + row * stride * 4, width).set(data.subarray(row * width, (row + 1) * width));
  }
  return address;
}

/** A copy of `data` whose guard ends with the memory: reading 65 bytes or more past it traps. Use a small arena. */
export function placeLast(arena: KernelArena, data: Float32Array): number {
  const target = arena.memory.buffer.byteLength - 64 - data.byteLength;
  const skew = target % 16;
  const filler = Math.ceil((arena.output(0) + 64) / 16) * 16 + 64;
  arena.output(target - skew - 128 - filler);
  return arena.input(data, skew);
}

/** Row-major copy of what stands at `address`. Throws when a gap between rows was written. */
export function takeRows(arena: KernelArena, address: number, rows: number, width: number, stride: number): Float32Array {
  const data = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const start = address + row * stride * 4;
    data.set(arena.float32(start, width), row * width);
    const gap = row < rows - 1 ? stride - width : 0;
    const bits = arena.bits(start + width * 4, gap);
    for (let at = 0; at < gap; at++) {
      if (bits[at] !== arena.untouched(start + (width + at) * 4)) throw new Error(`the gap after row ${row} was written`);
    }
  }
  return data;
}

/** [depth][columns] with rows padded to a multiple of 4 by zeros, as the kernels hold weights. */
export function padColumns(weights: Float32Array, depth: number, columns: number): Float32Array {
  const stride = Math.ceil(columns / 4) * 4;
  const padded = new Float32Array(depth * stride);
  for (let k = 0; k < depth; k++) padded.set(weights.subarray(k * columns, (k + 1) * columns), k * stride);
  return padded;
}

/**
 * The first place where bits differ, as a sentence; undefined when all are equal. −0 and 0 differ; any two NaNs are equal,
 * because their payload is the engine's to choose.
 */
export function difference(got: Float32Array, want: Float32Array): string | undefined {
  if (got.length !== want.length) return `${got.length} values instead of ${want.length}`;
  for (let at = 0; at < want.length; at++) {
    if (!Object.is(got[at], want[at])) return `value ${at} is ${got[at]} instead of ${want[at]}`;
  }
  return undefined;
}

/** The first value further from `want` than its bound allows, as a sentence. NaN is never within a bound. */
export function beyondBound(got: Float32Array, want: Float64Array, bound: Float64Array): string | undefined {
  for (let at = 0; at < want.length; at++) {
    const error = Math.abs((got[at] as number) - (want[at] as number));
    if (!(error <= (bound[at] as number))) return `value ${at} is ${got[at]} instead of ${want[at]}: off by ${error}, allowed ${bound[at]}`;
  }
  return undefined;
}
