// Scalar twin of f32/attention.ts: one query at a time, nothing packed, rows of `heads · headSize` floats.
import { atLeast, exp2 } from "./exp";

/** Σ_k (q[k] · scale) · key[k] over one head. */
function score(q: Float32Array, queryAt: i32, k: Float32Array, keyAt: i32, headSize: i32): f32 {
  const scale = <f32>1.44269504089 / sqrt<f32>(<f32>headSize);
  let sum: f32 = 0;
  for (let i = 0; i < headSize; i++) sum += q[queryAt + i] * scale * k[keyAt + i];
  return sum;
}

/** Unnormalised softmax weights of one query; 0 at masked keys; NaN when no score is above −MAX. */
function weigh(scores: Float32Array, keyMask: Uint8Array): void {
  let largest: f32 = -f32.MAX_VALUE;
  for (let key = 0; key < scores.length; key++) {
    if (keyMask[key] != 0 && largest < scores[key]) largest = scores[key];
  }
  for (let key = 0; key < scores.length; key++) {
    const weight = largest > -f32.MAX_VALUE ? exp2(atLeast(scores[key] - largest, -92)) : <f32>NaN;
    scores[key] = keyMask[key] != 0 ? weight : 0;
  }
}

/** Masked keys are skipped, not weighted by 0: their values may be anything. `keyMask` names every key. */
export function attention(
  q: Float32Array, k: Float32Array, v: Float32Array, queries: i32, keys: i32, heads: i32, headSize: i32, keyMask: Uint8Array,
): Float32Array {
  const width = heads * headSize;
  const out = new Float32Array(queries * width);
  const weights = new Float32Array(keys);
  for (let query = 0; query < queries; query++) {
    for (let head = 0; head < heads; head++) {
      const column = head * headSize;
      for (let key = 0; key < keys; key++) weights[key] = score(q, query * width + column, k, key * width + column, headSize);
      weigh(weights, keyMask);
      let total: f32 = 0;
      for (let key = 0; key < keys; key++) if (keyMask[key] != 0) total += weights[key];
      if (total == 0) continue; // every key is masked: zeros
      for (let i = column; i < column + headSize; i++) {
        let mixed: f32 = 0;
        for (let key = 0; key < keys; key++) if (keyMask[key] != 0) mixed += weights[key] * v[key * width + i];
        out[query * width + i] = mixed * (<f32>1 / total);
      }
    }
  }
  return out;
}
