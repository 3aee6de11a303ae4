import { describe, expect, it } from "vitest";
import { toFloat16, toFloat32 } from "../../../src/format/floats.ts";
import { expectError } from "./crafted.ts";

/** IEEE 754 binary16 by its definition; NaN for every NaN. */
function binary16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

function everyHalf(): Uint8Array {
  return new Uint8Array(Uint16Array.from({ length: 65_536 }, (_, i) => i).buffer);
}

describe("toFloat32", () => {
  it("is exact for all 65,536 F16 values: zeros, subnormals, infinities, NaN payloads", () => {
    const values = toFloat32(everyHalf(), "F16");
    const bits = new Uint32Array(values.buffer);
    for (let half = 0; half < 65_536; half++) {
      const expected = binary16(half);
      if (!Object.is(values[half], expected)) throw new Error(`F16 ${half.toString(16)}: ${values[half]} instead of ${expected}`);
      // Number.NaN hides sign and payload: look at the bits.
      if (Number.isNaN(expected)) expect(bits[half]).toBe((((half & 0x8000) << 16) | 0x7f800000 | ((half & 0x3ff) << 13)) >>> 0);
    }
  });

  it("is exact for all 65,536 BF16 values", () => {
    const bits = new Uint32Array(toFloat32(everyHalf(), "BF16").buffer);
    for (let half = 0; half < 65_536; half++) {
      if (bits[half] !== (half << 16) >>> 0) throw new Error(`BF16 ${half.toString(16)}: ${bits[half]?.toString(16)}`);
    }
  });

  it("copies F32 bit for bit", () => {
    const source = Uint32Array.from([0, 0x80000000, 1, 0x7f800000, 0xff800000, 0x7fc12345, 0x3f800000, 0x7f7fffff]);
    expect(new Uint32Array(toFloat32(new Uint8Array(source.buffer), "F32").buffer)).toEqual(source);
  });

  it("reads from any address into a given array", () => {
    const halves = new Uint8Array(Uint16Array.from([0x3c00, 0xc000, 0x0001, 0x7bff]).buffer);
    const singles = new Uint8Array(Float32Array.from([1, -2, 0.5, 1e-40]).buffer);
    for (let shift = 0; shift < 5; shift++) {
      const moved = (bytes: Uint8Array): Uint8Array => {
        const room = new Uint8Array(bytes.length + shift + 3).fill(0xaa);
        room.set(bytes, shift);
        return room.subarray(shift, shift + bytes.length);
      };
      const room = new Float32Array(6).fill(7);
      expect(toFloat32(moved(halves), "F16", room.subarray(1, 5))).toEqual(Float32Array.from([1, -2, 2 ** -24, 65_504]));
      expect(room[0]).toBe(7);
      expect(room[5]).toBe(7);
      expect(toFloat32(moved(singles), "F32", room.subarray(1, 5))).toEqual(Float32Array.from([1, -2, 0.5, 1e-40]));
      expect(toFloat32(moved(halves), "BF16")[0]).toBe(new Float32Array(Uint32Array.from([0x3c000000]).buffer)[0]);
    }
  });

  it("refuses lengths that do not fit", () => {
    expectError(() => toFloat32(new Uint8Array(3), "F16"), "argument-invalid");
    expectError(() => toFloat32(new Uint8Array(6), "F32"), "argument-invalid");
    expectError(() => toFloat32(new Uint8Array(8), "F16", new Float32Array(3)), "argument-invalid");
    expectError(() => toFloat32(new Uint8Array(8), "F32", new Float32Array(3)), "argument-invalid");
    expect(toFloat32(new Uint8Array(0), "F16").length).toBe(0);
  });
});

describe("toFloat16", () => {
  it("gives every finite F16 value back, bit for bit", () => {
    const finite = Uint16Array.from({ length: 65_536 }, (_, i) => i).filter((half) => ((half >> 10) & 31) !== 31);
    const bytes = new Uint8Array(finite.buffer);
    expect(Buffer.compare(toFloat16(toFloat32(bytes, "F16"), "t"), bytes)).toBe(0);
  });

  it("rounds to the nearest, and from half-way to the even one, on either side of the smallest normal", () => {
    const round = (value: number): number => toFloat32(toFloat16(Float32Array.of(value), "t"), "F16")[0]!;
    for (const step of [2 ** -24, 2 ** -10]) {
      const from = step === 2 ** -24 ? 0 : 1; // subnormals, and the numbers from 1 on
      for (let n = 0; n < 40; n++) {
        const [below, above] = [from + n * step, from + (n + 1) * step];
        expect(round(from + (n + 0.25) * step)).toBe(below);
        expect(round(from + (n + 0.75) * step)).toBe(above);
        expect(round(from + (n + 0.5) * step)).toBe(n % 2 === 0 ? below : above);
      }
    }
    expect(round(65_519)).toBe(65_504);
    expect(round(-1e-9)).toBe(-0);
  });

  it("refuses what it does not hold", () => {
    for (const value of [65_520, -65_520, 1e38, Infinity, -Infinity, Number.NaN]) expectError(() => toFloat16(Float32Array.of(0, value), "head"), "tensor-value", "head", "F32");
  });
});
