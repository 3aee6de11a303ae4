// LayerNorm with what its backward step needs, and that step. Ba, Kiros & Hinton, arXiv 1607.06450.
//
//   n = (s − mean(s))·i,  i = 1/sqrt(var(s) + epsilon),  y = gamma ∘ n + beta,  s = x + residual
//   e = gamma ∘ dy;  ds = i·((e − mean(e)) − n·mean(e ∘ n));  dgamma = Σ dy ∘ n (columnDots);  dbeta = Σ dy (columnSums)
import { inverseDeviation } from "../f32/layer-norm";
import { rowSquares, rowSum } from "../f32/row-sums";
import { storeTail } from "../f32/tail";
import { rowDot } from "./row-dot";

// @ts-ignore: decorator
@inline
function residualSum(x: i32, residual: i32): v128 {
  return residual != 0 ? f32x4.add(v128.load(x), v128.load(residual)) : v128.load(x);
}

// @ts-ignore: decorator
@inline
function scaled(normal: v128, gamma: i32, beta: i32): v128 {
  return f32x4.add(f32x4.mul(normal, v128.load(gamma)), v128.load(beta));
}

/**
 * The served `layerNorm` bit for bit, with n and i kept.
 * @param x       f32 [rows][width], @param residual f32 [rows][width], or 0: none
 * @param normal  f32 [rows][width]: n
 * @param inverse f32 [rows]: i
 * @param out     f32 [rows][width]; may be `x` or `residual`
 */
export function layerNormForward(
  x: i32, residual: i32, rows: i32, width: i32, gamma: i32, beta: i32, epsilon: f32, normal: i32, inverse: i32, out: i32,
): void {
  const bytes = width << 2;
  const whole = bytes & ~15;
  const left = width & 3;
  for (let row = 0; row < rows; row++) {
    let at = 0;
    for (; at < whole; at += 16) v128.store(normal + at, residualSum(x + at, residual != 0 ? residual + at : 0));
    if (left) storeTail(normal + at, residualSum(x + at, residual != 0 ? residual + at : 0), left);
    const mean = rowSum(normal, width) / <f32>width;
    const deviation = inverseDeviation(rowSquares(normal, width, mean) / <f32>width, epsilon);
    store<f32>(inverse + (row << 2), deviation);
    const center = f32x4.splat(mean);
    const by = f32x4.splat(deviation);
    for (at = 0; at < whole; at += 16) {
      const value = f32x4.mul(f32x4.sub(v128.load(normal + at), center), by);
      v128.store(normal + at, value);
      v128.store(out + at, scaled(value, gamma + at, beta + at));
    }
    if (left) {
      const value = f32x4.mul(f32x4.sub(v128.load(normal + at), center), by);
      storeTail(normal + at, value, left);
      storeTail(out + at, scaled(value, gamma + at, beta + at), left);
    }
    x += bytes;
    if (residual != 0) residual += bytes;
    normal += bytes;
    out += bytes;
  }
}

// @ts-ignore: decorator
@inline
function towards(e: v128, normal: i32, meanE: v128, meanDot: v128, inverse: v128): v128 {
  return f32x4.mul(inverse, f32x4.sub(f32x4.sub(e, meanE), f32x4.mul(v128.load(normal), meanDot)));
}

/**
 * ds of a LayerNorm's output gradient dy.
 * @param dy f32 [rows][width], @param normal f32 [rows][width], @param inverse f32 [rows], @param gamma f32 [width]
 * @param ds f32 [rows][width]: the gradient of x and of the residual alike; may be `dy`
 */
export function layerNormBackward(dy: i32, normal: i32, inverse: i32, gamma: i32, rows: i32, width: i32, ds: i32): void {
  const bytes = width << 2;
  const whole = bytes & ~15;
  const left = width & 3;
  for (let row = 0; row < rows; row++) {
    let at = 0;
    for (; at < whole; at += 16) v128.store(ds + at, f32x4.mul(v128.load(dy + at), v128.load(gamma + at)));
    if (left) storeTail(ds + at, f32x4.mul(v128.load(dy + at), v128.load(gamma + at)), left);
    const meanE = f32x4.splat(rowSum(ds, width) / <f32>width);
    const meanDot = f32x4.splat(rowDot(ds, normal, width) / <f32>width);
    const by = v128.load_splat<f32>(inverse + (row << 2));
    for (at = 0; at < whole; at += 16) v128.store(ds + at, towards(v128.load(ds + at), normal + at, meanE, meanDot, by));
    if (left) storeTail(ds + at, towards(v128.load(ds + at), normal + at, meanE, meanDot, by), left);
    dy += bytes;
    normal += bytes;
    ds += bytes;
  }
}
