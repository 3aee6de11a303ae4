// Scalar twin of f32/layer-norm.ts. An empty residual means none.
import { rowSquares, rowSum } from "./row-sums";

export function layerNorm(
  x: Float32Array, residual: Float32Array, rows: i32, width: i32, gamma: Float32Array, beta: Float32Array, epsilon: f32,
): Float32Array {
  const out = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    for (let j = start; j < start + width; j++) out[j] = residual.length > 0 ? x[j] + residual[j] : x[j];
    const mean = rowSum(out, start, width) / <f32>width;
    const variance = rowSquares(out, start, width, mean) / <f32>width;
    const inverse = variance < <f32>Infinity ? <f32>1 / sqrt<f32>(variance + epsilon) : <f32>NaN;
    for (let j = 0; j < width; j++) out[start + j] = (out[start + j] - mean) * inverse * gamma[j] + beta[j];
  }
  return out;
}
