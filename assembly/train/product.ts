// out (+)= a·b (+ bias): the one product that forward, dX and dW of a linear layer, low-rank terms and attention come down to.
//
// Each operand says how it lies. Element (r, k) of `a` is at a + r·aRow + k·aStep: rows as they are (aStep 4), their transpose
// (aRow 4), or tiles of 6 (`packTiles`). 8 neighbouring columns of b stand together: b + (c >> 3)·bPanel + k·bStep, packed in
// panels (`packRowPanels`, `packColumnPanels`: bStep 32) or in rows as they are (bPanel 32).
//
// Tiles of 6 rows x 8 columns where multiply and add are fused: 12 sums, 2 vectors of b and a splat fill the registers of x86. A
// product that is not fused needs one more, and V8 keeps one for itself, so there tiles are 4 x 8 (6 x 8 spilled: 33 against
// 52 GFLOPS on Node 20). With fused steps a rest of up to 4 rows, and 8 rows, go 4 x 8. Rows that a tile has too many repeat its
// last one and are not stored. A panel of b stays in L1 for all rows.
// Each sum is one chain, k rising from 0, whatever its tile.
import { finish } from "../f32/dense";
import { storeTail } from "../f32/tail";
import { madd } from "./madd";

// @ts-ignore: decorator
@inline
function finishRow(out: i32, sum0: v128, sum1: v128, bias: i32, columns: i32, accumulate: bool): void {
  finish(out, sum0, bias, columns, accumulate);
  finish(out + 16, sum1, bias != 0 ? bias + 16 : 0, columns - 4, accumulate);
}

/** `rows` (1 to 6) x `columns` (1 to 8) of the output. */
function tile6(
  a: i32, rows: i32, aRow: i32, aStep: i32, depth: i32, b: i32, bStep: i32, columns: i32,
  bias: i32, out: i32, outBytes: i32, accumulate: bool,
): void {
  const last = rows - 1;
  let a0 = a;
  let a1 = a + min(1, last) * aRow;
  let a2 = a + min(2, last) * aRow;
  let a3 = a + min(3, last) * aRow;
  let a4 = a + min(4, last) * aRow;
  let a5 = a + min(5, last) * aRow;
  let s00 = i32x4.splat(0);
  let s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00, s40 = s00, s41 = s00, s50 = s00, s51 = s00;
  for (let k = depth; k > 0; k--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const x0 = v128.load_splat<f32>(a0);
    s00 = madd(x0, b0, s00);
    s01 = madd(x0, b1, s01);
    const x1 = v128.load_splat<f32>(a1);
    s10 = madd(x1, b0, s10);
    s11 = madd(x1, b1, s11);
    const x2 = v128.load_splat<f32>(a2);
    s20 = madd(x2, b0, s20);
    s21 = madd(x2, b1, s21);
    const x3 = v128.load_splat<f32>(a3);
    s30 = madd(x3, b0, s30);
    s31 = madd(x3, b1, s31);
    const x4 = v128.load_splat<f32>(a4);
    s40 = madd(x4, b0, s40);
    s41 = madd(x4, b1, s41);
    const x5 = v128.load_splat<f32>(a5);
    s50 = madd(x5, b0, s50);
    s51 = madd(x5, b1, s51);
    a0 += aStep;
    a1 += aStep;
    a2 += aStep;
    a3 += aStep;
    a4 += aStep;
    a5 += aStep;
    b += bStep;
  }
  finishRow(out, s00, s01, bias, columns, accumulate);
  if (rows > 1) finishRow(out + outBytes, s10, s11, bias, columns, accumulate);
  if (rows > 2) finishRow(out + 2 * outBytes, s20, s21, bias, columns, accumulate);
  if (rows > 3) finishRow(out + 3 * outBytes, s30, s31, bias, columns, accumulate);
  if (rows > 4) finishRow(out + 4 * outBytes, s40, s41, bias, columns, accumulate);
  if (rows > 5) finishRow(out + 5 * outBytes, s50, s51, bias, columns, accumulate);
}

