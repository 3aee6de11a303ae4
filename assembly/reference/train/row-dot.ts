// Scalar twin of train/row-dot.ts: 16 partial sums, joined as vectors and lanes are.

/** Σ x[xStart + j]·y[yStart + j], j < width. */
export function rowDot(x: Float32Array, xStart: i32, y: Float32Array, yStart: i32, width: i32): f32 {
  const partial = new StaticArray<f32>(16);
  for (let j = 0; j < width; j++) partial[j % 16] += x[xStart + j] * y[yStart + j];
  const lane = new StaticArray<f32>(4);
  for (let i = 0; i < 4; i++) lane[i] = partial[i] + partial[4 + i] + (partial[8 + i] + partial[12 + i]);
  return lane[0] + lane[1] + (lane[2] + lane[3]);
}
