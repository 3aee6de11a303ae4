// From token rows to one sentence vector.
import { rowSquares } from "./row-sums";
import { storeTail } from "./tail";

// @ts-ignore: decorator
@inline
function addTo(sum: i32, row: i32, width: i32): void {
  const whole = (width & ~3) << 2;
  let at = 0;
  for (; at < whole; at += 16) v128.store(sum + at, f32x4.add(v128.load(sum + at), v128.load(row + at)));
  if (width & 3) storeTail(sum + at, f32x4.add(v128.load(sum + at), v128.load(row + at)), width & 3);
}

/** x = x / divisor over `width` floats, in place. */
function divideRow(x: i32, width: i32, divisor: f32): void {
  const by = f32x4.splat(divisor);
  const whole = (width & ~3) << 2;
  let at = 0;
  for (; at < whole; at += 16) v128.store(x + at, f32x4.div(v128.load(x + at), by));
  if (width & 3) storeTail(x + at, f32x4.div(v128.load(x + at), by), width & 3);
}

/**
 * out = mean of the rows whose mask byte is not 0, summed in row order; zeros when there is none.
 * @param x       f32 [rows][stride], the first `width` of each row
 * @param keyMask u8 [rows], or 0: every row counts
 * @param out     f32 [width]
 */
export function meanRows(x: i32, rows: i32, width: i32, stride: i32, keyMask: i32, out: i32): void {
  memory.fill(out, 0, width << 2);
  let counted = 0;
  for (let row = 0; row < rows; row++) {
    if (keyMask != 0 && load<u8>(keyMask + row) == 0) continue;
    addTo(out, x + ((row * stride) << 2), width);
    counted++;
  }
  if (counted > 0) divideRow(out, width, <f32>counted);
}

/** x = x / ‖x‖ in place over `width` floats. A zero vector stays zero; one whose squares overflow is NaN, since x/Inf would be zeros. */
export function l2Normalize(x: i32, width: i32): void {
  const norm = sqrt<f32>(rowSquares(x, width, 0));
  if (norm != 0) divideRow(x, width, norm <= f32.MAX_VALUE ? norm : f32.NaN);
}
