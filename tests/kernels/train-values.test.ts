import { describe, expect, test } from "vitest";
import { difference, floats } from "./f32-rows.ts";
import { numericGradient } from "./gradients.ts";
import { KernelArena, trainBuilds } from "./instance.ts";
import { Random } from "./int8-layout.ts";
import { reference } from "./reference.ts";

/** ∫ of the normal density by Simpson's rule: error below 1e-12 on [−8, 8]. */
function normalCdf(x: number): number {
  const steps = 2000;
  const h = x / steps;
  const density = (t: number): number => Math.exp(-t * t / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(x);
  for (let i = 1; i < steps; i++) sum += density(i * h) * (i % 2 === 1 ? 4 : 2);
  return 0.5 + (sum * h) / 3;
}

/** By what backward kernel is called, the function in float64; `usesOutput`: the kernel is given f(x), not x. */
const FUNCTIONS = {
  geluBackward: { f: (x: number) => x * normalCdf(x), usesOutput: false },
  geluTanhBackward: { f: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))), usesOutput: false },
  reluBackward: { f: (x: number) => Math.max(x, 0), usesOutput: false },
  tanhBackward: { f: Math.tanh, usesOutput: true },
} as const;

describe.each(trainBuilds)("value steps of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  function slope(name: string, x: Float32Array, dy: Float32Array): Float32Array {
    arena.reset();
    const to = arena.input(dy);
    arena.kernel(name)(arena.input(x), to, x.length);
    arena.checkGuards();
    return arena.float32(to, x.length).slice();
  }

  describe.each(Object.entries(FUNCTIONS))("%s", (name, { f, usesOutput }) => {
    test("equals its twin for 1–21 values, zeros of both signs, infinities and NaN included", () => {
      for (let count = 1; count <= 21; count++) {
        const random = new Random(count);
        const x = floats(random, count, usesOutput ? 1 : 8);
        const dy = floats(random, count, 2);
        x.set([0, -0, Infinity, -Infinity, NaN].slice(0, count % 6));
        expect(difference(slope(name, x, dy), reference(name, x, dy)), `${count} values`).toBeUndefined();
      }
    });

    test("is within 1e-6 of the function's differences on [−6, 6]", () => {
      const x = Float32Array.from({ length: 241 }, (_, i) => -6 + i / 20 + 0.003);
      const got = slope(name, usesOutput ? x.map(f) : x, new Float32Array(x.length).fill(1));
      for (const [i, value] of x.entries()) expect(Math.abs(got[i]! - numericGradient(([v]) => f(v!), [value], 1e-4)[0]!), `at ${value}`).toBeLessThan(1e-6);
    });
  });

  function dropout(x: Float32Array, rate: number, key0: number, key1: number): Float32Array {
    arena.reset();
    const at = arena.input(x);
    arena.kernel("dropout")(at, x.length, Math.round(rate * 2 ** 32), 1 / (1 - rate), key0, key1);
    arena.checkGuards();
    return arena.float32(at, x.length).slice();
  }

  test("dropout equals its twin for 1–37 values", () => {
    for (let count = 1; count <= 37; count++) {
      const x = floats(new Random(count), count, 1);
      const rate = [0.1, 0.5, 0.9][count % 3]!;
      expect(difference(dropout(x, rate, count, -7), reference("dropout", x, Math.round(rate * 2 ** 32) | 0, 1 / (1 - rate), count, -7))).toBeUndefined();
    }
  });

  test("dropout keeps the share it should, with the same choice for the same keys and another for others", () => {
    const x = new Float32Array(100_000).fill(1);
    for (const rate of [0.1, 0.5]) {
      const kept = dropout(x, rate, 1, 2);
      const share = kept.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0) / x.length;
      // 5 standard deviations of a share of 100,000 draws
      expect(Math.abs(share - (1 - rate))).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / x.length));
      expect(kept.every((value) => value === 0 || value === Math.fround(1 / (1 - rate)))).toBe(true);
      expect(dropout(x, rate, 1, 2)).toEqual(kept);
      for (const [key0, key1] of [[1, 3], [2, 2]] as const) {
        const other = dropout(x, rate, key0, key1);
        const equal = other.reduce((sum, value, i) => sum + (value === kept[i] ? 1 : 0), 0) / x.length;
        expect(Math.abs(equal - (rate ** 2 + (1 - rate) ** 2))).toBeLessThan(0.01);
      }
    }
  });

  test("neighbouring elements, rows of 384 and neighbouring keys are dropped independently", () => {
    const x = new Float32Array(200_000).fill(1);
    const kept = dropout(x, 0.5, 11, 12);
    for (const distance of [1, 2, 4, 384, 1536]) {
      let equal = 0;
      for (let i = distance; i < x.length; i++) if (kept[i] === kept[i - distance]) equal++;
      expect(Math.abs(equal / (x.length - distance) - 0.5), `distance ${distance}`).toBeLessThan(0.006);
    }
  });

  test("innerProduct equals its twin, and adamW as well, for 1–37 values", () => {
    for (let count = 1; count <= 37; count++) {
      const random = new Random(count);
      const [value, gradient, momentum] = [floats(random, count, 1), floats(random, count, 2), floats(random, count, 1)];
      const variance = floats(random, count, 1).map(Math.abs);
      const factors = [0.999, 0.1, 0.999, 0.001, 0.01, 1.3, 1e-8, 0.5].map(Math.fround);
      arena.reset();
      const [p, g, m, v] = [arena.input(value), arena.input(gradient), arena.input(momentum), arena.input(variance)];
      expect((arena.kernel("innerProduct") as unknown as (...a: number[]) => number)(p, g, count)).toBe(reference("innerProduct", value, gradient));
      arena.kernel("adamW")(p, g, m, v, count, ...factors);
      arena.checkGuards();
      const got = Float32Array.of(...arena.float32(p, count), ...arena.float32(m, count), ...arena.float32(v, count));
      expect(difference(got, reference("adamW", value, gradient, momentum, variance, ...factors))).toBeUndefined();
      expect(difference(arena.float32(g, count).slice(), gradient)).toBeUndefined();
    }
  });
});
