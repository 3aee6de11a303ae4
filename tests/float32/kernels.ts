import type { Address, Kernels } from "../../src/wasm/kernels.ts";
import type { LinearMemory } from "../../src/wasm/memory.ts";

/**
 * The kernels' ABI in plain TypeScript, float64 inside, with float32 weights in place of packed ones: puts the whole
 * forward pass beside PyTorch without quantisation in between. `quantizeRows` only copies (scaled) rows.
 */
export function float32Kernels(memory: LinearMemory): Kernels {
  let { f32, i32, u8 } = memory;
  // Views are lost when the memory grows, so every kernel takes them anew.
  const refreshed = <A extends unknown[]>(kernel: (...args: A) => void) => (...args: A): void => {
    ({ f32, i32, u8 } = memory);
    kernel(...args);
  };
  const at = (address: Address): number => address >>> 2;
  const map = (f: (x: number) => number) => (x: Address, count: number) => {
    for (let i = at(x); i < at(x) + count; i++) f32[i] = f(f32[i]!);
  };
  const addProduct: Kernels["addProduct"] = (t, rows, rank, tStride, up, columns, y, yStride) => {
    const stride = (columns + 3) & ~3;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        let sum = 0;
        for (let k = 0; k < rank; k++) sum += f32[at(t) + r * tStride + k]! * f32[at(up) + k * stride + c]!;
        f32[at(y) + r * yStride + c]! += sum;
      }
    }
  };
  const dense: Kernels["dense"] = (x, rows, depth, stride, weights, bias, columns, out, outStride) => {
    const padded = (columns + 3) & ~3;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        let sum = bias === 0 ? 0 : f32[at(bias) + c]!;
        for (let k = 0; k < depth; k++) sum += f32[at(x) + r * stride + k]! * f32[at(weights) + k * padded + c]!;
        f32[at(out) + r * outStride + c] = sum;
      }
    }
  };
  const kernels: Kernels = {
    quantizeRows(x, rows, depth, stride, columnScale, codes) {
      for (let r = 0; r < rows; r++) {
        for (let k = 0; k < depth; k++) {
          const scale = columnScale === 0 ? 1 : f32[at(columnScale) + k]!;
          f32[at(codes) + r * depth + k] = f32[at(x) + r * stride + k]! * scale;
        }
      }
    },
    matmul(codes, _terms, rows, depth, panels, channels, columns, out, outStride) {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          let sum = f32[at(channels) + (c >> 3) * 24 + 8 + (c & 7)]!;
          for (let k = 0; k < depth; k++) sum += f32[at(codes) + r * depth + k]! * f32[at(panels) + c * depth + k]!;
          f32[at(out) + r * outStride + c] = sum;
        }
      }
    },
    embed(ids, positions, types, rows, codes, _scales, positionTable, typeTable, width, out) {
      for (let r = 0; r < rows; r++) {
        const word = at(codes) + i32[at(ids) + r]! * width;
        const position = at(positionTable) + i32[at(positions) + r]! * width;
        const type = typeTable === 0 ? -1 : at(typeTable) + (types === 0 ? 0 : i32[at(types) + r]!) * width;
        for (let k = 0; k < width; k++) {
          f32[at(out) + r * width + k] = f32[word + k]! + (type < 0 ? 0 : f32[type + k]!) + f32[position + k]!;
        }
      }
    },
    layerNorm(x, residual, rows, width, gamma, beta, epsilon, out) {
      const row = new Float64Array(width);
      for (let r = 0; r < rows; r++) {
        let sum = 0;
        for (let k = 0; k < width; k++) {
          row[k] = f32[at(x) + r * width + k]! + (residual === 0 ? 0 : f32[at(residual) + r * width + k]!);
          sum += row[k]!;
        }
        const mean = sum / width;
        let squares = 0;
        for (let k = 0; k < width; k++) squares += (row[k]! - mean) ** 2;
        const inverse = 1 / Math.sqrt(squares / width + epsilon);
        for (let k = 0; k < width; k++) {
          f32[at(out) + r * width + k] = (row[k]! - mean) * inverse * f32[at(gamma) + k]! + f32[at(beta) + k]!;
        }
      }
    },
    gelu: map((x) => 0.5 * x * (1 + erf(x / Math.SQRT2))),
    geluTanh: map((x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
    relu: map((x) => Math.max(x, 0)),
    tanh: map(Math.tanh),
    sigmoid: map((x) => 1 / (1 + Math.exp(-x))),
    softmaxRows(x, rows, columns, stride) {
      for (let r = 0; r < rows; r++) softmax(f32.subarray(at(x) + r * stride, at(x) + r * stride + columns));
    },
    attention(q, k, v, queries, keys, heads, headSize, qStride, kvStride, keyMask, _scratch, out, outStride) {
      const weights = new Float64Array(keys);
      for (let h = 0; h < heads; h++) {
        for (let i = 0; i < queries; i++) {
          for (let j = 0; j < keys; j++) {
            let sum = 0;
            for (let d = 0; d < headSize; d++) {
              sum += f32[at(q) + i * qStride + h * headSize + d]! * f32[at(k) + j * kvStride + h * headSize + d]!;
            }
            weights[j] = keyMask !== 0 && u8[keyMask + j] === 0 ? -Infinity : sum / Math.sqrt(headSize);
          }
          softmax(weights);
          for (let d = 0; d < headSize; d++) {
            let sum = 0;
            for (let j = 0; j < keys; j++) sum += weights[j]! * f32[at(v) + j * kvStride + h * headSize + d]!;
            f32[at(out) + i * outStride + h * headSize + d] = sum;
          }
        }
      }
    },
    dense,
    lowRankAdd(x, rows, depth, stride, down, rank, up, columns, t, y, yStride) {
      const tStride = (rank + 3) & ~3;
      dense(x, rows, depth, stride, down, 0, rank, t, tStride);
      addProduct(t, rows, rank, tStride, up, columns, y, yStride);
    },
    addProduct,
    gatherRows(table, ids, rows, width, out) {
      for (let r = 0; r < rows; r++) {
        const from = at(table) + i32[at(ids) + r]! * width;
        f32.copyWithin(at(out) + r * width, from, from + width);
      }
    },
    scaleShiftRows(y, rows, columns, stride, scale, shift) {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          const i = at(y) + r * stride + c;
          f32[i] = f32[i]! * (scale === 0 ? 1 : f32[at(scale) + c]!) + (shift === 0 ? 0 : f32[at(shift) + c]!);
        }
      }
    },
    meanRows(x, rows, width, stride, keyMask, out) {
      for (let k = 0; k < width; k++) {
        let sum = 0;
        let count = 0;
        for (let r = 0; r < rows; r++) {
          if (keyMask !== 0 && u8[keyMask + r] === 0) continue;
          sum += f32[at(x) + r * stride + k]!;
          count++;
        }
        f32[at(out) + k] = count === 0 ? 0 : sum / count;
      }
    },
    l2Normalize(x, width) {
      let squares = 0;
      for (let k = 0; k < width; k++) squares += f32[at(x) + k]! ** 2;
      for (let k = 0; k < width; k++) f32[at(x) + k]! /= squares === 0 ? 1 : Math.sqrt(squares);
    },
  };
  return Object.fromEntries(
    Object.entries(kernels).map(([name, kernel]) => [name, refreshed(kernel as (...args: unknown[]) => void)]),
  ) as unknown as Kernels;
}

function softmax(row: Float32Array | Float64Array): void {
  let largest = -Infinity;
  for (const value of row) largest = Math.max(largest, value);
  if (largest === -Infinity) return void row.fill(0);
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i] = Math.exp(row[i]! - largest);
  for (let i = 0; i < row.length; i++) row[i]! /= sum;
}

/** erf by its Maclaurin series below 3 and the continued fraction of erfc above; error below 1e-14. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 100; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}
