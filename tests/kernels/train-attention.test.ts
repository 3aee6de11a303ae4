import { describe, expect, test } from "vitest";
import { trainAttentionBytes } from "../../src/train/scratch.ts";
import { floats, placeRows, takeRows } from "./f32-rows.ts";
import { expectTwin, numericGradient, relativeGap, weighted } from "./gradients.ts";
import { KernelArena, trainBuilds } from "./instance.ts";
import { Random } from "./int8-layout.ts";
import { reference } from "./reference.ts";

type Vector = ArrayLike<number>;

interface Case {
  queries: number;
  keys: number;
  heads: number;
  headSize: number;
  q: Float32Array;
  k: Float32Array;
  v: Float32Array;
  dOut: Float32Array;
  mask: Uint8Array;
  /** threshold, scale, two keys */
  drop: readonly [number, number, number, number];
}

const NO_DROPOUT = [0, 1, 0, 0] as const;

function attentionCase(queries: number, keys: number, heads: number, headSize: number, seed: number, rate = 0): Case {
  const random = new Random(seed);
  const width = heads * headSize;
  return {
    queries, keys, heads, headSize,
    q: floats(random, queries * width, 2),
    k: floats(random, keys * width, 2),
    v: floats(random, keys * width, 1),
    dOut: floats(random, queries * width, 1),
    mask: Uint8Array.from({ length: keys }, (_, key) => (seed % 2 === 1 && key > 0 ? random.integer(0, 1) : 1)),
    drop: rate === 0 ? NO_DROPOUT : [Math.round(rate * 2 ** 32) | 0, Math.fround(1 / (1 - rate)), seed, -seed],
  };
}

/** softmax(q·kᵀ/√d)·v in float64; `factors` [heads][queries][keys] are what dropout multiplies the weights with. */
function exact({ queries, keys, heads, headSize, mask }: Case, q: Vector, k: Vector, v: Vector, factors: Vector | null): Float64Array {
  const width = heads * headSize;
  const out = new Float64Array(queries * width);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < queries; i++) {
      const score = (j: number): number => {
        let sum = 0;
        for (let d = head * headSize; d < (head + 1) * headSize; d++) sum += q[i * width + d]! * k[j * width + d]!;
        return mask[j] === 0 ? -Infinity : sum / Math.sqrt(headSize);
      };
      const scores = Array.from({ length: keys }, (_, j) => score(j));
      const largest = Math.max(...scores);
      const weights = scores.map((s) => Math.exp(s - largest));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let j = 0; j < keys; j++) {
        const p = (weights[j]! / total) * (factors === null ? 1 : factors[(head * queries + i) * keys + j]!);
        for (let d = head * headSize; d < (head + 1) * headSize; d++) out[i * width + d]! += p * v[j * width + d]!;
      }
    }
  }
  return out;
}

/** What dropout does to each weight, from the twin of the dropout kernel: one counter a head, rows rounded up to 8. */
function dropFactors({ queries, keys, heads, drop: [threshold, scale, key0, key1] }: Case): Float32Array {
  const wide = Math.ceil(keys / 8) * 8;
  const factors = new Float32Array(heads * queries * keys);
  for (let head = 0; head < heads; head++) {
    const headKey = (key1 + Math.imul(head, 0x9e3779b9)) | 0;
    const kept = reference<Float32Array>("dropout", new Float32Array(queries * wide).fill(1), threshold, scale, key0, headKey);
    for (let i = 0; i < queries * keys; i++) factors[head * queries * keys + i] = kept[Math.floor(i / keys) * wide + (i % keys)]!;
  }
  return factors;
}

