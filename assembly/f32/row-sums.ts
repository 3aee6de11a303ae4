// Sums along one row, the only reductions that run across the lanes of a vector.
//
// Element j goes to partial sum j mod 16: four vectors, because an add takes 4 cycles and a single chain would wait for each.
// They are joined as (p0..3 + p4..7) + (p8..11 + p12..15), then lanes (0 + 1) + (2 + 3). The order depends on the width alone.
// 16 short sums also lose less to rounding than one long one.

/** All bits set in the first `i` of 4 lanes, at 16·i, i = 0..4. */
const FIRST_LANES: i32 = <i32>memory.data<u32>([
  0, 0, 0, 0,
  0xffffffff, 0, 0, 0,
  0xffffffff, 0xffffffff, 0, 0,
  0xffffffff, 0xffffffff, 0xffffffff, 0,
  0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
]);

/** Zeroes all but the first `count` lanes; `count` at least 1. */
// @ts-ignore: decorator
@inline
export function firstLanes(value: v128, count: i32): v128 {
  return v128.and(value, v128.load(FIRST_LANES + (min(count, 4) << 4)));
}

// @ts-ignore: decorator
@inline
export function joinLanes(sum0: v128, sum1: v128, sum2: v128, sum3: v128): f32 {
  const sum = f32x4.add(f32x4.add(sum0, sum1), f32x4.add(sum2, sum3));
  return f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1)
    + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3));
}

/** Σ x over `width` floats. */
export function rowSum(x: i32, width: i32): f32 {
  let sum0 = i32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let left = width;
  for (; left >= 16; left -= 16, x += 64) {
    sum0 = f32x4.add(sum0, v128.load(x));
    sum1 = f32x4.add(sum1, v128.load(x, 16));
    sum2 = f32x4.add(sum2, v128.load(x, 32));
    sum3 = f32x4.add(sum3, v128.load(x, 48));
  }
  if (left > 0) sum0 = f32x4.add(sum0, firstLanes(v128.load(x), left));
  if (left > 4) sum1 = f32x4.add(sum1, firstLanes(v128.load(x, 16), left - 4));
  if (left > 8) sum2 = f32x4.add(sum2, firstLanes(v128.load(x, 32), left - 8));
  if (left > 12) sum3 = f32x4.add(sum3, firstLanes(v128.load(x, 48), left - 12));
  return joinLanes(sum0, sum1, sum2, sum3);
}

/** (x − center)² of 4 floats. */
// @ts-ignore: decorator
@inline
function squares(x: v128, center: v128): v128 {
  const difference = f32x4.sub(x, center);
  return f32x4.mul(difference, difference);
}

/** Σ (x − center)² over `width` floats. */
export function rowSquares(x: i32, width: i32, center: f32): f32 {
  const mean = f32x4.splat(center);
  let sum0 = i32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let left = width;
  for (; left >= 16; left -= 16, x += 64) {
    sum0 = f32x4.add(sum0, squares(v128.load(x), mean));
    sum1 = f32x4.add(sum1, squares(v128.load(x, 16), mean));
    sum2 = f32x4.add(sum2, squares(v128.load(x, 32), mean));
    sum3 = f32x4.add(sum3, squares(v128.load(x, 48), mean));
  }
  if (left > 0) sum0 = f32x4.add(sum0, firstLanes(squares(v128.load(x), mean), left));
  if (left > 4) sum1 = f32x4.add(sum1, firstLanes(squares(v128.load(x, 16), mean), left - 4));
  if (left > 8) sum2 = f32x4.add(sum2, firstLanes(squares(v128.load(x, 32), mean), left - 8));
  if (left > 12) sum3 = f32x4.add(sum3, firstLanes(squares(v128.load(x, 48), mean), left - 12));
  return joinLanes(sum0, sum1, sum2, sum3);
}
