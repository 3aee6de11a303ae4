// Scalar twins of train/columns.ts and train/product.ts' two small steps.

/** sums + Σ_r x[r]·y[r] of each column; an empty y counts as ones. */
export function columnDots(x: Float32Array, y: Float32Array, columns: i32, sums: Float32Array): Float32Array {
  const out = new Float32Array(columns);
  for (let i = 0; i < x.length; i++) out[i % columns] += y.length > 0 ? x[i] * y[i] : x[i];
  for (let c = 0; c < columns; c++) out[c] = sums[c] + out[c];
  return out;
}

export function addTo(x: Float32Array, out: Float32Array): Float32Array {
  const sum = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) sum[i] = out[i] + x[i];
  return sum;
}

export function scaleValues(x: Float32Array, factor: f32): Float32Array {
  const out = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = x[i] * factor;
  return out;
}