describe.each(trainBuilds)("training attention of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  function place({ queries, keys, heads, headSize, q, k, v, mask }: Case, gap: number) {
    const width = heads * headSize;
    const stride = width + gap;
    arena.reset();
    const scratch = arena.output(trainAttentionBytes(queries, keys, headSize));
    const [qAt, kAt, vAt] = [placeRows(arena, q, queries, width, stride), placeRows(arena, k, keys, width, stride), placeRows(arena, v, keys, width, stride)];
    const maskAt = mask.includes(0) ? arena.input(mask) : 0;
    return { width, stride, scratch, qAt, kAt, vAt, maskAt };
  }

  function forward(given: Case, gap = 0): Float32Array {
    const { queries, keys, heads, headSize, drop } = given;
    const { width, stride, scratch, qAt, kAt, vAt, maskAt } = place(given, gap);
    arena.kernel("attentionForward")(qAt, kAt, vAt, queries, keys, heads, headSize, stride, maskAt, ...drop, scratch, qAt);
    arena.checkGuards();
    return takeRows(arena, qAt, queries, width, stride);
  }

  function backward(given: Case, gap = 0): Float32Array {
    const { queries, keys, heads, headSize, dOut, drop } = given;
    const { width, stride, scratch, qAt, kAt, vAt, maskAt } = place(given, gap);
    const d = placeRows(arena, dOut, queries, width, stride);
    const rows = (count: number): number => arena.output(((count - 1) * stride + width) * 4);
    const [dk, dv] = [rows(keys), rows(keys)];
    arena.kernel("attentionBackward")(qAt, kAt, vAt, d, queries, keys, heads, headSize, stride, maskAt, ...drop, scratch, d, dk, dv);
    arena.checkGuards();
    return Float32Array.of(...takeRows(arena, d, queries, width, stride), ...takeRows(arena, dk, keys, width, stride), ...takeRows(arena, dv, keys, width, stride));
  }

  const args = ({ q, k, v, queries, keys, heads, headSize, mask, drop }: Case, ...more: Float32Array[]) => [q, k, v, ...more, queries, keys, heads, headSize, mask, ...drop] as const;

  test("forward and backward equal their twins for 1–17 keys and odd heads, with masks, gaps and dropout", () => {
    for (let keys = 1; keys <= 17; keys++) {
      for (const rate of [0, 0.3]) {
        const queries = keys % 3 === 0 ? 1 + (keys % 5) : keys;
        const given = attentionCase(queries, keys, 1 + (keys % 3), 1 + ((keys * 5) % 13), keys, rate);
        const what = `${queries} queries, ${keys} keys, ${given.heads}×${given.headSize}, rate ${rate}`;
        expectTwin(build, forward(given, keys % 4), reference("attentionForward", ...args(given)), 1e-5, what);
        expectTwin(build, backward(given, keys % 4), reference("attentionBackward", ...args(given, given.dOut)), 1e-5, what);
      }
    }
  });

  test.each([0, 0.25])("agrees with differences of float64 attention at dropout %d", (rate) => {
    for (const seed of [2, 3]) {
      const given = attentionCase(5, 7, 2, 6, seed, rate);
      const { q, k, v, dOut } = given;
      const factors = rate === 0 ? null : dropFactors(given);
      expect(relativeGap(forward(given), exact(given, q, k, v, factors))).toBeLessThan(2e-6);
      const want = Float64Array.of(
        ...numericGradient((x) => weighted(exact(given, x, k, v, factors), dOut), q),
        ...numericGradient((x) => weighted(exact(given, q, x, v, factors), dOut), k),
        ...numericGradient((x) => weighted(exact(given, q, k, x, factors), dOut), v),
      );
      expect(relativeGap(backward(given), want)).toBeLessThan(3e-6);
    }
  });

  test("a text whose keys are all masked gives zeros forward and backward", () => {
    const given = attentionCase(3, 4, 2, 4, 2);
    given.mask.fill(0);
    expect(forward(given).every((value) => value === 0)).toBe(true);
    expect(backward(given).every((value) => value === 0)).toBe(true);
  });

  test("large scores do not overflow", () => {
    const given = attentionCase(4, 5, 1, 8, 2);
    given.q = given.q.map((value) => value * 1000);
    expect(relativeGap(forward(given), exact(given, given.q, given.k, given.v, null))).toBeLessThan(1e-4);
    expect(backward(given).every(Number.isFinite)).toBe(true);
  });
});
