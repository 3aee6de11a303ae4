// Layer normalisation, with the residual addition that precedes it in every BERT layer.
import { rowSquares, rowSum } from "./row-sums";
import { storeTail } from "./tail";

/** out = x + residual over `width` floats; a plain copy when `residual` is 0. */
function addRow(x: i32, residual: i32, width: i32, out: i32): void {
  const whole = (width & ~3) << 2;
  let at = 0;
  if (residual == 0) {
    for (; at < whole; at += 16) v128.store(out + at, v128.load(x + at));
    if (width & 3) storeTail(out + at, v128.load(x + at), width & 3);
    return;
  }
  for (; at < whole; at += 16) v128.store(out + at, f32x4.add(v128.load(x + at), v128.load(residual + at)));
  if (width & 3) storeTail(out + at, f32x4.add(v128.load(x + at), v128.load(residual + at)), width & 3);
}

// @ts-ignore: decorator
@inline
function normalized(x: v128, mean: v128, inverse: v128, gamma: v128, beta: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.mul(f32x4.sub(x, mean), inverse), gamma), beta);
}

/** 1/sqrt(variance + epsilon); NaN where squares overflowed, since 1/sqrt(Inf) = 0 would make a finite row of them that says nothing. */
// @ts-ignore: decorator
@inline
export function inverseDeviation(variance: f32, epsilon: f32): f32 {
  return variance <= f32.MAX_VALUE ? <f32>1 / sqrt<f32>(variance + epsilon) : f32.NaN;
}

/**
 * out = gamma ∘ (s − mean(s)) / sqrt(var(s) + epsilon) + beta with s = x + residual, for each row. The variance is that of the
 * whole row (divided by width) and is taken around the mean in a pass of its own: E[s²] − mean² would cancel. A row whose variance is
 * beyond float32 (values of some 1e19) is NaN.
 *
 * @param x         f32 [rows][width]
 * @param residual  f32 [rows][width] or 0
 * @param gamma     f32 [width], @param beta f32 [width]
 * @param out       f32 [rows][width]; may be `x` or `residual`
 * Ba, Kiros & Hinton, arXiv 1607.06450.
 */
export function layerNorm(
  x: i32, residual: i32, rows: i32, width: i32, gamma: i32, beta: i32, epsilon: f32, out: i32,
): void {
  const bytes = width << 2;
  const whole = bytes & ~15;
  for (let row = 0; row < rows; row++) {
    addRow(x, residual, width, out);
    const mean = rowSum(out, width) / <f32>width;
    const variance = rowSquares(out, width, mean) / <f32>width;
    const center = f32x4.splat(mean);
    const inverse = f32x4.splat(inverseDeviation(variance, epsilon));
    let at = 0;
    for (; at < whole; at += 16) {
      v128.store(out + at, normalized(v128.load(out + at), center, inverse, v128.load(gamma + at), v128.load(beta + at)));
    }
    if (width & 3) {
      const last = normalized(v128.load(out + at), center, inverse, v128.load(gamma + at), v128.load(beta + at));
      storeTail(out + at, last, width & 3);
    }
    x += bytes;
    if (residual != 0) residual += bytes;
    out += bytes;
  }
}
