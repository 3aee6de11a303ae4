// Scalar twins of f32/activations.ts: a new array instead of in place.
import { atLeast, atMost, exp } from "./exp";

/** 2·Q(a), Q the normal distribution's upper tail. */
export function doubledTail(a: f32): f32 {
  const a2 = a * a;
  const a4 = a2 * a2;
  const low = (<f32>0.008591652125 * a + <f32>0.04478879456) * a2 + (<f32>0.09973249613 * a + 1);
  const middle = (<f32>-1.674469308e-5 * a + <f32>9.757116422e-5) * a2 + (<f32>0.0001113755718 * a + <f32>0.0009806319357);
  const root = (<f32>2.932263119e-6 * a4 + middle) * a4 + low;
  let tail: f32 = <f32>1 / root;
  tail *= tail;
  tail *= tail;
  return tail * tail;
}

function geluOf(x: f32): f32 {
  const a = atMost(abs<f32>(x), 12);
  return atLeast(x, 0) - a * <f32>0.5 * doubledTail(a);
}

function geluTanhOf(x: f32): f32 {
  const a = atMost(abs<f32>(x), 12);
  const t = exp((a * a * a * <f32>0.044715 + a) * <f32>-1.59576912161);
  return atLeast(x, 0) - a * t / (t + 1);
}

function tanhOf(x: f32): f32 {
  const a = abs<f32>(x);
  const t = exp(-(a + a));
  return copysign<f32>((<f32>1 - t) / (<f32>1 + t), x);
}

export function gelu(x: Float32Array): Float32Array {
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = geluOf(x[i]);
  return y;
}

export function geluTanh(x: Float32Array): Float32Array {
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = geluTanhOf(x[i]);
  return y;
}

export function relu(x: Float32Array): Float32Array {
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = atLeast(x[i], 0);
  return y;
}

export function tanh(x: Float32Array): Float32Array {
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = tanhOf(x[i]);
  return y;
}

export function sigmoid(x: Float32Array): Float32Array {
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = <f32>1 / (<f32>1 + exp(-x[i]));
  return y;
}
