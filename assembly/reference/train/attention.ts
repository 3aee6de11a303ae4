// Scalar twins of train/attention.ts: rows of `heads · headSize` floats without gaps, one head and query at a time.
import { exp } from "../exp";
import { rowSum } from "../row-sums";
import { droppedValue } from "./dropout";
import { rowDot } from "./row-dot";

/** P of one head, [queries][keys]. `keyMask` names every key. */
function headWeights(
  q: Float32Array, k: Float32Array, queries: i32, keys: i32, column: i32, headSize: i32, width: i32, keyMask: Uint8Array,
): Float32Array {
  const p = new Float32Array(queries * keys);
  const scale = <f32>1 / sqrt<f32>(<f32>headSize);
  for (let i = 0; i < queries; i++) {
    let largest: f32 = -f32.MAX_VALUE;
    for (let j = 0; j < keys; j++) {
      let score: f32 = 0;
      for (let d = column; d < column + headSize; d++) score += q[i * width + d] * k[j * width + d];
      p[i * keys + j] = keyMask[j] != 0 ? score : <f32>-1e30;
      largest = largest < p[i * keys + j] ? p[i * keys + j] : largest;
    }
    for (let j = 0; j < keys; j++) p[i * keys + j] = keyMask[j] != 0 ? exp((p[i * keys + j] - largest) * scale) : 0;
    const sum = rowSum(p, i * keys, keys);
    for (let j = 0; j < keys; j++) p[i * keys + j] *= sum == 0 ? 0 : <f32>1 / sum;
  }
  return p;
}

/** x after dropout; rows of x have `keys` places, those that are counted a multiple of 8. A threshold of 0 drops nothing. */
function afterDropout(x: Float32Array, keys: i32, head: i32, threshold: i32, scale: f32, key0: i32, key1: i32): Float32Array {
  const out = new Float32Array(x.length);
  const wide = (keys + 7) & ~7;
  for (let i = 0; i < x.length; i++) {
    const index = i / keys * wide + i % keys;
    out[i] = threshold != 0 ? droppedValue(x[i], index, threshold, scale, key0, key1 + head * 0x9e3779b9) : x[i];
  }
  return out;
}

export function attentionForward(
  q: Float32Array, k: Float32Array, v: Float32Array, queries: i32, keys: i32, heads: i32, headSize: i32, keyMask: Uint8Array,
  threshold: i32, dropScale: f32, key0: i32, key1: i32,
): Float32Array {
  const width = heads * headSize;
  const out = new Float32Array(queries * width);
  for (let head = 0; head < heads; head++) {
    const column = head * headSize;
    const weights = headWeights(q, k, queries, keys, column, headSize, width, keyMask);
    const p = afterDropout(weights, keys, head, threshold, dropScale, key0, key1);
    for (let i = 0; i < queries; i++) {
      for (let d = column; d < column + headSize; d++) {
        let sum: f32 = 0;
        for (let j = 0; j < keys; j++) sum += p[i * keys + j] * v[j * width + d];
        out[i * width + d] = sum;
      }
    }
  }
  return out;
}

/** dS of one head, [queries][keys]. */
function headScores(
  p: Float32Array, v: Float32Array, dOut: Float32Array, queries: i32, keys: i32, head: i32, headSize: i32, width: i32,
  threshold: i32, dropScale: f32, key0: i32, key1: i32,
): Float32Array {
  const column = head * headSize;
  const scale = <f32>1 / sqrt<f32>(<f32>headSize);
  const raw = new Float32Array(queries * keys);
  for (let i = 0; i < queries; i++) {
    for (let j = 0; j < keys; j++) {
      let sum: f32 = 0;
      for (let d = column; d < column + headSize; d++) sum += dOut[i * width + d] * v[j * width + d];
      raw[i * keys + j] = sum;
    }
  }
  const dp = afterDropout(raw, keys, head, threshold, dropScale, key0, key1);
  for (let i = 0; i < queries; i++) {
    const dot = rowDot(p, i * keys, dp, i * keys, keys);
    for (let j = i * keys; j < (i + 1) * keys; j++) dp[j] = p[j] * scale * (dp[j] - dot);
  }
  return dp;
}

/** [dq, dk, dv], one after the other. */
export function attentionBackward(
  q: Float32Array, k: Float32Array, v: Float32Array, dOut: Float32Array, queries: i32, keys: i32, heads: i32, headSize: i32,
  keyMask: Uint8Array, threshold: i32, dropScale: f32, key0: i32, key1: i32,
): Float32Array {
  const width = heads * headSize;
  const all = new Float32Array((queries + 2 * keys) * width);
  const dkAt = queries * width;
  const dvAt = dkAt + keys * width;
  for (let head = 0; head < heads; head++) {
    const column = head * headSize;
    const p = headWeights(q, k, queries, keys, column, headSize, width, keyMask);
    const dropped = afterDropout(p, keys, head, threshold, dropScale, key0, key1);
    const ds = headScores(p, v, dOut, queries, keys, head, headSize, width, threshold, dropScale, key0, key1);
    for (let d = column; d < column + headSize; d++) {
      for (let i = 0; i < queries; i++) {
        for (let j = 0; j < keys; j++) {
          all[i * width + d] += ds[i * keys + j] * k[j * width + d];
          all[dkAt + j * width + d] += ds[i * keys + j] * q[i * width + d];
          all[dvAt + j * width + d] += dropped[i * keys + j] * dOut[i * width + d];
        }
      }
    }
  }
  return all;
}
