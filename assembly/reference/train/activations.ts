// Scalar twins of train/activations.ts: dy·f′, a new array instead of in place.
import { doubledTail } from "../activations";
import { atMost, exp } from "../exp";

/** 1/2 + sign(x)·half, the sign of −0 being minus. */
function aroundHalf(half: f32, x: f32): f32 {
  return <f32>0.5 + (reinterpret<i32>(x) < 0 ? -half : half);
}

function geluSlope(x: f32): f32 {
  const a = atMost(abs<f32>(x), 12);
  const density = exp(a * a * <f32>-0.5) * <f32>0.398942280401;
  return aroundHalf(<f32>0.5 - doubledTail(a) * <f32>0.5 + a * density, x);
}

function geluTanhSlope(x: f32): f32 {
  const a = atMost(abs<f32>(x), 12);
  const square = a * a;
  const t = exp((square * a * <f32>0.044715 + a) * <f32>-1.59576912161);
  const share = <f32>1 / (<f32>1 + t);
  const slope = -((square * <f32>0.134145 + <f32>1) * <f32>-1.59576912161);
  return aroundHalf(share - <f32>0.5 + a * slope * (t * share * share), x);
}

export function geluBackward(x: Float32Array, dy: Float32Array): Float32Array {
  const out = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = dy[i] * geluSlope(x[i]);
  return out;
}

export function geluTanhBackward(x: Float32Array, dy: Float32Array): Float32Array {
  const out = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = dy[i] * geluTanhSlope(x[i]);
  return out;
}

export function reluBackward(x: Float32Array, dy: Float32Array): Float32Array {
  const out = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = x[i] > 0 ? dy[i] : 0;
  return out;
}

export function tanhBackward(y: Float32Array, dy: Float32Array): Float32Array {
  const out = new Float32Array(y.length);
  for (let i = 0; i < y.length; i++) out[i] = dy[i] * (<f32>1 - y[i] * y[i]);
  return out;
}
