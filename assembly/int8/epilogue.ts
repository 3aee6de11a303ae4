// From exact integer sums to f32 outputs, the same for every int8 kernel.
//
//   out = f32(acc − 64·Σa − za·Σw) · (sa·sw) + bias
//
// acc = Σ a·u with u = w + 64, so −64·Σa takes the offset of the stored weights out and −za·Σw the zero point of the
// activations. The integers wrap alike everywhere, and the three f32 operations keep this order in every kernel and in the
// scalar twin: that is what makes their bits equal.

// Row terms, 16 bytes a row: f32 sa, i32 za, i32 Σa, i32 0.
export const ROW_TERM_BYTES: i32 = 16;
const ZERO: i32 = 4;
const CODE_SUM: i32 = 8;

// Channel terms, 96 bytes a panel of 8 channels: f32 sw[8], f32 bias[8], i32 Σw[8].
export const CHANNEL_TERM_BYTES: i32 = 96;
const BIAS: i32 = 32;
const WEIGHT_SUM: i32 = 64;

/**
 * Finishes 4 neighbouring channels of one row.
 * @param acc      i32x4, Σ a·u of the 4 channels
 * @param rowTerm  the row's 16 bytes
 * @param channels the panel's channel terms, plus 16 for its upper 4 channels
 * @param out      f32 address of the first of the 4
 * @param count    how many of the 4 exist; nothing is written past them (<= 0: nothing at all)
 */
// @ts-ignore: decorator
@inline
export function finishChannels(acc: v128, rowTerm: i32, channels: i32, out: i32, count: i32): void {
  const offset = v128.splat<i32>(load<i32>(rowTerm, CODE_SUM) << 6);
  const zero = v128.load_splat<i32>(rowTerm, ZERO);
  const exact = i32x4.sub(i32x4.sub(acc, offset), i32x4.mul(zero, v128.load(channels, WEIGHT_SUM)));
  const scale = f32x4.mul(v128.load_splat<f32>(rowTerm), v128.load(channels));
  const value = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(exact), scale), v128.load(channels, BIAS));
  if (count >= 4) v128.store(out, value);
  else storeFirst(out, value, count);
}

/** Stores the first `count` (at most 3) of 4 floats. */
function storeFirst(out: i32, value: v128, count: i32): void {
  if (count > 0) v128.store_lane<f32>(out, value, 0);
  if (count > 1) v128.store_lane<f32>(out, value, 1, 4);
  if (count > 2) v128.store_lane<f32>(out, value, 2, 8);
}
