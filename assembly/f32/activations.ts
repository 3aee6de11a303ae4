// Activation functions, in place over `count` floats. Absolute error against the exact function at most 1e-6 on [−20, 20].
//
// Both GELUs use GELU(x) = max(x, 0) − |x|·Q(|x|), Q the upper tail: the bump |x|·Q(|x|) never exceeds 0.17, so errors of the
// approximation stay absolute and small where x is large. Comparisons are written so that NaN and −0 pass through.
import { exp } from "./exp";
import { storeTail } from "./tail";

const CONSTANTS: i32 = <i32>memory.data<f32>([
  1.0, 1.0, 1.0, 1.0,
  0.5, 0.5, 0.5, 0.5,
  12.0, 12.0, 12.0, 12.0, // where GELU's bump is below 1e-13
  // P(a) = (2·Q(a))^(−1/8), powers 8 to 1 (minimax for a·Q(a): 4.8e-8 before rounding to f32)
  2.932263119e-6, 2.932263119e-6, 2.932263119e-6, 2.932263119e-6,
  -1.674469308e-5, -1.674469308e-5, -1.674469308e-5, -1.674469308e-5,
  9.757116422e-5, 9.757116422e-5, 9.757116422e-5, 9.757116422e-5,
  0.0001113755718, 0.0001113755718, 0.0001113755718, 0.0001113755718,
  0.0009806319357, 0.0009806319357, 0.0009806319357, 0.0009806319357,
  0.008591652125, 0.008591652125, 0.008591652125, 0.008591652125,
  0.04478879456, 0.04478879456, 0.04478879456, 0.04478879456,
  0.09973249613, 0.09973249613, 0.09973249613, 0.09973249613,
  -1.59576912161, -1.59576912161, -1.59576912161, -1.59576912161, // −2·sqrt(2/π)
  0.044715, 0.044715, 0.044715, 0.044715,
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

// @ts-ignore: decorator
@inline
function magnitude(x: v128): v128 {
  return v128.and(x, v128.load(SIGNS));
}

/** max(x, 0), with max(−0, 0) = −0. */
// @ts-ignore: decorator
@inline
function positivePart(x: v128): v128 {
  return f32x4.pmax(x, i32x4.splat(0));
}

/** high·a + low of two neighbouring coefficients. */
// @ts-ignore: decorator
@inline
function pair(high: i32, low: i32, a: v128): v128 {
  return f32x4.add(f32x4.mul(constant(high), a), constant(low));
}

/**
 * 2·Q(a), Q the normal distribution's upper tail, for a in [0, 12]. P is summed by pairs (Estrin), not by Horner's rule: a chain
 * half as long, 0.164 against 0.196 ms for the GELU of 196,608 values.
 */
// @ts-ignore: decorator
@inline
export function doubledTail(a: v128): v128 {
  const a2 = f32x4.mul(a, a);
  const a4 = f32x4.mul(a2, a2);
  const low = f32x4.add(f32x4.mul(pair(8, 9, a), a2), pair(10, 0, a));
  const middle = f32x4.add(f32x4.mul(pair(4, 5, a), a2), pair(6, 7, a));
  const root = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(constant(3), a4), middle), a4), low);
  let tail = f32x4.div(constant(0), root); // (2·Q)^(1/8)
  tail = f32x4.mul(tail, tail);
  tail = f32x4.mul(tail, tail);
  return f32x4.mul(tail, tail);
}

// @ts-ignore: decorator
@inline
function geluOf(x: v128): v128 {
  const a = f32x4.pmin(magnitude(x), constant(2));
  return f32x4.sub(positivePart(x), f32x4.mul(f32x4.mul(a, constant(1)), doubledTail(a)));
}

/** 0.5·x·(1 + tanh u) = x·sigmoid(2u), so Q = t/(1 + t) with t = e^(−2|u|), u = sqrt(2/π)·(x + 0.044715·x³). */
// @ts-ignore: decorator
@inline
function geluTanhOf(x: v128): v128 {
  const a = f32x4.pmin(magnitude(x), constant(2));
  const cubic = f32x4.add(f32x4.mul(f32x4.mul(f32x4.mul(a, a), a), constant(12)), a);
  const t = exp(f32x4.mul(cubic, constant(11)));
  return f32x4.sub(positivePart(x), f32x4.div(f32x4.mul(a, t), f32x4.add(t, constant(0))));
}

/** sign(x)·(1 − t)/(1 + t), t = e^(−2|x|): odd, and −0 gives −0. */
// @ts-ignore: decorator
@inline
function tanhOf(x: v128): v128 {
  const a = magnitude(x);
  const t = exp(f32x4.neg(f32x4.add(a, a)));
  const y = f32x4.div(f32x4.sub(constant(0), t), f32x4.add(constant(0), t));
  return v128.or(y, v128.and(x, v128.load(SIGNS + 16)));
}

// @ts-ignore: decorator
@inline
function sigmoidOf(x: v128): v128 {
  return f32x4.div(constant(0), f32x4.add(constant(0), exp(f32x4.neg(x))));
}

/** GELU in its exact form x·Φ(x); absolute error below 4e-7. Hendrycks & Gimpel, arXiv 1606.08415. */
export function gelu(x: i32, count: i32): void {
  const whole = x + ((count & ~3) << 2);
  for (; x < whole; x += 16) v128.store(x, geluOf(v128.load(x)));
  if (count & 3) storeTail(x, geluOf(v128.load(x)), count & 3);
}

/** GELU in its tanh form, "gelu_new" and "gelu_pytorch_tanh" of the model configurations; absolute error below 3e-7. */
export function geluTanh(x: i32, count: i32): void {
  const whole = x + ((count & ~3) << 2);
  for (; x < whole; x += 16) v128.store(x, geluTanhOf(v128.load(x)));
  if (count & 3) storeTail(x, geluTanhOf(v128.load(x)), count & 3);
}

/** max(x, 0). */
export function relu(x: i32, count: i32): void {
  const whole = x + ((count & ~3) << 2);
  for (; x < whole; x += 16) v128.store(x, positivePart(v128.load(x)));
  if (count & 3) storeTail(x, positivePart(v128.load(x)), count & 3);
}

/** tanh x; absolute error below 1e-7. */
export function tanh(x: i32, count: i32): void {
  const whole = x + ((count & ~3) << 2);
  for (; x < whole; x += 16) v128.store(x, tanhOf(v128.load(x)));
  if (count & 3) storeTail(x, tanhOf(v128.load(x)), count & 3);
}

/** 1/(1 + e^−x); absolute error below 1e-7. */
export function sigmoid(x: i32, count: i32): void {
  const whole = x + ((count & ~3) << 2);
  for (; x < whole; x += 16) v128.store(x, sigmoidOf(v128.load(x)));
  if (count & 3) storeTail(x, sigmoidOf(v128.load(x)), count & 3);
}
