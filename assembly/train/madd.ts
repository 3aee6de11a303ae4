// The one step of every product. Training may fuse it: where relaxed SIMD has it, one instruction instead of two, 47 against 34
// GFLOPS at best (docs/training.md). Whether it is fused decides the last bit only. An engine need not fuse, and does not on x86 without
// FMA3: src/train/fused.ts tells which it is.

/** x·y + sum of 4 floats. */
// @ts-ignore: decorator
@inline
export function madd(x: v128, y: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, y, sum);
  return f32x4.add(f32x4.mul(x, y), sum);
}
