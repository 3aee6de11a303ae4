// How fast the inner steps of the products can go on this machine: no tiles, no epilogue, factors in registers.
// A bench-only module; bench/kernels.mjs and bench/train.mjs quote each kernel as a share of its own ceiling.
//
// One store and two loads a round are there because V8 unrolls a loop and computes equal products once ("measuring" twice the
// true figure); it may not assume that the loads after a store still give the same. They use no port that the arithmetic
// needs. Enough independent accumulators to hide the
// latency: 6 where only the addition depends on them, 12 where the whole dot does.

const OPERANDS = memory.data<u8>([
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32,
  9, 8, 7, 6, 5, 4, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 1, 4, 7, 1, 4, 7, 1, 4, 7, 1, 4, 7, 1, 4, 7, 1,
  5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 8, 8, 7, 7, 6, 6,
], 16);
const FLOATS = memory.data<f32>([0.5, 0.25, 0.5, 0.25, 0.25, 0.5, 0.25, 0.5], 16);
const SCRATCH = memory.data(16, 16);
const ONES = memory.data<i16>([1, 1, 1, 1, 1, 1, 1, 1], 16);

// @ts-ignore: decorator
@inline
function fixedStep(acc: v128, x: v128, w: v128): v128 {
  return i32x4.add(acc, i32x4.dot_i16x8_s(x, w));
}

// @ts-ignore: decorator
@inline
function rel2Step(acc: v128, x: v128, w: v128, ones: v128): v128 {
  return i32x4.add(acc, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(x, w), ones));
}

// @ts-ignore: decorator
@inline
function rel1Step(acc: v128, x: v128, w: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, acc);
}

// @ts-ignore: decorator
@inline
function sum6(a: v128, b: v128, c: v128, d: v128, e: v128, f: v128): i32 {
  return i32x4.extract_lane(i32x4.add(i32x4.add(i32x4.add(a, b), i32x4.add(c, d)), i32x4.add(e, f)), 0);
}

/** 6 steps of matmulFixed a round, 8 multiply-adds each. */
export function fixedCeiling(rounds: i32): i32 {
  const u = v128.load(OPERANDS, 32), v = v128.load(OPERANDS, 48), w = v128.load(OPERANDS, 64);
  let a = u, b = u, c = u, d = u, e = u, f = u;
  do {
    v128.store(SCRATCH, a);
    const x = v128.load(OPERANDS), y = v128.load(OPERANDS, 16);
    a = fixedStep(a, x, u);
    b = fixedStep(b, x, v);
    c = fixedStep(c, x, w);
    d = fixedStep(d, y, u);
    e = fixedStep(e, y, v);
    f = fixedStep(f, y, w);
  } while (--rounds);
  return sum6(a, b, c, d, e, f);
}

/** 6 steps of matmulRel2 a round, 16 multiply-adds each. */
export function rel2Ceiling(rounds: i32): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return 0;
  const ones = v128.load(ONES);
  const u = v128.load(OPERANDS, 32), v = v128.load(OPERANDS, 48), w = v128.load(OPERANDS, 64);
  let a = u, b = u, c = u, d = u, e = u, f = u;
  do {
    v128.store(SCRATCH, a);
    const x = v128.load(OPERANDS), y = v128.load(OPERANDS, 16);
    a = rel2Step(a, x, u, ones);
    b = rel2Step(b, x, v, ones);
    c = rel2Step(c, x, w, ones);
    d = rel2Step(d, y, u, ones);
    e = rel2Step(e, y, v, ones);
    f = rel2Step(f, y, w, ones);
  } while (--rounds);
  return sum6(a, b, c, d, e, f);
}

/** 12 steps of matmulRel1 a round, 16 multiply-adds each. */
export function rel1Ceiling(rounds: i32): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return 0;
  const x = v128.load(OPERANDS), w = v128.load(OPERANDS, 32);
  let a = x, b = x, c = x, d = x, e = x, f = x;
  let g = x, h = x, i = x, j = x, k = x, l = x;
  do {
    a = rel1Step(a, x, w);
    b = rel1Step(b, x, w);
    c = rel1Step(c, x, w);
    d = rel1Step(d, x, w);
    e = rel1Step(e, x, w);
    f = rel1Step(f, x, w);
    g = rel1Step(g, x, w);
    h = rel1Step(h, x, w);
    i = rel1Step(i, x, w);
    j = rel1Step(j, x, w);
    k = rel1Step(k, x, w);
    l = rel1Step(l, x, w);
  } while (--rounds);
  return sum6(a, b, c, d, e, f) + sum6(g, h, i, j, k, l);
}

// @ts-ignore: decorator
@inline
function floatStep(acc: v128, x: v128, w: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, w, acc);
  return f32x4.add(acc, f32x4.mul(x, w));
}

/** 12 steps of the training's f32 product a round, 4 multiply-adds each; fused where relaxed SIMD is. */
export function floatCeiling(rounds: i32): i32 {
  const x = v128.load(FLOATS), w = v128.load(FLOATS, 16); // literals would be rebuilt at every use
  let a = f32x4.splat(1), b = f32x4.splat(2), c = f32x4.splat(3), d = f32x4.splat(4), e = f32x4.splat(5), f = f32x4.splat(6);
  let g = f32x4.splat(7), h = f32x4.splat(8), i = f32x4.splat(9), j = f32x4.splat(10), k = f32x4.splat(11), l = f32x4.splat(12);
  do {
    a = floatStep(a, x, w);
    b = floatStep(b, x, w);
    c = floatStep(c, x, w);
    d = floatStep(d, x, w);
    e = floatStep(e, x, w);
    f = floatStep(f, x, w);
    g = floatStep(g, x, w);
    h = floatStep(h, x, w);
    i = floatStep(i, x, w);
    j = floatStep(j, x, w);
    k = floatStep(k, x, w);
    l = floatStep(l, x, w);
  } while (--rounds);
  return sum6(a, b, c, d, e, f) + sum6(g, h, i, j, k, l);
}
