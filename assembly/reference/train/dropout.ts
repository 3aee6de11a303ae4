// Scalar twin of train/dropout.ts.

function mixed(x: u32): u32 {
  x = (x ^ (x >> 16)) * 0x7feb352d;
  x = (x ^ (x >> 15)) * 0x846ca68b;
  return x ^ (x >> 16);
}

/** Element `index` after dropout; a threshold of 0 drops nothing. */
export function droppedValue(x: f32, index: i32, threshold: i32, scale: f32, key0: i32, key1: i32): f32 {
  const bits = mixed(mixed(<u32>index + <u32>key0) + <u32>key1);
  return bits >= <u32>threshold ? x * scale : 0;
}

export function dropout(x: Float32Array, threshold: i32, scale: f32, key0: i32, key1: i32): Float32Array {
  const out = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = droppedValue(x[i], i, threshold, scale, key0, key1);
  return out;
}
