// Seeded dropout from a counter: whether element i stays is a function of two keys and i alone, so that the backward step makes
// the same choice again instead of keeping it, and every engine, order and number of workers makes the same.
//
// Srivastava et al., JMLR 15 (2014). The bits are two rounds of a 32-bit mixer with low bias (the constants 0x7feb352d and
// 0x846ca68b of Wellons' search, 2018), a key before each.
import { storeTail } from "../f32/tail";

// @ts-ignore: decorator
@inline
function mixed(x: v128): v128 {
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), i32x4.splat(0x7feb352d));
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 15)), i32x4.splat(0x846ca68b));
  return v128.xor(x, i32x4.shr_u(x, 16));
}

/** 4 floats, the first one element `index`: those that stay times `scale`, the others 0. */
// @ts-ignore: decorator
@inline
export function dropped(x: v128, index: i32, threshold: v128, scale: v128, key0: v128, key1: v128): v128 {
  const counter = i32x4.add(i32x4.splat(index), i32x4(0, 1, 2, 3));
  const bits = mixed(i32x4.add(mixed(i32x4.add(counter, key0)), key1));
  return v128.and(f32x4.mul(x, scale), i32x4.ge_u(bits, threshold));
}

/**
 * x[i] = x[i]·scale where the bits of element i are at least `threshold` (unsigned), else 0. In place; for outputs and
 * their gradients alike.
 * @param x         f32 [count]
 * @param threshold rate·2^32
 * @param scale     1/(1 − rate)
 */
export function dropout(x: i32, count: i32, threshold: i32, scale: f32, key0: i32, key1: i32): void {
  const least = i32x4.splat(threshold);
  const by = f32x4.splat(scale);
  const first = i32x4.splat(key0);
  const second = i32x4.splat(key1);
  let i = 0;
  for (; i + 4 <= count; i += 4) v128.store(x + (i << 2), dropped(v128.load(x + (i << 2)), i, least, by, first, second));
  if (i < count) storeTail(x + (i << 2), dropped(v128.load(x + (i << 2)), i, least, by, first, second), count - i);
}
