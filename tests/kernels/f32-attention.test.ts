import { describe, expect, test } from "vitest";
import { attentionScratchBytes } from "../../src/wasm/scratch.ts";
import { UNIT, beyondBound, difference, floats, gamma, placeLast, placeRows, takeRows } from "./f32-rows.ts";
import { KernelArena, builds } from "./instance.ts";
import { Random } from "./int8-layout.ts";
import { reference } from "./reference.ts";

interface Case {
  queries: number;
  keys: number;
  heads: number;
  headSize: number;
  q: Float32Array;
  k: Float32Array;
  v: Float32Array;
  mask: Uint8Array;
}

function attentionCase(queries: number, keys: number, heads: number, headSize: number, seed: number, magnitude = 2): Case {
  const random = new Random(seed);
  const width = heads * headSize;
  return {
    queries, keys, heads, headSize,
    q: floats(random, queries * width, magnitude),
    k: floats(random, keys * width, magnitude),
    v: floats(random, keys * width, magnitude),
    mask: new Uint8Array(keys).fill(1),
  };
}

/** Masks about a third of the keys, never all. */
function maskSome(given: Case, seed: number): void {
  const random = new Random(seed);
  for (let key = 0; key < given.keys; key++) given.mask[key] = random.integer(0, 2) === 0 ? 0 : random.integer(1, 255);
  given.mask[random.integer(0, given.keys - 1)] = 1;
}

/** The kernel with its result written over the queries. */
function attentionInPlace(arena: KernelArena, { queries, keys, heads, headSize, q, k, v, mask }: Case): Float32Array {
  const width = heads * headSize;
  arena.reset();
  const qAt = arena.input(q);
  const scratch = arena.output(attentionScratchBytes(keys, headSize));
  arena.kernel("attention")(qAt, arena.input(k), arena.input(v), queries, keys, heads, headSize, width, width, arena.input(mask), scratch, qAt, width);
  arena.checkGuards();
  return arena.float32(qAt, queries * width).slice();
}

/** The kernel with exactly the scratch it asks for, NaN everywhere it has not been given data, rows with gaps. */
function attention(arena: KernelArena, given: Case, gap = 0, withMask = true): Float32Array {
  const { queries, keys, heads, headSize, q, k, v, mask } = given;
  const width = heads * headSize;
  const stride = width + gap;
  arena.reset();
  const qAt = placeRows(arena, q, queries, width, stride + gap, (gap % 4) * 4);
  const kAt = placeRows(arena, k, keys, width, stride);
  const vAt = placeRows(arena, v, keys, width, stride);
  const maskAt = withMask ? arena.input(mask) : 0;
  const scratch = arena.output(attentionScratchBytes(keys, headSize));
  const out = arena.output(((queries - 1) * (stride + 1) + width) * 4);
  arena.kernel("attention")(qAt, kAt, vAt, queries, keys, heads, headSize, stride + gap, stride, maskAt, scratch, out, stride + 1);
  arena.checkGuards();
  return takeRows(arena, out, queries, width, stride + 1);
}

function twin({ queries, keys, heads, headSize, q, k, v, mask }: Case): Float32Array {
  return reference("attention", q, k, v, queries, keys, heads, headSize, mask);
}

/** Float64 result and the error f32 may make, from the lengths of its sums. */
function exact({ queries, keys, heads, headSize, q, k, v, mask }: Case) {
  const width = heads * headSize;
  const want = new Float64Array(queries * width);
  const bound = new Float64Array(queries * width);
  const live = Array.from(mask.keys()).filter((key) => mask[key] !== 0);
  for (let query = 0; query < queries; query++) {
    for (let column = 0; column < width; column += headSize) {
      const products = (key: number) =>
        Array.from({ length: headSize }, (_, i) => (q[query * width + column + i]! * k[key * width + column + i]!) / Math.sqrt(headSize));
      const scores = live.map((key) => products(key).reduce((sum, value) => sum + value, 0));
      const largest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - largest));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      // Of a weight, relative: its score's chain, the rounded difference in its exponent, and 2e-7 of 2^x.
      const errors = live.map((key, at) => {
        const magnitude = products(key).reduce((sum, value) => sum + Math.abs(value), 0);
        return gamma(headSize + 5) * magnitude + (largest - scores[at]!) * UNIT + 3e-7;
      });
      const meanError = errors.reduce((sum, error, at) => sum + (error * weights[at]!) / total, 0);
      for (let i = column; i < column + headSize; i++) {
        for (const [at, key] of live.entries()) {
          const part = (weights[at]! / total) * v[key * width + i]!;
          want[query * width + i] = want[query * width + i]! + part;
          bound[query * width + i] = bound[query * width + i]! + Math.abs(part) * (errors[at]! + meanError + gamma(2 * keys + 4)) + 1e-30;
        }
      }
    }
  }
  return { want, bound };
}

