// The int8 layouts written out one element at a time, independently of the packing code that ships.

/** [ceil(columns/8)][ceil(depth/4)][8 channels][4 k], w + 64, padding 64. `weights` is i8 [columns][depth]. */
export function packPanels(weights: Int8Array, columns: number, depth: number): Uint8Array {
  const groups = Math.ceil(depth / 4);
  const panels = new Uint8Array(Math.ceil(columns / 8) * groups * 32).fill(64);
  for (let column = 0; column < columns; column++) {
    for (let k = 0; k < depth; k++) {
      const at = ((column >> 3) * groups + (k >> 2)) * 32 + (column & 7) * 4 + (k & 3);
      panels[at] = (weights[column * depth + k] as number) + 64;
    }
  }
  return panels;
}

/** 96 bytes per 8 channels: f32 scale[8], f32 bias[8], i32 Σw[8]. */
export function packChannels(weights: Int8Array, scales: Float32Array, bias: Float32Array, columns: number, depth: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(columns / 8) * 96);
  const view = new DataView(bytes.buffer);
  for (let column = 0; column < columns; column++) {
    const at = (column >> 3) * 96 + (column & 7) * 4;
    view.setFloat32(at, scales[column] as number, true);
    view.setFloat32(at + 32, bias[column] as number, true);
    view.setInt32(at + 64, weights.subarray(column * depth, (column + 1) * depth).reduce((sum, weight) => sum + weight, 0), true);
  }
  return bytes;
}

/** [ceil(rows/4)][ceil(depth/4)][4 rows][4 k], padding 0; i8 or i16 elements. `codes` is i8 [rows][depth]. */
export function packCodes(codes: Int8Array, rows: number, depth: number, build: "fixed" | "relaxed"): Int8Array | Int16Array {
  const groups = Math.ceil(depth / 4);
  const length = Math.ceil(rows / 4) * groups * 16;
  const tiles = build === "fixed" ? new Int16Array(length) : new Int8Array(length);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < depth; k++) {
      tiles[((row >> 2) * groups + (k >> 2)) * 16 + (row & 3) * 4 + (k & 3)] = codes[row * depth + k] as number;
    }
  }
  return tiles;
}

/** 16 bytes a row, rows rounded up to 4: f32 scale, i32 zero, i32 Σ codes, i32 0. */
export function packRowTerms(codes: Int8Array, scales: Float32Array, zeros: Int32Array, rows: number, depth: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(rows / 4) * 64);
  const view = new DataView(bytes.buffer);
  for (let row = 0; row < rows; row++) {
    view.setFloat32(row * 16, scales[row] as number, true);
    view.setInt32(row * 16 + 4, zeros[row] as number, true);
    view.setInt32(row * 16 + 8, codes.subarray(row * depth, (row + 1) * depth).reduce((sum, code) => sum + code, 0), true);
  }
  return bytes;
}

/** xorshift32: the same sequence everywhere for a seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return least + ((this.#state >>> 0) % (most - least + 1));
  }

  /** Roughly evenly from −magnitude to magnitude. */
  float(magnitude: number): number {
    return (this.integer(-1_000_000, 1_000_000) / 1_000_000) * magnitude;
  }
}
