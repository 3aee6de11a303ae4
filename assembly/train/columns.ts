// Sums down the columns of a matrix: gradients of biases, of LayerNorm's weights and of a slot's vectors. Each is one chain over
// the rows, in their order, added to what is there.
import { storeTail } from "../f32/tail";

// @ts-ignore: decorator
@inline
function columnTerm(x: i32, y: i32): v128 {
  return y != 0 ? f32x4.mul(v128.load(x), v128.load(y)) : v128.load(x);
}

/** 4 columns down all rows, added to `sums`. `y` 0: of x alone. */
// @ts-ignore: decorator
@inline
function sumColumns4(x: i32, y: i32, rows: i32, bytes: i32, sums: i32, count: i32): void {
  let sum = i32x4.splat(0);
  for (let row = 0; row < rows; row++) {
    sum = f32x4.add(sum, columnTerm(x, y));
    x += bytes;
    if (y != 0) y += bytes;
  }
  const total = f32x4.add(v128.load(sums), sum);
  if (count >= 4) v128.store(sums, total);
  else storeTail(sums, total, count);
}

/** 16 columns: a cache line a row. */
// @ts-ignore: decorator
@inline
function sumColumns16(x: i32, y: i32, rows: i32, bytes: i32, sums: i32): void {
  let sum0 = i32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  for (let row = 0; row < rows; row++) {
    sum0 = f32x4.add(sum0, columnTerm(x, y));
    sum1 = f32x4.add(sum1, columnTerm(x + 16, y != 0 ? y + 16 : 0));
    sum2 = f32x4.add(sum2, columnTerm(x + 32, y != 0 ? y + 32 : 0));
    sum3 = f32x4.add(sum3, columnTerm(x + 48, y != 0 ? y + 48 : 0));
    x += bytes;
    if (y != 0) y += bytes;
  }
  v128.store(sums, f32x4.add(v128.load(sums), sum0));
  v128.store(sums, f32x4.add(v128.load(sums, 16), sum1), 16);
  v128.store(sums, f32x4.add(v128.load(sums, 32), sum2), 32);
  v128.store(sums, f32x4.add(v128.load(sums, 48), sum3), 48);
}

/** sums[c] += Σ_r x[r][c]: the gradient of a bias. x f32 [rows][columns], sums f32 [columns]. */
export function columnSums(x: i32, rows: i32, columns: i32, sums: i32): void {
  let column = 0;
  for (; column + 16 <= columns; column += 16) sumColumns16(x + (column << 2), 0, rows, columns << 2, sums + (column << 2));
  for (; column < columns; column += 4) sumColumns4(x + (column << 2), 0, rows, columns << 2, sums + (column << 2), columns - column);
}

/** sums[c] += Σ_r x[r][c]·y[r][c]: the gradient of a vector that scales columns. x, y f32 [rows][columns], sums f32 [columns]. */
export function columnDots(x: i32, y: i32, rows: i32, columns: i32, sums: i32): void {
  let column = 0;
  for (; column + 16 <= columns; column += 16) {
    const at = column << 2;
    sumColumns16(x + at, y + at, rows, columns << 2, sums + at);
  }
  for (; column < columns; column += 4) {
    const at = column << 2;
    sumColumns4(x + at, y + at, rows, columns << 2, sums + at, columns - column);
  }
}