describe.each(builds)("attention of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  test("may write its result over the queries, with the same bits", () => {
    for (const [queries, keys, heads, headSize] of [[1, 1, 1, 1], [9, 5, 3, 7], [17, 33, 2, 14], [8, 64, 12, 32]] as const) {
      const given = attentionCase(queries, keys, heads, headSize, queries * keys);
      maskSome(given, keys);
      expect(attentionInPlace(arena, given)).toEqual(attention(arena, given));
    }
  });

  test("equals the scalar twin for queries 1–17, keys 1–40, with and without mask", () => {
    for (let keys = 1; keys <= 40; keys++) {
      for (let queries = 1; queries <= 17; queries++) {
        const given = attentionCase(queries, keys, 1 + (queries % 3), 1 + ((keys * 7 + queries) % 19), keys * 100 + queries);
        const withMask = (keys + queries) % 2 === 0;
        if (withMask) maskSome(given, keys + queries);
        const found = difference(attention(arena, given, [0, 1, 3, 13][queries % 4]!, withMask), twin(given));
        if (found !== undefined) expect.fail(`${queries} queries, ${keys} keys, head size ${given.headSize}: ${found}`);
      }
    }
  });

  test("equals the scalar twin at head sizes 1–70", () => {
    for (let headSize = 1; headSize <= 70; headSize++) {
      const given = attentionCase(1 + (headSize % 11), 1 + ((headSize * 5) % 23), 1 + (headSize % 3), headSize, headSize);
      if (headSize % 2 === 0) maskSome(given, headSize);
      expect(difference(attention(arena, given, headSize % 5), twin(given)), `head size ${headSize}`).toBeUndefined();
    }
  });

  test.each([
    [17, 128, 12, 32],
    [5, 257, 2, 64],
    [9, 509, 1, 32],
  ])("equals the scalar twin and float64 within its bound: %i queries, %i keys, %i heads of %i", (queries, keys, heads, headSize) => {
    const given = attentionCase(queries, keys, heads, headSize, keys);
    const got = attention(arena, given);
    expect(difference(got, twin(given))).toBeUndefined();
    const { want, bound } = exact(given);
    expect(beyondBound(got, want, bound)).toBeUndefined();
  });

  test("is within its bound with peaked scores and a mask", () => {
    const given = attentionCase(6, 37, 3, 14, 77, 8);
    maskSome(given, 78);
    const { want, bound } = exact(given);
    expect(beyondBound(attention(arena, given), want, bound)).toBeUndefined();
  });

  test("gives a query the same bits alone and among others", () => {
    const given = attentionCase(19, 33, 3, 14, 5);
    const together = attention(arena, given);
    for (let query = 0; query < 19; query++) {
      const alone = attention(arena, { ...given, queries: 1, q: given.q.slice(query * 42, query * 42 + 42) });
      expect(difference(alone, together.slice(query * 42, query * 42 + 42))).toBeUndefined();
    }
  });

  test("never reads a masked key: the result is that of the other keys alone, whatever the masked ones hold", () => {
    const given = attentionCase(9, 21, 2, 9, 31);
    maskSome(given, 32);
    const live = Array.from(given.mask.keys()).filter((key) => given.mask[key] !== 0);
    expect(live.length).toBeLessThan(21);
    const row = (data: Float32Array, key: number) => [...data.subarray(key * 18, key * 18 + 18)];
    const alone = attention(arena, {
      ...given,
      keys: live.length,
      k: Float32Array.from(live.flatMap((key) => row(given.k, key))),
      v: Float32Array.from(live.flatMap((key) => row(given.v, key))),
    }, 0, false);
    for (const poison of [NaN, Infinity, -3.4e38]) {
      for (const [key, byte] of given.mask.entries()) {
        if (byte !== 0) continue;
        given.k.fill(poison, key * 18, key * 18 + 18);
        given.v.fill(poison, key * 18, key * 18 + 18);
      }
      expect(difference(attention(arena, given), alone)).toBeUndefined();
    }
  });

  test("a mask that masks nothing equals no mask", () => {
    const given = attentionCase(7, 13, 2, 6, 55);
    given.mask.fill(255);
    expect(difference(attention(arena, given), attention(arena, given, 0, false))).toBeUndefined();
  });

  test("gives zeros when every key is masked", () => {
    const given = attentionCase(11, 6, 3, 7, 9);
    given.mask.fill(0);
    expect(difference(attention(arena, given, 3), new Float32Array(11 * 21))).toBeUndefined();
  });

  test("a single key's value comes through exactly", () => {
    const given = attentionCase(3, 1, 2, 5, 12, 50);
    const got = attention(arena, given);
    for (let query = 0; query < 3; query++) expect([...got.subarray(query * 10, query * 10 + 10)]).toEqual([...given.v]);
  });

  test.each([NaN, Infinity, -Infinity, 3.4e38])("%d in one query stays in its row and head", (odd) => {
    const given = attentionCase(10, 12, 2, 8, 3);
    const clean = attention(arena, given);
    given.q[3 * 16 + 9] = odd; // query 3, head 1
    const got = attention(arena, given);
    for (let at = 0; at < clean.length; at++) {
      const spoilt = at >= 3 * 16 + 8 && at < 4 * 16;
      if (!spoilt) expect(got[at]).toBe(clean[at]);
    }
    if (Number.isNaN(odd)) expect(got.subarray(3 * 16 + 8, 4 * 16).every(Number.isNaN)).toBe(true);
    expect(difference(got, twin(given))).toBeUndefined();
  });

  test("scores that all overflow to −∞ are NaN, one beside finite ones weighs nothing, and +∞ is NaN", () => {
    const given = attentionCase(9, 5, 2, 6, 4);
    // Head 1 of query 2 has scores of −∞ alone, that of query 3 all but the last, that of query 4 one of +∞.
    for (let key = 0; key < 5; key++) given.k.fill(1e20, key * 12 + 6, key * 12 + 12);
    given.q.fill(-1e20, 2 * 12 + 6, 3 * 12);
    for (const [query, last] of [[3, 0], [4, -1]] as const) {
      given.q.fill(0, query * 12 + 6, query * 12 + 12);
      given.q[query * 12 + 6] = query === 3 ? -1e20 : 1e20;
      given.k[4 * 12 + 6] = last;
    }
    const got = attention(arena, given);
    expect(difference(got, twin(given))).toBeUndefined();
    const head = (query: number): Float32Array => got.subarray(query * 12 + 6, query * 12 + 12);
    expect([2, 4].map((query) => head(query).every(Number.isNaN))).toEqual([true, true]);
    expect([...got].filter(Number.isNaN).length).toBe(12);
    given.k[4 * 12 + 6] = 0;
    expect(difference(attention(arena, given), twin(given))).toBeUndefined();
    expect([...attention(arena, given).subarray(3 * 12 + 6, 4 * 12)]).toEqual([...given.v.subarray(4 * 12 + 6, 5 * 12)]);
  });

  test("takes −0 and all-zero inputs", () => {
    const given = attentionCase(2, 4, 1, 3, 6);
    given.q.fill(-0);
    given.v.fill(-0);
    const got = attention(arena, given);
    expect(difference(got, twin(given))).toBeUndefined();
    expect(got.every((value) => value === 0)).toBe(true);
  });
});

