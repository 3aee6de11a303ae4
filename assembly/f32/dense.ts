// f32 products out = x·W: a head's classifier, bottleneck and side networks, and both halves of a low-rank term.
//
// W is [depth][columns rounded up to 4], so a vector holds 4 neighbouring columns and a row's value is splatted: no sum ever
// runs across lanes. Each output is one chain acc = acc + x[k]·W[k], k rising from 0, whatever the tile it falls in; the tile
// decides the speed only. 4 rows x 2 vectors fill the adders (8 chains of 4 cycles) and share each W load among 4 rows; a single
// row takes 4 vectors at once. Multiply and add stay separate: fused ones would round differently from engine to engine.
import { storeTail } from "./tail";

/** Adds x[row][k]·W[k] of one vector of columns. */
// @ts-ignore: decorator
@inline
function step(sum: v128, x: i32, weights: v128): v128 {
  return f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(x), weights));
}

/** Writes up to 4 columns of one row: `sum` added to what is there, or with the bias added. `count` <= 0 writes nothing. */
// @ts-ignore: decorator
@inline
export function finish(out: i32, sum: v128, bias: i32, count: i32, accumulate: bool): void {
  if (count <= 0) return;
  let value = sum;
  if (accumulate) value = f32x4.add(v128.load(out), sum);
  else if (bias != 0) value = f32x4.add(sum, v128.load(bias));
  if (count >= 4) v128.store(out, value);
  else storeTail(out, value, count);
}

/** 4 rows x 8 columns; `count` of the 8 exist. With 4 or fewer the second vector is read (16 bytes past at most) and dropped. */
// @ts-ignore: decorator
@inline
function tile4x2(
  x: i32, stride: i32, depth: i32, weights: i32, weightStride: i32, bias: i32,
  out: i32, outStride: i32, count: i32, accumulate: bool,
): void {
  let x1 = x + stride;
  let x2 = x1 + stride;
  let x3 = x2 + stride;
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  for (let k = 0; k < depth; k++) {
    const w0 = v128.load(weights);
    const w1 = v128.load(weights, 16);
    s00 = step(s00, x, w0);
    s01 = step(s01, x, w1);
    s10 = step(s10, x1, w0);
    s11 = step(s11, x1, w1);
    s20 = step(s20, x2, w0);
    s21 = step(s21, x2, w1);
    s30 = step(s30, x3, w0);
    s31 = step(s31, x3, w1);
    weights += weightStride;
    x += 4;
    x1 += 4;
    x2 += 4;
    x3 += 4;
  }
  const bias1 = bias != 0 ? bias + 16 : 0;
  finish(out, s00, bias, count, accumulate);
  finish(out + 16, s01, bias1, count - 4, accumulate);
  out += outStride;
  finish(out, s10, bias, count, accumulate);
  finish(out + 16, s11, bias1, count - 4, accumulate);
  out += outStride;
  finish(out, s20, bias, count, accumulate);
  finish(out + 16, s21, bias1, count - 4, accumulate);
  out += outStride;
  finish(out, s30, bias, count, accumulate);
  finish(out + 16, s31, bias1, count - 4, accumulate);
}

/** 1 row x 16 columns, all there. */
// @ts-ignore: decorator
@inline
function tile1x4(
  x: i32, depth: i32, weights: i32, weightStride: i32, bias: i32, out: i32, accumulate: bool,
): void {
  let sum0 = i32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  for (let k = 0; k < depth; k++) {
    sum0 = step(sum0, x, v128.load(weights));
    sum1 = step(sum1, x, v128.load(weights, 16));
    sum2 = step(sum2, x, v128.load(weights, 32));
    sum3 = step(sum3, x, v128.load(weights, 48));
    weights += weightStride;
    x += 4;
  }
  finish(out, sum0, bias, 4, accumulate);
  finish(out + 16, sum1, bias != 0 ? bias + 16 : 0, 4, accumulate);
  finish(out + 32, sum2, bias != 0 ? bias + 32 : 0, 4, accumulate);
  finish(out + 48, sum3, bias != 0 ? bias + 48 : 0, 4, accumulate);
}

/** 1 row x up to 4 columns. */
// @ts-ignore: decorator
@inline
function tile1x1(
  x: i32, depth: i32, weights: i32, weightStride: i32, bias: i32, out: i32, count: i32, accumulate: bool,
): void {
  let sum = i32x4.splat(0);
  for (let k = 0; k < depth; k++) {
    sum = step(sum, x, v128.load(weights));
    weights += weightStride;
    x += 4;
  }
  finish(out, sum, bias, count, accumulate);
}

/** All tiles of one product. `stride`s in floats; see `dense` and `addProduct`. */
// @ts-ignore: decorator
@inline
function product(
  x: i32, rows: i32, depth: i32, stride: i32, weights: i32, bias: i32, columns: i32,
  out: i32, outStride: i32, accumulate: bool,
): void {
  const xBytes = stride << 2;
  const outBytes = outStride << 2;
  const weightStride = ((columns + 3) & ~3) << 2;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    for (let column = 0; column < columns; column += 8) {
      const at = column << 2;
      tile4x2(
        x, xBytes, depth, weights + at, weightStride, bias != 0 ? bias + at : 0,
        out + at, outBytes, columns - column, accumulate,
      );
    }
    x += xBytes << 2;
    out += outBytes << 2;
  }
  for (; row < rows; row++) {
    let column = 0;
    for (; column + 16 <= columns; column += 16) {
      const at = column << 2;
      tile1x4(x, depth, weights + at, weightStride, bias != 0 ? bias + at : 0, out + at, accumulate);
    }
    for (; column < columns; column += 4) {
      const at = column << 2;
      tile1x1(x, depth, weights + at, weightStride, bias != 0 ? bias + at : 0, out + at, columns - column, accumulate);
    }
    x += xBytes;
    out += outBytes;
  }
}

/**
 * out = x·W + bias.
 * @param x       f32 [rows][stride], the first `depth` of each row
 * @param weights f32 [depth][columns rounded up to 4], 16-byte rows
 * @param bias    f32 [columns rounded up to 4], or 0: none
 * @param out     f32 [rows][outStride], the first `columns` of each row are written
 */
export function dense(
  x: i32, rows: i32, depth: i32, stride: i32, weights: i32, bias: i32, columns: i32, out: i32, outStride: i32,
): void {
  product(x, rows, depth, stride, weights, bias, columns, out, outStride, false);
}

/**
 * y = y + t·up: the second half of a low-rank term.
 * @param t  f32 [rows][tStride], the first `rank` of each row
 * @param up f32 [rank][columns rounded up to 4], the adapter's scale already in it
 * @param y  f32 [rows][yStride], the first `columns` of each row are changed
 */
export function addProduct(
  t: i32, rows: i32, rank: i32, tStride: i32, up: i32, columns: i32, y: i32, yStride: i32,
): void {
  product(t, rows, rank, tStride, up, 0, columns, y, yStride, true);
}
