import { describe, expect, it } from "vitest";
import { roundPlain } from "../../../src/model/round-plain.ts";
import { randomRows } from "../convert/random.ts";

describe("plain rounding", () => {
  it("gives the largest weight of each channel code ±63 and the others the nearest code", () => {
    const { codes, scales } = roundPlain(Float32Array.of(63, -31.4, 0.6, 0, -1.26, 0.626, 0.012, -0.02), 2, 4);
    expect([...codes]).toEqual([63, -31, 1, 0, -63, 31, 1, -1]);
    expect([...scales]).toEqual([1, Math.fround(Math.fround(1.26) / 63)]);
  });

  it("rounds ties to even", () => {
    expect([...roundPlain(Float32Array.of(63, 0.5, 1.5, -2.5, -3.5), 1, 5).codes]).toEqual([63, 0, 2, -2, -4]);
  });

  it("is within half a step of every weight", () => {
    const weight = randomRows(1, 37, 91);
    const { codes, scales } = roundPlain(weight, 37, 91);
    for (let at = 0; at < weight.length; at++) {
      const scale = scales[Math.floor(at / 91)]!;
      expect(Math.abs(weight[at]! - scale * codes[at]!)).toBeLessThanOrEqual(scale * 0.50001);
      expect(Math.abs(codes[at]!)).toBeLessThanOrEqual(63);
    }
    for (let o = 0; o < 37; o++) expect(Math.max(...codes.subarray(o * 91, o * 91 + 91).map(Math.abs))).toBe(63);
  });

  it("keeps a channel of zeros, and very small and very large weights, in range", () => {
    const { codes, scales } = roundPlain(Float32Array.of(0, -0, 1e-38, -1e-38, 3e38, -3e38), 3, 2);
    expect([...codes]).toEqual([0, 0, 63, -63, 63, -63]);
    expect(scales[0]).toBe(0);
    expect(scales.every(Number.isFinite)).toBe(true);
  });
});
