// Rows whose width is no multiple of 4 end in a vector of 1 to 3 floats. Kernels may load the whole vector (the ABI allows
// reading 16 bytes past a row) but never store it: what follows belongs to somebody else.

/** Stores the first `count` (1 to 3) floats of `value`. */
// @ts-ignore: decorator
@inline
export function storeTail(to: i32, value: v128, count: i32): void {
  v128.store_lane<f32>(to, value, 0);
  if (count > 1) v128.store_lane<f32>(to, value, 1, 4);
  if (count > 2) v128.store_lane<f32>(to, value, 2, 8);
}