/** `rows` (1 to 4) x `columns` (1 to 8) of the output. */
function tile4(
  a: i32, rows: i32, aRow: i32, aStep: i32, depth: i32, b: i32, bStep: i32, columns: i32,
  bias: i32, out: i32, outBytes: i32, accumulate: bool,
): void {
  const last = rows - 1;
  let a0 = a;
  let a1 = a + min(1, last) * aRow;
  let a2 = a + min(2, last) * aRow;
  let a3 = a + min(3, last) * aRow;
  let s00 = i32x4.splat(0);
  let s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  for (let k = depth; k > 0; k--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const x0 = v128.load_splat<f32>(a0);
    s00 = madd(x0, b0, s00);
    s01 = madd(x0, b1, s01);
    const x1 = v128.load_splat<f32>(a1);
    s10 = madd(x1, b0, s10);
    s11 = madd(x1, b1, s11);
    const x2 = v128.load_splat<f32>(a2);
    s20 = madd(x2, b0, s20);
    s21 = madd(x2, b1, s21);
    const x3 = v128.load_splat<f32>(a3);
    s30 = madd(x3, b0, s30);
    s31 = madd(x3, b1, s31);
    a0 += aStep;
    a1 += aStep;
    a2 += aStep;
    a3 += aStep;
    b += bStep;
  }
  finishRow(out, s00, s01, bias, columns, accumulate);
  if (rows > 1) finishRow(out + outBytes, s10, s11, bias, columns, accumulate);
  if (rows > 2) finishRow(out + 2 * outBytes, s20, s21, bias, columns, accumulate);
  if (rows > 3) finishRow(out + 3 * outBytes, s30, s31, bias, columns, accumulate);
}

/**
 * out[r][c] = Σ_k a(r, k)·b(k, c) + bias[c], or the sum added to what is there.
 * @param a          f32; `aRow`, `aStep`: bytes from row to row and from step to step
 * @param b          f32; `bPanel`, `bStep`: bytes from 8 columns to the next 8 and from step to step. Whole vectors are read:
 *                   up to 28 bytes past the last column
 * @param bias       f32 [columns], read in whole vectors, or 0: none
 * @param out        f32 [rows][outStride], the first `columns` of each row; overlaps neither a nor b
 * @param accumulate not 0: add to `out` (bias is not looked at)
 */
export function product(
  a: i32, rows: i32, aRow: i32, aStep: i32, depth: i32, b: i32, bPanel: i32, bStep: i32, columns: i32,
  bias: i32, out: i32, outStride: i32, accumulate: i32,
): void {
  const outBytes = outStride << 2;
  const adds = accumulate != 0;
  for (let column = 0; column < columns; column += 8) {
    const count = min(columns - column, 8);
    const to = out + (column << 2);
    const shift = bias != 0 ? bias + (column << 2) : 0;
    for (let row = 0; row < rows; ) {
      const left = rows - row;
      const from = a + row * aRow;
      if (!ASC_FEATURE_RELAXED_SIMD || left <= 4 || left == 8) {
        tile4(from, min(left, 4), aRow, aStep, depth, b, bStep, count, shift, to + row * outBytes, outBytes, adds);
        row += 4;
      } else {
        tile6(from, min(left, 6), aRow, aStep, depth, b, bStep, count, shift, to + row * outBytes, outBytes, adds);
        row += 6;
      }
    }
    b += bPanel;
  }
}

/** out += x over `count` floats. */
export function addTo(x: i32, count: i32, out: i32): void {
  const whole = x + ((count & ~3) << 2);
  for (; x < whole; x += 16, out += 16) v128.store(out, f32x4.add(v128.load(out), v128.load(x)));
  if (count & 3) storeTail(out, f32x4.add(v128.load(out), v128.load(x)), count & 3);
}

/** x = x·factor in place over `count` floats. */
export function scaleValues(x: i32, count: i32, factor: f32): void {
  const by = f32x4.splat(factor);
  const whole = x + ((count & ~3) << 2);
  for (; x < whole; x += 16) v128.store(x, f32x4.mul(v128.load(x), by));
  if (count & 3) storeTail(x, f32x4.mul(v128.load(x), by), count & 3);
}
