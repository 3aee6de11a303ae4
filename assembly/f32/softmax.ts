// Softmax over the columns of each row: a head's logits to scores. (Attention has its own, fused with its products.)
import { exp } from "./exp";
import { rowSum } from "./row-sums";
import { storeTail } from "./tail";

/** The largest of `columns` floats, NaN ignored; at least −3.4e38, so that a row of −Inf has a finite one. */
function rowMaximum(x: i32, columns: i32): f32 {
  let largest: f32 = -f32.MAX_VALUE;
  for (let column = 0; column < columns; column++) {
    const value = load<f32>(x + (column << 2));
    largest = largest < value ? value : largest;
  }
  return largest;
}

/**
 * x = e^(x − max) / Σ e^(x − max) in place, for each row. Differences below −86 count as −86 (4.5e-38).
 *
 * @param x       f32 [rows][stride]
 * @param columns how many of a row take part
 * @param stride  floats between two rows
 */
export function softmaxRows(x: i32, rows: i32, columns: i32, stride: i32): void {
  const whole = (columns & ~3) << 2;
  const left = columns & 3;
  for (let row = 0; row < rows; row++) {
    const largest = f32x4.splat(rowMaximum(x, columns));
    let at = 0;
    for (; at < whole; at += 16) v128.store(x + at, exp(f32x4.sub(v128.load(x + at), largest)));
    if (left) storeTail(x + at, exp(f32x4.sub(v128.load(x + at), largest)), left);
    const sum = f32x4.splat(rowSum(x, columns));
    for (at = 0; at < whole; at += 16) v128.store(x + at, f32x4.div(v128.load(x + at), sum));
    if (left) storeTail(x + at, f32x4.div(v128.load(x + at), sum), left);
    x += stride << 2;
  }
}
