// Backward steps of the activation functions, in place: dy = dy·f′. x is the function's input; for tanh y is its output, which
// says it all. Absolute error of f′ below 1e-6.
import { doubledTail } from "../f32/activations";
import { exp } from "../f32/exp";
import { storeTail } from "../f32/tail";

const CONSTANTS: i32 = <i32>memory.data<f32>([
  1.0, 1.0, 1.0, 1.0,
  0.5, 0.5, 0.5, 0.5,
  12.0, 12.0, 12.0, 12.0, // where 1 − GELU′ is below 1e-30
  0.398942280401, 0.398942280401, 0.398942280401, 0.398942280401, // 1/sqrt(2π)
  -1.59576912161, -1.59576912161, -1.59576912161, -1.59576912161, // −2·sqrt(2/π)
  0.044715, 0.044715, 0.044715, 0.044715,
  0.134145, 0.134145, 0.134145, 0.134145, // 3·0.044715
]);
const SIGNS: i32 = <i32>memory.data<u32>([
  0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff,
  0x80000000, 0x80000000, 0x80000000, 0x80000000,
]);

// @ts-ignore: decorator
@inline
function constant(index: i32): v128 {
  return v128.load(CONSTANTS + 16 * index);
}

/** min(|x|, 12). */
// @ts-ignore: decorator
@inline
function boundedMagnitude(x: v128): v128 {
  return f32x4.pmin(v128.and(x, v128.load(SIGNS)), constant(2));
}

/** 1/2 + sign(x)·half: both GELUs' derivatives have f′(x) + f′(−x) = 1. */
// @ts-ignore: decorator
@inline
function aroundHalf(half: v128, x: v128): v128 {
  return f32x4.add(constant(1), v128.xor(half, v128.and(x, v128.load(SIGNS + 16))));
}

/** Φ(x) + x·φ(x); for x >= 0 that is 1 − Q(x) + x·φ(x). */
// @ts-ignore: decorator
@inline
function geluSlope(x: v128): v128 {
  const a = boundedMagnitude(x);
  const density = f32x4.mul(exp(f32x4.mul(f32x4.mul(a, a), f32x4.neg(constant(1)))), constant(3));
  const half = f32x4.sub(constant(1), f32x4.mul(doubledTail(a), constant(1)));
  return aroundHalf(f32x4.add(half, f32x4.mul(a, density)), x);
}

/** σ(2u) + x·2u′·σ(2u)·(1 − σ(2u)), u = sqrt(2/π)·(x + 0.044715·x³); with t = e^(−2|u|): σ = 1/(1 + t), σ(1 − σ) = t/(1 + t)². */
// @ts-ignore: decorator
@inline
function geluTanhSlope(x: v128): v128 {
  const a = boundedMagnitude(x);
  const square = f32x4.mul(a, a);
  const t = exp(f32x4.mul(f32x4.add(f32x4.mul(f32x4.mul(square, a), constant(5)), a), constant(4)));
  const share = f32x4.div(constant(0), f32x4.add(constant(0), t));
  const steep = f32x4.mul(f32x4.mul(t, share), share);
  const slope = f32x4.neg(f32x4.mul(f32x4.add(f32x4.mul(square, constant(6)), constant(0)), constant(4)));
  return aroundHalf(f32x4.add(f32x4.sub(share, constant(1)), f32x4.mul(f32x4.mul(a, slope), steep)), x);
}

/** dy·GELU′(x), the exact (erf) form. x, dy f32 [count]. */
export function geluBackward(x: i32, dy: i32, count: i32): void {
  const whole = x + ((count & ~3) << 2);
  for (; x < whole; x += 16, dy += 16) v128.store(dy, f32x4.mul(v128.load(dy), geluSlope(v128.load(x))));
  if (count & 3) storeTail(dy, f32x4.mul(v128.load(dy), geluSlope(v128.load(x))), count & 3);
}

/** dy·GELU′(x), the tanh form. x, dy f32 [count]. */
export function geluTanhBackward(x: i32, dy: i32, count: i32): void {
  const whole = x + ((count & ~3) << 2);
  for (; x < whole; x += 16, dy += 16) v128.store(dy, f32x4.mul(v128.load(dy), geluTanhSlope(v128.load(x))));
  if (count & 3) storeTail(dy, f32x4.mul(v128.load(dy), geluTanhSlope(v128.load(x))), count & 3);
}

/** dy where x > 0, else 0 (at 0 too, as PyTorch has it). x, dy f32 [count]. */
export function reluBackward(x: i32, dy: i32, count: i32): void {
  const whole = x + ((count & ~3) << 2);
  const zero = i32x4.splat(0);
  for (; x < whole; x += 16, dy += 16) v128.store(dy, v128.and(v128.load(dy), f32x4.gt(v128.load(x), zero)));
  if (count & 3) storeTail(dy, v128.and(v128.load(dy), f32x4.gt(v128.load(x), zero)), count & 3);
}

// @ts-ignore: decorator
@inline
function tanhSlope(y: v128): v128 {
  return f32x4.sub(constant(0), f32x4.mul(y, y));
}

/** dy·(1 − y²). y f32 [count]: tanh's output; dy f32 [count]. */
export function tanhBackward(y: i32, dy: i32, count: i32): void {
  const whole = y + ((count & ~3) << 2);
  for (; y < whole; y += 16, dy += 16) v128.store(dy, f32x4.mul(v128.load(dy), tanhSlope(v128.load(y))));
  if (count & 3) storeTail(dy, f32x4.mul(v128.load(dy), tanhSlope(v128.load(y))), count & 3);
}
