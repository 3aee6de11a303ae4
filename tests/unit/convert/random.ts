/** A repeatable stream of values in −1…1 (32-bit linear congruential generator). */
export function values(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2147483648 - 1;
  };
}

export function randomRows(seed: number, rows: number, width: number): Float32Array {
  const next = values(seed);
  return Float32Array.from({ length: rows * width }, next);
}

/** Rows whose columns hang together and differ in size and mean, as the inputs of an encoder's layers do. */
export function correlatedRows(seed: number, rows: number, width: number): Float32Array {
  const next = values(seed);
  const mix = Float64Array.from({ length: width * width }, next);
  const size = Float64Array.from({ length: width }, () => 0.2 + 2 * Math.abs(next()));
  const mean = Float64Array.from({ length: width }, next);
  const result = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const hidden = Float64Array.from({ length: width }, (_, k) => next() / (1 + k));
    for (let k = 0; k < width; k++) {
      let value = 0.05 * next();
      for (let j = 0; j < width; j++) value += mix[k * width + j]! * hidden[j]!;
      result[row * width + k] = mean[k]! + size[k]! * value;
    }
  }
  return result;
}
