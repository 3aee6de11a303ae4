// Scalar twins of train/rows.ts.
import { rowSquares } from "../row-sums";
import { rowDot } from "./row-dot";

export function scatterAddRows(x: Float32Array, ids: Int32Array, width: i32, table: Float32Array): Float32Array {
  const out = new Float32Array(table.length);
  for (let i = 0; i < table.length; i++) out[i] = table[i];
  for (let i = 0; i < x.length; i++) out[ids[i / width] * width + i % width] += x[i];
  return out;
}

/** `mask` names every row. */
export function meanRowsBackward(dMean: Float32Array, mask: Uint8Array): Float32Array {
  const width = dMean.length;
  const dx = new Float32Array(mask.length * width);
  let counted = 0;
  for (let row = 0; row < mask.length; row++) if (mask[row] != 0) counted++;
  for (let i = 0; i < dx.length; i++) dx[i] = mask[i / width] != 0 ? dMean[i % width] / <f32>counted : 0;
  return dx;
}

export function l2NormalizeBackward(x: Float32Array, dy: Float32Array): Float32Array {
  const dx = new Float32Array(x.length);
  const squares = rowSquares(x, 0, x.length, 0);
  if (squares == 0) return dx;
  const along = rowDot(x, 0, dy, 0, x.length) / squares;
  for (let j = 0; j < x.length; j++) dx[j] = (dy[j] - x[j] * along) / sqrt<f32>(squares);
  return dx;
}

export function rowNorms(x: Float32Array, width: i32): Float32Array {
  const norms = new Float32Array(x.length / width);
  for (let row = 0; row < norms.length; row++) norms[row] = sqrt<f32>(rowSquares(x, row * width, width, 0));
  return norms;
}
