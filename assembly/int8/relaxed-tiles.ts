// The int8 matrix product for engines with relaxed SIMD; matmul-rel1.ts and matmul-rel2.ts choose the inner step.
//
//   codes   i8 [rows/4][depth/4][4 rows][4 k]                one splat load = 4 k of one row
//   panels  u8 [columns/8][depth/4][2][4 channels][4 k]      one 16-byte load = 4 k of 4 channels
//
// A relaxed dot of the two leaves, in lane c, Σ over 4 k for channel c: no horizontal sum ever. The second operand lies in
// 1..127, where the specification leaves engines no choice, so all agree bit for bit.
//
// Tiles: 6 rows x 8 channels. Its 12 accumulators hide the 5 cycles of the one-op dot (236 GOPS against 187 with 4 x 8 on
// an x86 with AVX-VNNI) and, with 2 weights and 1 activation, just fit 16 registers; the two-step dot does not mind. Of
// the rows left over 4 make a smaller tile, fewer go one at a time, 32 channels wide: padding one would cost as much as 4.
import { CHANNEL_TERM_BYTES, ROW_TERM_BYTES, finishChannels } from "./epilogue";

/** A load, because V8 (Node >= 24) rebuilds a literal splat at every use: 56 GOPS instead of 88. */
const ONES = memory.data<i16>([1, 1, 1, 1, 1, 1, 1, 1], 16);

/** acc + the 4 channels' dot products over 4 k. `twoStep` is a compile-time constant at every call. */
// @ts-ignore: decorator
@inline
function dot(acc: v128, x: v128, w: v128, ones: v128, twoStep: bool): v128 {
  if (twoStep) return i32x4.add(acc, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(x, w), ones));
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, acc);
}

/** 6 rows x 8 channels; `x`, `y`, `z` are the codes of its three pairs of rows. */
// @ts-ignore: decorator
@inline
function tile6x8(
  x: i32, y: i32, z: i32, groups: i32, w: i32, rowTerms: i32, channels: i32, count: i32, out: i32, rowBytes: i32, twoStep: bool,
): void {
  const ones = v128.load(ONES);
  let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0;
  let d0 = a0, d1 = a0, e0 = a0, e1 = a0, f0 = a0, f1 = a0;
  do {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    const xa = v128.load_splat<u32>(x);
    a0 = dot(a0, xa, w0, ones, twoStep);
    a1 = dot(a1, xa, w1, ones, twoStep);
    const xb = v128.load_splat<u32>(x, 4);
    b0 = dot(b0, xb, w0, ones, twoStep);
    b1 = dot(b1, xb, w1, ones, twoStep);
    const xc = v128.load_splat<u32>(y);
    c0 = dot(c0, xc, w0, ones, twoStep);
    c1 = dot(c1, xc, w1, ones, twoStep);
    const xd = v128.load_splat<u32>(y, 4);
    d0 = dot(d0, xd, w0, ones, twoStep);
    d1 = dot(d1, xd, w1, ones, twoStep);
    const xe = v128.load_splat<u32>(z);
    e0 = dot(e0, xe, w0, ones, twoStep);
    e1 = dot(e1, xe, w1, ones, twoStep);
    const xf = v128.load_splat<u32>(z, 4);
    f0 = dot(f0, xf, w0, ones, twoStep);
    f1 = dot(f1, xf, w1, ones, twoStep);
    x += 16;
    y += 16;
    z += 16;
    w += 32;
  } while (--groups);
  finish8(a0, a1, rowTerms, channels, out, count);
  finish8(b0, b1, rowTerms + ROW_TERM_BYTES, channels, out + rowBytes, count);
  finish8(c0, c1, rowTerms + 2 * ROW_TERM_BYTES, channels, out + 2 * rowBytes, count);
  finish8(d0, d1, rowTerms + 3 * ROW_TERM_BYTES, channels, out + 3 * rowBytes, count);
  finish8(e0, e1, rowTerms + 4 * ROW_TERM_BYTES, channels, out + 4 * rowBytes, count);
  finish8(f0, f1, rowTerms + 5 * ROW_TERM_BYTES, channels, out + 5 * rowBytes, count);
}

/** 4 rows x 8 channels; `x` and `y` are the codes of its two pairs of rows. */
// @ts-ignore: decorator
@inline
function tile4x8(
  x: i32, y: i32, groups: i32, w: i32, rowTerms: i32, channels: i32, count: i32, out: i32, rowBytes: i32, twoStep: bool,
): void {
  const ones = v128.load(ONES);
  let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  do {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    const xa = v128.load_splat<u32>(x);
    a0 = dot(a0, xa, w0, ones, twoStep);
    a1 = dot(a1, xa, w1, ones, twoStep);
    const xb = v128.load_splat<u32>(x, 4);
    b0 = dot(b0, xb, w0, ones, twoStep);
    b1 = dot(b1, xb, w1, ones, twoStep);
    const xc = v128.load_splat<u32>(y);
    c0 = dot(c0, xc, w0, ones, twoStep);
    c1 = dot(c1, xc, w1, ones, twoStep);
    const xd = v128.load_splat<u32>(y, 4);
    d0 = dot(d0, xd, w0, ones, twoStep);
    d1 = dot(d1, xd, w1, ones, twoStep);
    x += 16;
    y += 16;
    w += 32;
  } while (--groups);
  finish8(a0, a1, rowTerms, channels, out, count);
  finish8(b0, b1, rowTerms + ROW_TERM_BYTES, channels, out + rowBytes, count);
  finish8(c0, c1, rowTerms + 2 * ROW_TERM_BYTES, channels, out + 2 * rowBytes, count);
  finish8(d0, d1, rowTerms + 3 * ROW_TERM_BYTES, channels, out + 3 * rowBytes, count);
}

