/** F16, BF16 and F32 bytes to float32, exactly: both narrow formats are subsets of float32. And back, to F16 and F32. */

import { RootstockError } from "../errors.ts";
import type { FloatDtype } from "./types.ts";

/** The smallest F16 step: a subnormal is its mantissa times this. */
const F16_STEP = 2 ** -24;

/** 16-bit units of `bytes`; copied when they start at an odd address, which safetensors allows. */
function halves(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length >> 1);
}

/** IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 mantissa bits. NaN keeps its payload. */
function fromF16(source: Uint16Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < source.length; i++) {
    const half = source[i] as number;
    const sign = (half & 0x8000) << 16;
    const magnitude = half & 0x7fff;
    if (magnitude >= 0x0400 && magnitude < 0x7c00) {
      bits[i] = sign | ((magnitude << 13) + 0x38000000); // 0x38000000 = (127 - 15) << 23
    } else if (magnitude >= 0x7c00) {
      bits[i] = sign | 0x7f800000 | ((magnitude & 0x03ff) << 13);
    } else {
      const value = magnitude * F16_STEP;
      out[i] = sign === 0 ? value : -value;
    }
  }
}

/** bfloat16 is the upper half of float32. */
function fromBF16(source: Uint16Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < source.length; i++) bits[i] = (source[i] as number) << 16;
}

/**
 * Little-endian bytes to float32 values, into `out` when given (its length is the number of elements) or a new array.
 * `bytes` may start at any address. Hosts are little-endian, as WebAssembly memory is. Throws `argument-invalid`.
 */
export function toFloat32(bytes: Uint8Array, dtype: FloatDtype, out?: Float32Array): Float32Array {
  const width = dtype === "F32" ? 4 : 2;
  const count = bytes.length / width;
  if (!Number.isInteger(count) || (out !== undefined && out.length !== count)) {
    throw new RootstockError("argument-invalid", `${bytes.length} bytes of ${dtype} are not ${out?.length ?? "a whole number of"} values.`);
  }
  const target = out ?? new Float32Array(count);
  if (dtype === "F32") new Uint8Array(target.buffer, target.byteOffset, bytes.length).set(bytes);
  else if (dtype === "F16") fromF16(halves(bytes), target);
  else fromBF16(halves(bytes), target);
  return target;
}

/** Values as F32 bytes, where they lie. */
export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Values as F16 bytes, little-endian, rounded to the nearest (ties to even).
 * @throws RootstockError `tensor-value` for one that F16 does not hold: 65,520 and more.
 */
export function toFloat16(values: Float32Array, name: string): Uint8Array {
  const halves = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const word = bits[i] as number;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    let half: number;
    if (magnitude >= 0x477ff000) {
      // 65,520 is half-way to the number after the largest, infinity and NaN lie above.
      throw new RootstockError("tensor-value", `${name} holds ${String(values[i])}, which F16 does not. Write F32.`);
    } else if (magnitude >= 0x38800000) {
      // Normal: 13 bits go; the carry of rounding may raise the exponent, as it should.
      half = (magnitude - 0x38000000 + 0x0fff + ((magnitude >>> 13) & 1)) >>> 13;
    } else {
      // A multiple of 2^-24; float64 holds the quotient exactly.
      const steps = Math.abs(values[i] as number) / F16_STEP;
      const floor = Math.floor(steps);
      const rest = steps - floor;
      half = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
    }
    halves[i] = sign | half;
  }
  return new Uint8Array(halves.buffer);
}
