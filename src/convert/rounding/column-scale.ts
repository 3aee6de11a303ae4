/** The largest |x| of each input of a linear layer over the rows it sees. */
export class ColumnRange {
  readonly largest: Float32Array;

  constructor(width: number) {
    this.largest = new Float32Array(width);
  }

  /** Takes in `rowCount` rows of finite values. */
  add(rows: Float32Array, rowCount: number): void {
    const width = this.largest.length;
    for (let row = 0; row < rowCount; row++) {
      for (let k = 0; k < width; k++) {
        const size = Math.abs(rows[row * width + k]!);
        if (size > this.largest[k]!) this.largest[k] = size;
      }
    }
  }

  /**
   * Factors 1/√(largest |x|) that shrink the few inputs with outliers before a row is rounded to 8 bits, so that
   * they do not set the step of all others; the weights take the inverse (SmoothQuant, Xiao et al., arXiv
   * 2211.10438, with exponent 0.5). Inputs that are never other than zero get factor 1.
   */
  scale(): Float32Array {
    return this.largest.map((size) => (size === 0 ? 1 : 1 / Math.sqrt(size)));
  }
}

/** Weights [outFeatures][inFeatures] for inputs that are multiplied by `columnScale` first: W / columnScale. */
export function divideColumns(weight: Float32Array, columnScale: Float32Array): Float32Array {
  const width = columnScale.length;
  const divided = new Float32Array(weight.length);
  for (let row = 0; row < weight.length; row += width) {
    for (let k = 0; k < width; k++) divided[row + k] = weight[row + k]! / columnScale[k]!;
  }
  return divided;
}

/** Rows multiplied by `columnScale`, as the product sees them before rounding. */
export function multiplyColumns(rows: Float32Array, columnScale: Float32Array): Float32Array {
  const width = columnScale.length;
  const scaled = new Float32Array(rows.length);
  for (let row = 0; row < rows.length; row += width) {
    for (let k = 0; k < width; k++) scaled[row + k] = rows[row + k]! * columnScale[k]!;
  }
  return scaled;
}
