/** From a text's hidden states, tokens × hidden in rows, to one vector. Sums are in float64 and in order. */

export function meanRow(rows: Float32Array, hidden: number): Float32Array {
  const sum = new Float64Array(hidden);
  for (let i = 0; i < rows.length; i++) sum[i % hidden]! += rows[i]!;
  const count = rows.length / hidden;
  return Float32Array.from(sum, (value) => value / count);
}

export function firstRow(rows: Float32Array, hidden: number): Float32Array {
  return rows.slice(0, hidden);
}

export function lastRow(rows: Float32Array, hidden: number): Float32Array {
  return rows.slice(rows.length - hidden);
}

/** The same rows, each of length 1; a row of zeros stays as it is. */
export function scaleRows(rows: Float32Array, hidden: number): Float32Array {
  const scaled = new Float32Array(rows.length);
  for (let start = 0; start < rows.length; start += hidden) {
    let squares = 0;
    for (let i = start; i < start + hidden; i++) squares += rows[i]! * rows[i]!;
    const length = squares === 0 ? 1 : Math.sqrt(squares);
    for (let i = start; i < start + hidden; i++) scaled[i] = rows[i]! / length;
  }
  return scaled;
}

/** One bit a number, set where it is above 0, the first of eight in the highest; less 128 for signed bytes. */
export function signBits(values: Float32Array, precision: "binary" | "ubinary"): Int8Array | Uint8Array {
  const bytes = new Uint8Array(values.length / 8);
  for (let i = 0; i < values.length; i++) if (values[i]! > 0) bytes[i >> 3]! |= 0x80 >> (i & 7);
  return precision === "ubinary" ? bytes : Int8Array.from(bytes, (byte) => byte - 128);
}
