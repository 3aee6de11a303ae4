// Operands of `product` in the order that it reads them. A matrix in rows lies a whole width apart from step to step; packed,
// a product runs along one stream (45 against 35 GFLOPS for weights in rows).
import { interleaveRows } from "../f32/transpose";

/**
 * Rows of x as the columns of b: out[panel][k][8] = x[8·panel + i][k]. Makes y = x·Wᵀ of a weight [columns][depth].
 * @param x   f32 [rows][stride], the first `depth` of each row
 * @param out f32 [⌈rows/8⌉][depth][8]; places past the last row repeat it
 */
export function packRowPanels(x: i32, rows: i32, depth: i32, stride: i32, out: i32): void {
  const bytes = stride << 2;
  const last = rows - 1;
  for (let row = 0; row < rows; row += 8) {
    for (let half = 0; half < 8; half += 4) {
      const from = row + half;
      interleaveRows(
        x + min(from, last) * bytes, x + min(from + 1, last) * bytes, x + min(from + 2, last) * bytes,
        x + min(from + 3, last) * bytes, depth, 1, out + (half << 2), 32,
      );
    }
    out += depth << 5;
  }
}

/**
 * Columns of x as the columns of b: out[panel][r][8] = x[r][8·panel + i]. Makes dX = dY·W of a weight [columns][depth], and the
 * X of dW = dYᵀ·X.
 * @param x   f32 [rows][stride], the first `columns` of each row
 * @param out f32 [⌈columns/8⌉][rows][8]; places past the last column hold 0 or what follows it
 */
export function packColumnPanels(x: i32, rows: i32, columns: i32, stride: i32, out: i32): void {
  const bytes = stride << 2;
  for (let column = 0; column < columns; column += 8) {
    let from = x + (column << 2);
    if (columns - column > 4) {
      for (let row = 0; row < rows; row++, from += bytes, out += 32) {
        v128.store(out, v128.load(from));
        v128.store(out, v128.load(from, 16), 16);
      }
    } else {
      for (let row = 0; row < rows; row++, from += bytes, out += 32) {
        v128.store(out, v128.load(from));
        v128.store(out, i32x4.splat(0), 16);
      }
    }
  }
}

/**
 * Columns of x as the rows of a: out[c][r] = x[r][c]. Makes the dYᵀ of dW = dYᵀ·X, which read in place would take a cache line
 * for 6 floats.
 * @param x   f32 [rows][stride], the first `columns` of each row
 * @param out f32 [columns][rows rounded up to 4]; places past the last row repeat it
 */
export function transposeRows(x: i32, rows: i32, columns: i32, stride: i32, out: i32): void {
  const bytes = stride << 2;
  const last = rows - 1;
  const step = ((rows + 3) & ~3) << 2;
  for (let row = 0; row < rows; row += 4) {
    interleaveRows(
      x + row * bytes, x + min(row + 1, last) * bytes, x + min(row + 2, last) * bytes, x + min(row + 3, last) * bytes,
      columns, 1, out + (row << 2), step,
    );
  }
}
