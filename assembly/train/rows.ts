// Backward steps of what moves or combines whole rows: embeddings, gathered rows, mean pooling, unit length.
import { rowSquares } from "../f32/row-sums";
import { storeTail } from "../f32/tail";
import { rowDot } from "./row-dot";

/** table[ids[r]] += x[r], row after row. x f32 [rows][width], ids i32 [rows], table f32 [any][width]. */
export function scatterAddRows(x: i32, ids: i32, rows: i32, width: i32, table: i32): void {
  const bytes = width << 2;
  const whole = bytes & ~15;
  for (let row = 0; row < rows; row++) {
    const to = table + load<i32>(ids + (row << 2)) * bytes;
    let at = 0;
    for (; at < whole; at += 16) v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(x + at)));
    if (width & 3) storeTail(to + at, f32x4.add(v128.load(to + at), v128.load(x + at)), width & 3);
    x += bytes;
  }
}

/**
 * dx of `meanRows`: dMean/n for the n rows that counted, 0 for the others.
 * @param dMean   f32 [width]
 * @param keyMask u8 [rows], or 0: every row counted
 * @param dx      f32 [rows][width]
 */
export function meanRowsBackward(dMean: i32, rows: i32, width: i32, keyMask: i32, dx: i32): void {
  const bytes = width << 2;
  const whole = bytes & ~15;
  let counted = 0;
  for (let row = 0; row < rows; row++) if (keyMask == 0 || load<u8>(keyMask + row) != 0) counted++;
  const by = f32x4.splat(<f32>max(counted, 1));
  for (let row = 0; row < rows; row++) {
    if (keyMask != 0 && load<u8>(keyMask + row) == 0) memory.fill(dx, 0, bytes);
    else {
      let at = 0;
      for (; at < whole; at += 16) v128.store(dx + at, f32x4.div(v128.load(dMean + at), by));
      if (width & 3) storeTail(dx + at, f32x4.div(v128.load(dMean + at), by), width & 3);
    }
    dx += bytes;
  }
}

// @ts-ignore: decorator
@inline
function acrossUnit(dy: v128, x: i32, along: v128, norm: v128): v128 {
  return f32x4.div(f32x4.sub(dy, f32x4.mul(v128.load(x), along)), norm);
}

/**
 * dx of y = x/‖x‖, in place: dy = (dy − x·(x·dy)/‖x‖²)/‖x‖; 0 where x is 0.
 * @param x f32 [width]: before it was normalised, @param dy f32 [width]
 */
export function l2NormalizeBackward(x: i32, dy: i32, width: i32): void {
  const squares = rowSquares(x, width, 0);
  if (!(squares > 0)) {
    memory.fill(dy, 0, width << 2);
    return;
  }
  const along = f32x4.splat(rowDot(x, dy, width) / squares);
  const norm = f32x4.splat(sqrt<f32>(squares));
  const whole = (width & ~3) << 2;
  let at = 0;
  for (; at < whole; at += 16) v128.store(dy + at, acrossUnit(v128.load(dy + at), x + at, along, norm));
  if (width & 3) storeTail(dy + at, acrossUnit(v128.load(dy + at), x + at, along, norm), width & 3);
}

/** norms[r] = ‖x[r]‖. x f32 [rows][width], norms f32 [rows]: of DoRA's W + s·BA. */
export function rowNorms(x: i32, rows: i32, width: i32, norms: i32): void {
  for (let row = 0; row < rows; row++) {
    store<f32>(norms + (row << 2), sqrt<f32>(rowSquares(x, width, 0)));
    x += width << 2;
  }
}
