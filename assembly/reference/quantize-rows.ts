// Scalar twin of int8/quantize-rows.ts: the same arithmetic on plain row-major arrays, one value at a time.

/** x · columnScale; an empty columnScale means none. */
function scaled(x: Float32Array, at: i32, columnScale: Float32Array, k: i32): f32 {
  return columnScale.length > 0 ? x[at] * columnScale[k] : x[at];
}

/** What one row spans, 0 included. NaN where the row holds one; 0 where its reciprocal would overflow. */
class RowRange {
  low: f32 = 0;
  high: f32 = 0;

  constructor(x: Float32Array, start: i32, depth: i32, columnScale: Float32Array) {
    for (let k = 0; k < depth; k++) {
      const value = scaled(x, start + k, columnScale, k);
      this.low = min<f32>(this.low, value);
      this.high = max<f32>(this.high, value);
    }
  }

  get width(): f32 {
    const width = this.high - this.low;
    return width < <f32>1e-36 ? 0 : width;
  }

  get inverse(): f32 {
    return this.width == 0 ? 0 : <f32>255 / this.width;
  }

  get zero(): i32 {
    return this.width == 0 ? 0 : -128 - <i32>nearest<f32>(this.low * this.inverse);
  }
}

/** f32 [rows]: (hi − lo)/255 of each row. `x` is f32 [rows][stride]. */
export function rowScales(x: Float32Array, rows: i32, depth: i32, stride: i32, columnScale: Float32Array): Float32Array {
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) scales[row] = new RowRange(x, row * stride, depth, columnScale).width / 255;
  return scales;
}

/** i32 [rows]: the code that stands for 0.0. */
export function rowZeros(x: Float32Array, rows: i32, depth: i32, stride: i32, columnScale: Float32Array): Int32Array {
  const zeros = new Int32Array(rows);
  for (let row = 0; row < rows; row++) zeros[row] = new RowRange(x, row * stride, depth, columnScale).zero;
  return zeros;
}

/** i8 [rows][depth]: clamp(nearest(x' · 255/(hi − lo)) + zero, −128, 127), ties to even. */
export function rowCodes(x: Float32Array, rows: i32, depth: i32, stride: i32, columnScale: Float32Array): Int8Array {
  const codes = new Int8Array(rows * depth);
  for (let row = 0; row < rows; row++) {
    const range = new RowRange(x, row * stride, depth, columnScale);
    const inverse = range.inverse;
    const zero = range.zero;
    if (range.width == 0) continue; // all codes 0
    for (let k = 0; k < depth; k++) {
      const code = <i32>nearest<f32>(scaled(x, row * stride + k, columnScale, k) * inverse) + zero;
      codes[row * depth + k] = <i8>min(max(code, -128), 127);
    }
  }
  return codes;
}
