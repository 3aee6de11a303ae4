// The int8 matrix product without relaxed SIMD.
//
//   codes   i16 [rows/4][depth/4][4 rows][4 k]               one 8-byte splat load = 4 k of one row, twice
//   panels  u8 [columns/8][depth/4][2][4 channels][4 k]      one 8-byte widening load = 4 k of 2 channels
//
// i32x4.dot_i16x8_s leaves [c0 k01, c0 k23, c1 k01, c1 k23]; neighbours are added once, after the loop. The panels are the
// relaxed kernels' own bytes, so a converted model serves both.
//
// A widening load also takes an arithmetic port, so weights are loaded as rarely as the registers allow: 4 rows x 4 channels
// (8 accumulators; 2 widening and 4 splat loads for 8 dots). 6 rows should save more and lose 10 % on Node 20, which spills.
// Rows left over go one at a time, 16 channels wide.
import { CHANNEL_TERM_BYTES, ROW_TERM_BYTES, finishChannels } from "./epilogue";

// @ts-ignore: decorator
@inline
function dot(acc: v128, x: v128, w: v128): v128 {
  return i32x4.add(acc, i32x4.dot_i16x8_s(x, w));
}

/** [c0, c0', c1, c1'] and [c2, c2', c3, c3'] to [c0+c0', c1+c1', c2+c2', c3+c3']. */
// @ts-ignore: decorator
@inline
function addPairs(low: v128, high: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(low, high, 0, 2, 4, 6), v128.shuffle<i32>(low, high, 1, 3, 5, 7));
}

/** 4 rows x 4 channels, half a panel (`w`, `channels` at its half); `x` is the block's codes. */
// @ts-ignore: decorator
@inline
function tile4x4(
  x: i32, groups: i32, w: i32, rowTerms: i32, channels: i32, count: i32, out: i32, rowBytes: i32,
): void {
  let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  do {
    const w0 = v128.load_ext<u8>(w);
    const w1 = v128.load_ext<u8>(w, 8);
    const xa = v128.load_splat<u64>(x);
    a0 = dot(a0, xa, w0);
    a1 = dot(a1, xa, w1);
    const xb = v128.load_splat<u64>(x, 8);
    b0 = dot(b0, xb, w0);
    b1 = dot(b1, xb, w1);
    const xc = v128.load_splat<u64>(x, 16);
    c0 = dot(c0, xc, w0);
    c1 = dot(c1, xc, w1);
    const xd = v128.load_splat<u64>(x, 24);
    d0 = dot(d0, xd, w0);
    d1 = dot(d1, xd, w1);
    x += 32;
    w += 32;
  } while (--groups);
  finishChannels(addPairs(a0, a1), rowTerms, channels, out, count);
  finishChannels(addPairs(b0, b1), rowTerms + ROW_TERM_BYTES, channels, out + rowBytes, count);
  finishChannels(addPairs(c0, c1), rowTerms + 2 * ROW_TERM_BYTES, channels, out + 2 * rowBytes, count);
  finishChannels(addPairs(d0, d1), rowTerms + 3 * ROW_TERM_BYTES, channels, out + 3 * rowBytes, count);
}

/** 1 row x 8 channels. */
// @ts-ignore: decorator
@inline
function tile1x8(x: i32, groups: i32, w: i32, rowTerm: i32, channels: i32, count: i32, out: i32): void {
  let a0 = i32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
  do {
    const xa = v128.load_splat<u64>(x);
    a0 = dot(a0, xa, v128.load_ext<u8>(w));
    a1 = dot(a1, xa, v128.load_ext<u8>(w, 8));
    a2 = dot(a2, xa, v128.load_ext<u8>(w, 16));
    a3 = dot(a3, xa, v128.load_ext<u8>(w, 24));
    x += 32;
    w += 32;
  } while (--groups);
  finishChannels(addPairs(a0, a1), rowTerm, channels, out, count);
  finishChannels(addPairs(a2, a3), rowTerm, channels + 16, out + 16, count - 4);
}

/** 1 row x 16 channels: 2 panels at once, the second perhaps not whole. */
// @ts-ignore: decorator
@inline
function tile1x16(x: i32, groups: i32, w: i32, panelBytes: i32, rowTerm: i32, channels: i32, count: i32, out: i32): void {
  let a0 = i32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  let wb = w + panelBytes;
  do {
    const xa = v128.load_splat<u64>(x);
    a0 = dot(a0, xa, v128.load_ext<u8>(w));
    a1 = dot(a1, xa, v128.load_ext<u8>(w, 8));
    a2 = dot(a2, xa, v128.load_ext<u8>(w, 16));
    a3 = dot(a3, xa, v128.load_ext<u8>(w, 24));
    b0 = dot(b0, xa, v128.load_ext<u8>(wb));
    b1 = dot(b1, xa, v128.load_ext<u8>(wb, 8));
    b2 = dot(b2, xa, v128.load_ext<u8>(wb, 16));
    b3 = dot(b3, xa, v128.load_ext<u8>(wb, 24));
    x += 32;
    w += 32;
    wb += 32;
  } while (--groups);
  finishChannels(addPairs(a0, a1), rowTerm, channels, out, 4);
  finishChannels(addPairs(a2, a3), rowTerm, channels + 16, out + 16, 4);
  finishChannels(addPairs(b0, b1), rowTerm, channels + CHANNEL_TERM_BYTES, out + 32, count - 8);
  finishChannels(addPairs(b2, b3), rowTerm, channels + CHANNEL_TERM_BYTES + 16, out + 48, count - 12);
}

/** As matmulRel2 with the same bits; `codes` are the i16 codes that fixed.wasm's quantizeRows writes. */
export function matmulFixed(
  codes: i32, rowTerms: i32, rows: i32, depth: i32, panels: i32, channels: i32, columns: i32, out: i32, outStride: i32,
): void {
  const groups = (depth + 3) >> 2;
  const panelBytes = groups << 5;
  const rowBytes = outStride << 2;
  const blockRows = rows & ~3;
  for (let column = 0; column < columns; column += 4) {
    const half = (column & 4) << 2;
    const w = panels + (column >> 3) * panelBytes + half;
    const channel = channels + (column >> 3) * CHANNEL_TERM_BYTES + half;
    for (let row = 0; row < blockRows; row += 4) {
      const x = codes + (row >> 2) * (groups << 5);
      tile4x4(x, groups, w, rowTerms + row * ROW_TERM_BYTES, channel, columns - column, out + row * rowBytes + (column << 2), rowBytes);
    }
  }
  for (let row = blockRows; row < rows; row++) {
    const x = codes + (row >> 2) * (groups << 5) + ((row & 3) << 3);
    const term = rowTerms + row * ROW_TERM_BYTES;
    let column = 0;
    for (const last = columns - 8; column < last; column += 16) {
      const panel = column >> 3;
      tile1x16(x, groups, panels + panel * panelBytes, panelBytes, term, channels + panel * CHANNEL_TERM_BYTES, columns - column, out + row * rowBytes + (column << 2));
    }
    if (column < columns) {
      const panel = column >> 3;
      tile1x8(x, groups, panels + panel * panelBytes, term, channels + panel * CHANNEL_TERM_BYTES, columns - column, out + row * rowBytes + (column << 2));
    }
  }
}
