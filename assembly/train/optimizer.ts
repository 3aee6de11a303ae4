// What happens to gradients: their inner products (norms for clipping, cosines for the conflict probe), and the AdamW step.
import { storeTail } from "../f32/tail";

/** Σ x·y over `count` floats, in float64: a norm over 22 million gradients would lose digits in f32. */
export function innerProduct(x: i32, y: i32, count: i32): f64 {
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  const whole = x + ((count & ~3) << 2);
  for (; x < whole; x += 16, y += 16) {
    sum0 = f64x2.add(sum0, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(x)), f64x2.promote_low_f32x4(v128.load64_zero(y))));
    sum1 = f64x2.add(sum1, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(x, 8)), f64x2.promote_low_f32x4(v128.load64_zero(y, 8))));
  }
  const sum = f64x2.add(sum0, sum1);
  let total = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  for (let i = count & 3; i > 0; i--, x += 4, y += 4) total += <f64>load<f32>(x) * <f64>load<f32>(y);
  return total;
}

/**
 * One AdamW step in place (Loshchilov & Hutter, arXiv 1711.05101), in PyTorch's order of operations:
 *
 *     g = gradient·gradientScale;  p = p·(1 − lr·decay);  m = m + (1 − beta1)·(g − m);  v = beta2·v + (1 − beta2)·g²
 *     p = p − stepSize·m/(sqrt(v)·rootCorrection + epsilon)
 *
 * @param value          f32 [count], @param gradient f32 [count] (only read)
 * @param momentum       f32 [count], @param variance f32 [count]
 * @param keep           1 − lr·decay
 * @param oneLessBeta1   1 − beta1, @param beta2, @param oneLessBeta2 1 − beta2
 * @param stepSize       lr/(1 − beta1^t), @param rootCorrection 1/sqrt(1 − beta2^t)
 * @param gradientScale  clipping's factor
 */
export function adamW(
  value: i32, gradient: i32, momentum: i32, variance: i32, count: i32, keep: f32, oneLessBeta1: f32, beta2: f32,
  oneLessBeta2: f32, stepSize: f32, rootCorrection: f32, epsilon: f32, gradientScale: f32,
): void {
  const scale = f32x4.splat(gradientScale);
  const kept = f32x4.splat(keep);
  const fresh = f32x4.splat(oneLessBeta1);
  const old = f32x4.splat(beta2);
  const square = f32x4.splat(oneLessBeta2);
  const size = f32x4.splat(stepSize);
  const root = f32x4.splat(rootCorrection);
  const least = f32x4.splat(epsilon);
  for (let left = count; left > 0; left -= 4) {
    const g = f32x4.mul(v128.load(gradient), scale);
    const m0 = v128.load(momentum);
    const m = f32x4.add(m0, f32x4.mul(f32x4.sub(g, m0), fresh));
    const v = f32x4.add(f32x4.mul(v128.load(variance), old), f32x4.mul(f32x4.mul(g, g), square));
    const step = f32x4.div(m, f32x4.add(f32x4.mul(f32x4.sqrt(v), root), least));
    const p = f32x4.sub(f32x4.mul(v128.load(value), kept), f32x4.mul(step, size));
    if (left >= 4) {
      v128.store(value, p);
      v128.store(momentum, m);
      v128.store(variance, v);
    } else {
      storeTail(value, p, left);
      storeTail(momentum, m, left);
      storeTail(variance, v, left);
    }
    value += 16;
    gradient += 16;
    momentum += 16;
    variance += 16;
  }
}