describe.each(builds)("attention of %s.wasm at the end of memory", (build) => {
  const arena = new KernelArena(build, 3);

  test.each(["q", "k", "v"] as const)("reads no row past the last of %s", (last) => {
    for (const [queries, keys] of [[1, 1], [9, 2], [5, 3], [6, 5], [8, 4]] as const) {
      const given = attentionCase(queries, keys, 2, 22, queries);
      arena.reset();
      const scratch = arena.output(attentionScratchBytes(keys, 22));
      const out = arena.output(queries * 44 * 4);
      const others = (["q", "k", "v"] as const).filter((name) => name !== last).map((name) => [name, arena.input(given[name])] as const);
      const at = Object.fromEntries([...others, [last, placeLast(arena, given[last])]]) as Record<"q" | "k" | "v", number>;
      arena.kernel("attention")(at.q, at.k, at.v, queries, keys, 2, 22, 44, 44, 0, scratch, out, 44);
      arena.checkGuards();
      expect(difference(takeRows(arena, out, queries, 44, 44), twin(given))).toBeUndefined();
    }
  });
});

test("attentionScratchBytes counts what the kernel's docstring draws", () => {
  // 2 blocks of 4 keys x 3; 5 keys x 4; tiles of 8 x (3 + 8 + 4 + 1)
  expect(attentionScratchBytes(5, 3)).toBe(4 * (24 + 20 + 128));
  expect(attentionScratchBytes(128, 32)).toBe(4 * (4096 + 4096 + 8 * (32 + 128 + 32 + 1)));
});
