// Scalar twins of the steps that move or combine whole rows: f32/embed.ts, gather.ts, scale-shift.ts, pooling.ts.
import { rowSquares } from "./row-sums";

/** (scale·code + type) + position. An empty `types` means type 0 everywhere, an empty `typeTable` no type vectors. */
export function embed(
  ids: Int32Array, positions: Int32Array, types: Int32Array, codes: Int8Array, scales: Float32Array,
  positionTable: Float32Array, typeTable: Float32Array, width: i32,
): Float32Array {
  const out = new Float32Array(ids.length * width);
  for (let row = 0; row < ids.length; row++) {
    const type = types.length > 0 ? types[row] : 0;
    for (let j = 0; j < width; j++) {
      let sum = scales[ids[row]] * <f32>codes[ids[row] * width + j];
      if (typeTable.length > 0) sum += typeTable[type * width + j];
      out[row * width + j] = sum + positionTable[positions[row] * width + j];
    }
  }
  return out;
}

export function gatherRows(table: Float32Array, ids: Int32Array, width: i32): Float32Array {
  const out = new Float32Array(ids.length * width);
  for (let i = 0; i < out.length; i++) out[i] = table[ids[i / width] * width + i % width];
  return out;
}

/** scale ∘ y + shift; an empty scale or shift means none. */
export function scaleShiftRows(y: Float32Array, columns: i32, scale: Float32Array, shift: Float32Array): Float32Array {
  const out = new Float32Array(y.length);
  for (let i = 0; i < y.length; i++) {
    let value = y[i];
    if (scale.length > 0) value *= scale[i % columns];
    if (shift.length > 0) value += shift[i % columns];
    out[i] = value;
  }
  return out;
}

/** Mean of the rows whose mask byte is not 0; zeros when there is none. `mask` names every row. */
export function meanRows(x: Float32Array, width: i32, mask: Uint8Array): Float32Array {
  const out = new Float32Array(width);
  let counted = 0;
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] == 0) continue;
    for (let j = 0; j < width; j++) out[j] += x[row * width + j];
    counted++;
  }
  if (counted > 0) for (let j = 0; j < width; j++) out[j] /= <f32>counted;
  return out;
}

export function l2Normalize(x: Float32Array): Float32Array {
  const out = new Float32Array(x.length);
  const norm = sqrt<f32>(rowSquares(x, 0, x.length, 0));
  const divisor: f32 = norm < <f32>Infinity ? norm : <f32>NaN;
  for (let j = 0; j < x.length; j++) out[j] = norm == 0 ? x[j] : x[j] / divisor;
  return out;
}
