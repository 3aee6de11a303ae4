// Attention's training steps for one text, all heads: softmax(Q·Kᵀ/sqrt(d))·V with dropout on the weights, and its backward step.
// Vaswani et al., arXiv 1706.03762.
//
// Nothing is kept but q, k and v: the backward step makes the weights P anew. That is a product and a softmax more, 2 % of a
// layer at 128 tokens, for heads·tokens floats less a token. M are dropout's zeros and 1/(1 − rate), made anew as well:
//
//   P = softmax(Q·Kᵀ/√d),  O = (P∘M)·V
//   dV = (P∘M)ᵀ·dO;  dP = (dO·Vᵀ)∘M;  dS = P∘(dP − Σ_key P∘dP)/√d;  dQ = dS·K;  dK = dSᵀ·Q
//
// Scratch, floats, K8 = keys rounded up to 8:
//   panels  [K8][headSize]   one head's keys, then its values, as columns of a product
//   weights [queries][K8]    P, or P∘M
//   deltas  [queries][K8]    dP, then dS (backward step only)
//   kept    [queries][K8]    P where `weights` hold P∘M (backward step with dropout only)
import { exp } from "../f32/exp";
import { rowSum } from "../f32/row-sums";
import { storeTail } from "../f32/tail";
import { dropout } from "./dropout";
import { packRowPanels } from "./pack";
import { product } from "./product";
import { rowDot } from "./row-dot";
import { rowMaximum } from "./row-maximum";

/** Masked scores. Far below any other: what exp gives for it is cleared afterwards. */
const MASKED: f32 = -1e30;

function maskRow(x: i32, keys: i32, keyMask: i32, value: f32): void {
  for (let key = 0; key < keys; key++) if (load<u8>(keyMask + key) == 0) store<f32>(x + (key << 2), value);
}

// @ts-ignore: decorator
@inline
function weight(score: v128, largest: v128, scale: v128): v128 {
  return exp(f32x4.mul(f32x4.sub(score, largest), scale));
}

/** Scores to weights in place, rows `stride` bytes apart: softmax of scale·score over the keys that are not masked. */
function softmaxScores(x: i32, queries: i32, keys: i32, stride: i32, scale: f32, keyMask: i32): void {
  const by = f32x4.splat(scale);
  const whole = (keys & ~3) << 2;
  const left = keys & 3;
  for (let query = 0; query < queries; query++) {
    if (keyMask != 0) maskRow(x, keys, keyMask, MASKED);
    const largest = f32x4.splat(rowMaximum(x, keys));
    let at = 0;
    for (; at < whole; at += 16) v128.store(x + at, weight(v128.load(x + at), largest, by));
    if (left) storeTail(x + at, weight(v128.load(x + at), largest, by), left);
    if (keyMask != 0) maskRow(x, keys, keyMask, 0);
    const sum = rowSum(x, keys);
    const inverse = f32x4.splat(sum > 0 || sum != sum ? <f32>1 / sum : 0); // 0: every key is masked
    for (at = 0; at < whole; at += 16) v128.store(x + at, f32x4.mul(v128.load(x + at), inverse));
    if (left) storeTail(x + at, f32x4.mul(v128.load(x + at), inverse), left);
    x += stride;
  }
}

/** P of one head at `weights`. */
function headWeights(
  q: i32, k: i32, queries: i32, keys: i32, headSize: i32, stride: i32, keyMask: i32, panels: i32, weights: i32, width: i32,
): void {
  packRowPanels(k, keys, headSize, stride, panels);
  product(q, queries, stride << 2, 4, headSize, panels, headSize << 5, 32, keys, 0, weights, width, 0);
  softmaxScores(weights, queries, keys, width << 2, <f32>1 / sqrt<f32>(<f32>headSize), keyMask);
}

/** Dropout's own numbers for one head: heads draw from one counter, one after the other. */
// @ts-ignore: decorator
@inline
function headKey(key1: i32, head: i32): i32 {
  return key1 + head * 0x9e3779b9;
}

/**
 * out = dropout(softmax(q·kᵀ/sqrt(headSize)))·v per head. Head h lies at column h·headSize.
 * @param q         f32 [queries][stride], @param k f32 [keys][stride], @param v f32 [keys][stride]
 * @param keyMask   u8 [keys], 0 = masked, or 0: none is. Masked keys and values must be finite
 * @param threshold rate·2^32; 0 = no dropout, @param dropScale 1/(1 − rate), @param key0, key1 dropout's keys
 * @param scratch   trainAttentionBytes(queries, keys, headSize) bytes (src/train/scratch.ts)
 * @param out       f32 [queries][stride]; may be q
 */
