// Rows of a table by number, for LoRA on the embedding layer: its first factor is looked up, not multiplied.
import { storeTail } from "./tail";

/**
 * out[r] = table[ids[r]].
 * @param table f32 [any][width], @param ids i32 [rows], @param out f32 [rows][width]
 */
export function gatherRows(table: i32, ids: i32, rows: i32, width: i32, out: i32): void {
  const bytes = width << 2;
  const whole = bytes & ~15;
  for (let row = 0; row < rows; row++) {
    const from = table + load<i32>(ids + (row << 2)) * bytes;
    let at = 0;
    for (; at < whole; at += 16) v128.store(out + at, v128.load(from + at));
    if (width & 3) storeTail(out + at, v128.load(from + at), width & 3);
    out += bytes;
  }
}