/** 1 row x 8 channels. */
// @ts-ignore: decorator
@inline
function tile1x8(x: i32, groups: i32, w: i32, rowTerm: i32, channels: i32, count: i32, out: i32, twoStep: bool): void {
  const ones = v128.load(ONES);
  let a0 = i32x4.splat(0), a1 = a0;
  do {
    const xa = v128.load_splat<u32>(x);
    a0 = dot(a0, xa, v128.load(w), ones, twoStep);
    a1 = dot(a1, xa, v128.load(w, 16), ones, twoStep);
    x += 16;
    w += 32;
  } while (--groups);
  finish8(a0, a1, rowTerm, channels, out, count);
}

/** 1 row x 32 channels: 4 whole panels at once. */
// @ts-ignore: decorator
@inline
function tile1x32(x: i32, groups: i32, w: i32, panelBytes: i32, rowTerm: i32, channels: i32, out: i32, twoStep: bool): void {
  const ones = v128.load(ONES);
  let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  let wb = w + panelBytes, wc = wb + panelBytes, wd = wc + panelBytes;
  do {
    const xa = v128.load_splat<u32>(x);
    a0 = dot(a0, xa, v128.load(w), ones, twoStep);
    a1 = dot(a1, xa, v128.load(w, 16), ones, twoStep);
    b0 = dot(b0, xa, v128.load(wb), ones, twoStep);
    b1 = dot(b1, xa, v128.load(wb, 16), ones, twoStep);
    c0 = dot(c0, xa, v128.load(wc), ones, twoStep);
    c1 = dot(c1, xa, v128.load(wc, 16), ones, twoStep);
    d0 = dot(d0, xa, v128.load(wd), ones, twoStep);
    d1 = dot(d1, xa, v128.load(wd, 16), ones, twoStep);
    x += 16;
    w += 32;
    wb += 32;
    wc += 32;
    wd += 32;
  } while (--groups);
  finish8(a0, a1, rowTerm, channels, out, 8);
  finish8(b0, b1, rowTerm, channels + CHANNEL_TERM_BYTES, out + 32, 8);
  finish8(c0, c1, rowTerm, channels + 2 * CHANNEL_TERM_BYTES, out + 64, 8);
  finish8(d0, d1, rowTerm, channels + 3 * CHANNEL_TERM_BYTES, out + 96, 8);
}

// @ts-ignore: decorator
@inline
function finish8(low: v128, high: v128, rowTerm: i32, channels: i32, out: i32, count: i32): void {
  finishChannels(low, rowTerm, channels, out, count);
  finishChannels(high, rowTerm, channels + 16, out + 16, count - 4);
}

/** The codes of the pair of rows that begins at the even `row`. */
// @ts-ignore: decorator
@inline
function pairAt(codes: i32, row: i32, groups: i32): i32 {
  return codes + (row >> 2) * (groups << 4) + ((row & 2) << 2);
}

/**
 * The whole product, arguments as matmulRel2. Panels are the outer loop: one panel (12 KB at depth 1536) stays in the
 * first-level cache while every row passes by.
 */
// @ts-ignore: decorator
@inline
export function matmulRelaxed(
  codes: i32, rowTerms: i32, rows: i32, depth: i32, panels: i32, channels: i32, columns: i32, out: i32, outStride: i32, twoStep: bool,
): void {
  const groups = (depth + 3) >> 2;
  const panelBytes = groups << 5;
  const rowBytes = outStride << 2;
  const left = rows % 6;
  const tiled = rows - (left < 4 ? left : left - 4);
  for (let column = 0; column < columns; column += 8) {
    const w = panels + (column >> 3) * panelBytes;
    const channel = channels + (column >> 3) * CHANNEL_TERM_BYTES;
    for (let row = 0; row < tiled; ) {
      const height = tiled - row >= 6 ? 6 : 4;
      const x = pairAt(codes, row, groups);
      const y = pairAt(codes, row + 2, groups);
      const term = rowTerms + row * ROW_TERM_BYTES;
      const target = out + row * rowBytes + (column << 2);
      if (height == 6) tile6x8(x, y, pairAt(codes, row + 4, groups), groups, w, term, channel, columns - column, target, rowBytes, twoStep);
      else tile4x8(x, y, groups, w, term, channel, columns - column, target, rowBytes, twoStep);
      row += height;
    }
  }
  for (let row = tiled; row < rows; row++) {
    const x = pairAt(codes, row & ~1, groups) + ((row & 1) << 2);
    const term = rowTerms + row * ROW_TERM_BYTES;
    let column = 0;
    for (const last = columns - 32; column <= last; column += 32) {
      const panel = column >> 3;
      tile1x32(x, groups, panels + panel * panelBytes, panelBytes, term, channels + panel * CHANNEL_TERM_BYTES, out + row * rowBytes + (column << 2), twoStep);
    }
    for (; column < columns; column += 8) {
      const panel = column >> 3;
      tile1x8(x, groups, panels + panel * panelBytes, term, channels + panel * CHANNEL_TERM_BYTES, columns - column, out + row * rowBytes + (column << 2), twoStep);
    }
  }
}