export function attentionForward(
  q: i32, k: i32, v: i32, queries: i32, keys: i32, heads: i32, headSize: i32, stride: i32, keyMask: i32,
  threshold: i32, dropScale: f32, key0: i32, key1: i32, scratch: i32, out: i32,
): void {
  const width = (keys + 7) & ~7;
  const weights = scratch + ((width * headSize) << 2);
  for (let head = 0; head < heads; head++) {
    const at = (head * headSize) << 2;
    headWeights(q + at, k + at, queries, keys, headSize, stride, keyMask, scratch, weights, width);
    if (threshold != 0) dropout(weights, queries * width, threshold, dropScale, key0, headKey(key1, head));
    product(weights, queries, width << 2, 4, keys, v + at, 32, stride << 2, headSize, 0, out + at, stride, 0);
  }
}

/** dP → dS in place: `weights` hold P, rows `width` floats. */
function softmaxBackward(weights: i32, deltas: i32, queries: i32, keys: i32, width: i32, scale: f32): void {
  const by = f32x4.splat(scale);
  const bytes = width << 2;
  for (let query = 0; query < queries; query++) {
    const dot = f32x4.splat(rowDot(weights, deltas, keys));
    for (let at = 0; at < bytes; at += 16) {
      const p = f32x4.mul(v128.load(weights + at), by);
      v128.store(deltas + at, f32x4.mul(p, f32x4.sub(v128.load(deltas + at), dot)));
    }
    weights += bytes;
    deltas += bytes;
  }
}

/** weights = P∘M and deltas = dP∘M in place, `count` floats each; P goes to `kept`. */
function dropBoth(
  weights: i32, deltas: i32, kept: i32, count: i32, threshold: i32, dropScale: f32, key0: i32, key1: i32,
): void {
  memory.copy(kept, weights, count << 2);
  dropout(weights, count, threshold, dropScale, key0, key1);
  dropout(deltas, count, threshold, dropScale, key0, key1);
}

/**
 * dq, dk and dv of `attentionForward`, called with the same arguments.
 * @param dOut    f32 [queries][stride]
 * @param scratch trainAttentionBytes(queries, keys, headSize) bytes
 * @param dq      f32 [queries][stride], @param dk f32 [keys][stride], @param dv f32 [keys][stride]; written, not added to; dq may
 *                be dOut
 */
export function attentionBackward(
  q: i32, k: i32, v: i32, dOut: i32, queries: i32, keys: i32, heads: i32, headSize: i32, stride: i32, keyMask: i32,
  threshold: i32, dropScale: f32, key0: i32, key1: i32, scratch: i32, dq: i32, dk: i32, dv: i32,
): void {
  const width = (keys + 7) & ~7;
  const bytes = stride << 2;
  const rowBytes = width << 2;
  const count = queries * width;
  const weights = scratch + ((width * headSize) << 2);
  const deltas = weights + (count << 2);
  const kept = threshold != 0 ? deltas + (count << 2) : weights;
  const scale: f32 = <f32>1 / sqrt<f32>(<f32>headSize);
  for (let head = 0; head < heads; head++) {
    const at = (head * headSize) << 2;
    headWeights(q + at, k + at, queries, keys, headSize, stride, keyMask, scratch, weights, width);
    packRowPanels(v + at, keys, headSize, stride, scratch);
    product(dOut + at, queries, bytes, 4, headSize, scratch, headSize << 5, 32, keys, 0, deltas, width, 0);
    if (threshold != 0) dropBoth(weights, deltas, kept, count, threshold, dropScale, key0, headKey(key1, head));
    product(weights, keys, 4, rowBytes, queries, dOut + at, 32, bytes, headSize, 0, dv + at, stride, 0);
    softmaxBackward(kept, deltas, queries, keys, width, scale);
    product(deltas, keys, 4, rowBytes, queries, q + at, 32, bytes, headSize, 0, dk + at, stride, 0);
    product(deltas, queries, rowBytes, 4, keys, k + at, 32, bytes, headSize, 0, dq + at, stride, 0);
  }
}
