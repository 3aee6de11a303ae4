// Per-column scale and shift of an output, the g and c of an adapted layer y = g ∘ (W x + …) + c.
import { storeTail } from "./tail";

// @ts-ignore: decorator
@inline
function scaledShifted(y: v128, scale: i32, shift: i32, at: i32): v128 {
  let value = y;
  if (scale != 0) value = f32x4.mul(value, v128.load(scale + at));
  if (shift != 0) value = f32x4.add(value, v128.load(shift + at));
  return value;
}

/**
 * y = scale ∘ y + shift in place.
 * @param y      f32 [rows][stride], the first `columns` of each row
 * @param scale  f32 [columns], or 0: none
 * @param shift  f32 [columns], or 0: none
 */
export function scaleShiftRows(y: i32, rows: i32, columns: i32, stride: i32, scale: i32, shift: i32): void {
  const whole = (columns & ~3) << 2;
  for (let row = 0; row < rows; row++) {
    let at = 0;
    for (; at < whole; at += 16) v128.store(y + at, scaledShifted(v128.load(y + at), scale, shift, at));
    if (columns & 3) storeTail(y + at, scaledShifted(v128.load(y + at), scale, shift, at), columns & 3);
    y += stride << 2;
  }
}
