// The relaxed product in two steps: 8-bit pairs to 16, 16-bit pairs to 32.
//
// On x86 without AVX-VNNI V8 emits vpmaddubsw, vpmaddwd, vpaddd for it (86-88 GOPS); for the one-op form it rebuilds the
// constant of ones each time (48 GOPS). Where the engine has the one instruction, matmulRel1 should win.
import { matmulRelaxed } from "./relaxed-tiles";

/**
 * out[r][c] = f32(Σ a·u − 64·Σa − za·Σw) · (sa·sw) + bias, over `depth`.
 * @param codes     i8 [rows up to 4][depth up to 4] in tiles [4 rows][4 k], from quantizeRows
 * @param rowTerms  16 bytes a row, from quantizeRows
 * @param panels    u8 [columns/8][depth/4][2][4 channels][4 k], w + 64 in 1..127, padding 64
 * @param channels  96 bytes per 8 channels: f32 scale[8], f32 bias[8], i32 Σw[8]
 * @param out       f32 [rows][outStride]; only rows x columns of it are written
 * @param outStride elements between two rows
 */
export function matmulRel2(
  codes: i32, rowTerms: i32, rows: i32, depth: i32, panels: i32, channels: i32, columns: i32, out: i32, outStride: i32,
): void {
  matmulRelaxed(codes, rowTerms, rows, depth, panels, channels, columns, out, outStride, true);
}
