// Scalar twins of f32/dense.ts and f32/low-rank.ts: row-major matrices without padding.

/** x·W + bias, the sum taken from k = 0 up. `weights` is [depth][columns]; an empty bias means none. */
export function dense(
  x: Float32Array, rows: i32, depth: i32, weights: Float32Array, bias: Float32Array, columns: i32,
): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum: f32 = 0;
      for (let k = 0; k < depth; k++) sum += x[row * depth + k] * weights[k * columns + column];
      out[row * columns + column] = bias.length > 0 ? sum + bias[column] : sum;
    }
  }
  return out;
}

/** y + t·up, t [rows][rank], up [rank][columns], y [rows][columns]. */
export function addProduct(
  t: Float32Array, rows: i32, rank: i32, up: Float32Array, columns: i32, y: Float32Array,
): Float32Array {
  const product = dense(t, rows, rank, up, new Float32Array(0), columns);
  for (let i = 0; i < product.length; i++) product[i] = y[i] + product[i];
  return product;
}

/** y + (x·down)·up, down [depth][rank]. */
export function lowRankAdd(
  x: Float32Array, rows: i32, depth: i32, down: Float32Array, rank: i32, up: Float32Array, columns: i32, y: Float32Array,
): Float32Array {
  const t = dense(x, rows, depth, down, new Float32Array(0), rank);
  return addProduct(t, rows, rank, up, columns, y);
}
