// 4 rows into vectors of 4, for attention's packing.

/**
 * to[k] = (row0[k], row1[k], row2[k], row3[k]) · scale for k < count, one vector every `step` bytes. Reads and writes exactly
 * `count`. Rows may repeat: that is how a block of fewer than 4 is filled.
 */
export function interleaveRows(row0: i32, row1: i32, row2: i32, row3: i32, count: i32, scale: f32, to: i32, step: i32): void {
  const by = f32x4.splat(scale);
  let k = 0;
  for (; k + 4 <= count; k += 4) {
    const a = v128.load(row0);
    const b = v128.load(row1);
    const c = v128.load(row2);
    const d = v128.load(row3);
    const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const ab2 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cd2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(to, f32x4.mul(v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5), by));
    to += step;
    v128.store(to, f32x4.mul(v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7), by));
    to += step;
    v128.store(to, f32x4.mul(v128.shuffle<f32>(ab2, cd2, 0, 1, 4, 5), by));
    to += step;
    v128.store(to, f32x4.mul(v128.shuffle<f32>(ab2, cd2, 2, 3, 6, 7), by));
    to += step;
    row0 += 16;
    row1 += 16;
    row2 += 16;
    row3 += 16;
  }
  for (; k < count; k++) {
    store<f32>(to, load<f32>(row0) * scale);
    store<f32>(to, load<f32>(row1) * scale, 4);
    store<f32>(to, load<f32>(row2) * scale, 8);
    store<f32>(to, load<f32>(row3) * scale, 12);
    to += step;
    row0 += 4;
    row1 += 4;
    row2 += 4;
    row3 += 4;
  }
}
