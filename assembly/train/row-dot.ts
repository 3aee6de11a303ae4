// Σ x·y along one row, in the order of f32/row-sums.ts: element j goes to partial sum j mod 16.
import { firstLanes, joinLanes } from "../f32/row-sums";

/** Σ x·y over `width` floats. */
export function rowDot(x: i32, y: i32, width: i32): f32 {
  let sum0 = i32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let left = width;
  for (; left >= 16; left -= 16, x += 64, y += 64) {
    sum0 = f32x4.add(sum0, f32x4.mul(v128.load(x), v128.load(y)));
    sum1 = f32x4.add(sum1, f32x4.mul(v128.load(x, 16), v128.load(y, 16)));
    sum2 = f32x4.add(sum2, f32x4.mul(v128.load(x, 32), v128.load(y, 32)));
    sum3 = f32x4.add(sum3, f32x4.mul(v128.load(x, 48), v128.load(y, 48)));
  }
  if (left > 0) sum0 = f32x4.add(sum0, firstLanes(f32x4.mul(v128.load(x), v128.load(y)), left));
  if (left > 4) sum1 = f32x4.add(sum1, firstLanes(f32x4.mul(v128.load(x, 16), v128.load(y, 16)), left - 4));
  if (left > 8) sum2 = f32x4.add(sum2, firstLanes(f32x4.mul(v128.load(x, 32), v128.load(y, 32)), left - 8));
  if (left > 12) sum3 = f32x4.add(sum3, firstLanes(f32x4.mul(v128.load(x, 48), v128.load(y, 48)), left - 12));
  return joinLanes(sum0, sum1, sum2, sum3);
}
