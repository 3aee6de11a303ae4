// Scalar twins of train/optimizer.ts.

/** Four partial sums, element j in number j mod 4, the last count mod 4 elements after they are joined. */
export function innerProduct(x: Float32Array, y: Float32Array): f64 {
  const partial = new StaticArray<f64>(4);
  const whole = x.length & ~3;
  for (let i = 0; i < whole; i++) partial[i & 3] += <f64>x[i] * <f64>y[i];
  let total = partial[0] + partial[2] + (partial[1] + partial[3]);
  for (let i = whole; i < x.length; i++) total += <f64>x[i] * <f64>y[i];
  return total;
}

/** [value, momentum, variance], one after the other. */
export function adamW(
  value: Float32Array, gradient: Float32Array, momentum: Float32Array, variance: Float32Array, keep: f32, oneLessBeta1: f32,
  beta2: f32, oneLessBeta2: f32, stepSize: f32, rootCorrection: f32, epsilon: f32, gradientScale: f32,
): Float32Array {
  const count = value.length;
  const all = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    const g = gradient[i] * gradientScale;
    const m = momentum[i] + (g - momentum[i]) * oneLessBeta1;
    const v = variance[i] * beta2 + g * g * oneLessBeta2;
    all[i] = value[i] * keep - m / (sqrt<f32>(v) * rootCorrection + epsilon) * stepSize;
    all[count + i] = m;
    all[2 * count + i] = v;
  }
  return all;
}
