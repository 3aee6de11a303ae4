// The relaxed product in one operation, i32x4.relaxed_dot_i8x16_i7x16_add_s: one instruction on ARM with dot product and on
// x86 with AVX-VNNI, five without. The host times it against matmulRel2 at load.
import { matmulRelaxed } from "./relaxed-tiles";

/** As matmulRel2, with the same bits. */
export function matmulRel1(
  codes: i32, rowTerms: i32, rows: i32, depth: i32, panels: i32, channels: i32, columns: i32, out: i32, outStride: i32,
): void {
  matmulRelaxed(codes, rowTerms, rows, depth, panels, channels, columns, out, outStride, false);
}
