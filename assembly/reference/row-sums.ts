// Scalar twins of f32/row-sums.ts: 16 partial sums, element j in number j mod 16, joined as the kernels join vectors and lanes.

/** Joins what the kernels hold in four vectors of four lanes. */
function join(partial: StaticArray<f32>): f32 {
  const lane = new StaticArray<f32>(4);
  for (let i = 0; i < 4; i++) lane[i] = partial[i] + partial[4 + i] + (partial[8 + i] + partial[12 + i]);
  return lane[0] + lane[1] + (lane[2] + lane[3]);
}

/** Σ x[start + j], j < width. */
export function rowSum(x: Float32Array, start: i32, width: i32): f32 {
  const partial = new StaticArray<f32>(16);
  for (let j = 0; j < width; j++) partial[j % 16] += x[start + j];
  return join(partial);
}

/** Σ (x[start + j] − center)², j < width. */
export function rowSquares(x: Float32Array, start: i32, width: i32, center: f32): f32 {
  const partial = new StaticArray<f32>(16);
  for (let j = 0; j < width; j++) {
    const difference = x[start + j] - center;
    partial[j % 16] += difference * difference;
  }
  return join(partial);
}
