// Scalar twin of the three int8 products (matmulRel1, matmulRel2, matmulFixed): plain row-major arrays, no packing, no offset.

/**
 * f32 [rows][columns]: f32(Σ a·w − za·Σw) · (sa·sw) + bias.
 *
 * With u = w + 64 this is the kernels' Σ a·u − 64·Σa − za·Σw: the same integer, written without the storage trick. i32
 * arithmetic wraps, so it stays the same integer even past 2^31.
 *
 * @param codes     i8 [rows][depth]
 * @param rowScales f32 [rows], @param rowZeros i32 [rows]
 * @param weights   i8 [columns][depth], −63..63
 * @param scales    f32 [columns], @param bias f32 [columns]
 */
export function matmulInt8(
  codes: Int8Array, rowScales: Float32Array, rowZeros: Int32Array, rows: i32, depth: i32,
  weights: Int8Array, scales: Float32Array, bias: Float32Array, columns: i32,
): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let products: i32 = 0;
      let weightSum: i32 = 0;
      for (let k = 0; k < depth; k++) {
        const weight = <i32>weights[column * depth + k];
        products += <i32>codes[row * depth + k] * weight;
        weightSum += weight;
      }
      const exact = products - rowZeros[row] * weightSum;
      out[row * columns + column] = <f32>exact * (rowScales[row] * scales[column]) + bias[column];
    }
  }
  return out;
}
