// Scalar twin of f32/softmax.ts, rows without gaps.
import { exp } from "./exp";
import { rowSum } from "./row-sums";

export function softmaxRows(x: Float32Array, rows: i32, columns: i32): Float32Array {
  const y = new Float32Array(rows * columns);
  for (let start = 0; start < rows * columns; start += columns) {
    let largest: f32 = -f32.MAX_VALUE;
    for (let j = start; j < start + columns; j++) largest = largest < x[j] ? x[j] : largest;
    for (let j = start; j < start + columns; j++) y[j] = exp(x[j] - largest);
    const sum = rowSum(y, start, columns);
    for (let j = start; j < start + columns; j++) y[j] /= sum;
  }
  return y;
}
