// Scalar twins of train/layer-norm.ts. An empty residual means none.
import { rowSquares, rowSum } from "../row-sums";
import { rowDot } from "./row-dot";

/** [normal, inverse, out], one after the other. */
export function layerNormForward(
  x: Float32Array, residual: Float32Array, rows: i32, width: i32, gamma: Float32Array, beta: Float32Array, epsilon: f32,
): Float32Array {
  const all = new Float32Array(rows * width * 2 + rows);
  const outAt = rows * width + rows;
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    for (let j = start; j < start + width; j++) all[j] = residual.length > 0 ? x[j] + residual[j] : x[j];
    const mean = rowSum(all, start, width) / <f32>width;
    const variance = rowSquares(all, start, width, mean) / <f32>width;
    const inverse = variance < <f32>Infinity ? <f32>1 / sqrt<f32>(variance + epsilon) : <f32>NaN;
    all[rows * width + row] = inverse;
    for (let j = 0; j < width; j++) {
      all[start + j] = (all[start + j] - mean) * inverse;
      all[outAt + start + j] = all[start + j] * gamma[j] + beta[j];
    }
  }
  return all;
}

export function layerNormBackward(
  dy: Float32Array, normal: Float32Array, inverse: Float32Array, gamma: Float32Array, rows: i32, width: i32,
): Float32Array {
  const ds = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    for (let j = 0; j < width; j++) ds[start + j] = dy[start + j] * gamma[j];
    const mean = rowSum(ds, start, width) / <f32>width;
    const dot = rowDot(ds, start, normal, start, width) / <f32>width;
    for (let j = start; j < start + width; j++) ds[j] = inverse[row] * (ds[j] - mean - normal[j] * dot);
  }
  return ds;
}
