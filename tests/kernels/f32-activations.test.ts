import { describe, expect, test } from "vitest";
import { difference, floats } from "./f32-rows.ts";
import { KernelArena, builds } from "./instance.ts";
import { Random } from "./int8-layout.ts";
import { reference } from "./reference.ts";

/** erf in float64: its Taylor series below 3, a continued fraction of erfc above. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a > 3) {
    let fraction = 0;
    for (let k = 120; k > 0; k--) fraction = k / 2 / (a + fraction);
    return Math.sign(x) * (1 - Math.exp(-a * a) / ((a + fraction) * Math.sqrt(Math.PI)));
  }
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const EXACT: Record<string, (x: number) => number> = {
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  geluTanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(x, 0),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};
/** Value at −Infinity, at 0, at +Infinity. */
const LIMITS: Record<string, [number, number, number]> = {
  gelu: [0, 0, Infinity],
  geluTanh: [0, 0, Infinity],
  relu: [0, 0, Infinity],
  tanh: [-1, 0, 1],
  sigmoid: [0, 0.5, 1],
};

/** The kernel on a copy of `x` between guards, `skew` bytes off alignment. */
function apply(arena: KernelArena, name: string, x: Float32Array, skew = 0): Float32Array {
  arena.reset();
  const address = arena.input(x, skew);
  arena.kernel(name)(address, x.length);
  arena.checkGuards();
  return arena.float32(address, x.length).slice();
}

test("the float64 erf of these tests is right", () => {
  // Abramowitz & Stegun, table 7.1.
  for (const [x, y] of [[0.5, 0.5204998778], [1, 0.8427007929], [2, 0.995322265], [3.5, 0.999999256901628]] as const) {
    expect(erf(x)).toBeCloseTo(y, 10);
    expect(erf(-x)).toBeCloseTo(-y, 10);
  }
});

describe.each(builds)("activations of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  describe.each(Object.keys(EXACT))("%s", (name) => {
    const exact = EXACT[name]!;

    test("equals the scalar twin at every length 1–70, aligned or not", () => {
      for (let length = 1; length <= 70; length++) {
        const x = floats(new Random(length), length, [0.01, 1, 6, 30][length % 4]!);
        expect(difference(apply(arena, name, x, (length % 4) * 4), reference(name, x)), `${length} values`).toBeUndefined();
      }
    });

    test("is within 1e-6 of float64 on [−20, 20]", () => {
      let worst = 0;
      for (let start = -20; start < 20; start++) {
        const x = Float32Array.from({ length: 20_001 }, (_, at) => start + at / 20_000);
        const got = apply(arena, name, x);
        for (let at = 0; at < x.length; at++) {
          const error = Math.abs(got[at]! - exact(x[at]!));
          if (!(error <= worst)) worst = error;
        }
      }
      expect(worst).toBeLessThanOrEqual(1e-6);
    });

    test("is right at infinities, huge values and zeros, and keeps NaN", () => {
      const [low, middle, high] = LIMITS[name]!;
      const x = Float32Array.of(-Infinity, -3.4e38, -1e10, -200, -0, 0, 200, 1e10, 3.4e38, Infinity, NaN);
      const got = apply(arena, name, x);
      for (let at = 0; at < 4; at++) expect(Math.abs(got[at]! - low)).toBeLessThanOrEqual(1e-6);
      expect([got[4]! + 0, got[5]]).toEqual([middle, middle]);
      for (let at = 6; at < 10; at++) expect(got[at]).toBe(high === Infinity ? x[at] : high);
      expect(got[10]).toBeNaN();
      expect(difference(got, reference(name, x))).toBeUndefined();
    });

    test("treats each value alone: lane and neighbours change nothing", () => {
      const x = floats(new Random(3), 37, 4);
      const together = apply(arena, name, x);
      for (let at = 0; at < x.length; at++) expect(apply(arena, name, x.subarray(at, at + 1))[0]).toBe(together[at]);
    });
  });

  test("gelu, geluTanh, relu and tanh keep −0", () => {
    for (const name of ["gelu", "geluTanh", "relu", "tanh"]) expect(apply(arena, name, Float32Array.of(-0))[0]).toBe(-0);
  });
});
