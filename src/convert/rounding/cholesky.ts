/**
 * Cholesky factor of a symmetric positive definite matrix in its lower triangle, in place: L·Lᵀ = matrix. The upper
 * triangle is left as it was. Rows are contiguous, so a 1536×1536 matrix takes about a second.
 *
 * A pivot that rounding has made tiny or negative is raised to `smallest`: the input it stands for is then a
 * combination of earlier ones, and any value serves.
 *
 * @param matrix float64 [n][n]; only the lower triangle is read
 */
export function choleskyInPlace(matrix: Float64Array, n: number, smallest: number): void {
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j < i; j++) {
      matrix[row + j] = (matrix[row + j]! - dot(matrix, row, matrix, j * n, j)) / matrix[j * n + j]!;
    }
    matrix[row + i] = Math.sqrt(Math.max(matrix[row + i]! - dot(matrix, row, matrix, row, i), smallest));
  }
}

/** Solves L·Lᵀ·x = right for one right-hand side, in place. */
export function solveInPlace(factor: Float64Array, n: number, right: Float64Array): void {
  for (let i = 0; i < n; i++) right[i] = (right[i]! - dot(factor, i * n, right, 0, i)) / factor[i * n + i]!;
  for (let i = n - 1; i >= 0; i--) {
    const value = right[i]! / factor[i * n + i]!;
    right[i] = value;
    // Down the rows instead of along a column of L: contiguous memory.
    for (let j = 0; j < i; j++) right[j]! -= value * factor[i * n + j]!;
  }
}

/** Four running sums: one would wait for each addition. */
function dot(a: Float64Array, from: number, b: Float64Array, start: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const whole = length & ~3;
  for (let k = 0; k < whole; k += 4) {
    s0 += a[from + k]! * b[start + k]!;
    s1 += a[from + k + 1]! * b[start + k + 1]!;
    s2 += a[from + k + 2]! * b[start + k + 2]!;
    s3 += a[from + k + 3]! * b[start + k + 3]!;
  }
  for (let k = whole; k < length; k++) s0 += a[from + k]! * b[start + k]!;
  return s0 + s1 + (s2 + s3);
}
