// The embedding layer's sum. Word vectors stay int8, one scale a word: in a small encoder they are half of all weights.
import { storeTail } from "./tail";

/** Four int8 codes as floats. */
// @ts-ignore: decorator
@inline
function fourCodes(at: i32): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(at))));
}

/** (scale·code + type) + position of 4 columns; no type row when `type` is 0. `column` counts from 0. */
// @ts-ignore: decorator
@inline
function fourSums(code: i32, scale: v128, type: i32, position: i32, column: i32): v128 {
  let sum = f32x4.mul(scale, fourCodes(code + column));
  if (type != 0) sum = f32x4.add(sum, v128.load(type + (column << 2)));
  return f32x4.add(sum, v128.load(position + (column << 2)));
}

/**
 * out[r] = (scales[id]·codes[id] + typeTable[type]) + positionTable[position].
 *
 * @param ids           i32 [rows], @param positions i32 [rows]
 * @param types         i32 [rows], or 0: every row is of type 0
 * @param codes         i8 [vocabulary][width], @param scales f32 [vocabulary]
 * @param positionTable f32 [positions][width]
 * @param typeTable     f32 [types][width], or 0: the model has none
 * @param out           f32 [rows][width]
 * Ids, positions and types are checked by the host; a wrong one reads elsewhere in memory.
 */
export function embed(
  ids: i32, positions: i32, types: i32, rows: i32, codes: i32, scales: i32,
  positionTable: i32, typeTable: i32, width: i32, out: i32,
): void {
  const whole = width & ~3;
  for (let row = 0; row < rows; row++) {
    const id = load<i32>(ids + (row << 2));
    const typeId = types != 0 ? load<i32>(types + (row << 2)) : 0;
    const type = typeTable != 0 ? typeTable + ((typeId * width) << 2) : 0;
    const position = positionTable + ((load<i32>(positions + (row << 2)) * width) << 2);
    const code = codes + id * width;
    const scale = v128.load_splat<f32>(scales + (id << 2));
    let column = 0;
    for (; column < whole; column += 4) v128.store(out + (column << 2), fourSums(code, scale, type, position, column));
    if (column < width) storeTail(out + (column << 2), fourSums(code, scale, type, position, column), width - column);
    out += width << 2;
  }
}
