// LoRA's term of an adapted linear layer, added to the base product's output. Unmerged: swapping adapters swaps two pointers.
import { addProduct, dense } from "./dense";

/**
 * y = y + (x·down)·up. Hu et al., arXiv 2106.09685: `down` is Aᵀ and `up` is (alpha/r)·Bᵀ.
 * @param x    f32 [rows][stride], the first `depth` of each row
 * @param down f32 [depth][rank rounded up to 4]
 * @param up   f32 [rank][columns rounded up to 4]
 * @param t    scratch, f32 [rows][rank rounded up to 4]
 * @param y    f32 [rows][yStride], the first `columns` of each row are changed
 */
export function lowRankAdd(
  x: i32, rows: i32, depth: i32, stride: i32, down: i32, rank: i32, up: i32, columns: i32, t: i32, y: i32, yStride: i32,
): void {
  const tStride = (rank + 3) & ~3;
  dense(x, rows, depth, stride, down, 0, rank, t, tStride);
  addProduct(t, rows, rank, tStride, up, columns, y, yStride);
}
