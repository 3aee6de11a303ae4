// Scaled dot-product attention of one text, all heads: out = softmax(Q·Kᵀ / sqrt(headSize))·V per head.
// Vaswani et al., arXiv 1706.03762.
//
// A block of 8 queries goes through scores, softmax and the weighted sum while its scores stay in L1 (8 x keys floats). The
// 8 queries are the lanes of two vectors, so every sum over head columns or keys is a plain chain in rising order, one a
// lane; nothing is ever summed across lanes, and a query's result does not depend on which others share its block.
//
// Scratch, floats (live = keys that are not masked; masked ones are never packed, so they cost nothing and cannot leak):
//   packedKeys   [live/4][headSize][4 keys]    the last block repeats its last key
//   packedValues [headSize/4][live][4 columns] of one head, contiguous: rows of q, k, v lie a whole model width apart, and 128
//                                              such rows fall on a few sets of the cache
//   queryTile    [headSize][8 queries]         times log2(e)/sqrt(headSize): the softmax then needs 2^x, not e^x
//   scores       [live][8 queries]
//   outTile      [headSize rounded up to 4][8 queries]
//   rowTerms     [8 queries]                   maxima, then 1/Σ
import { exp2 } from "./exp";
import { interleaveRows } from "./transpose";

/**
 * Scores this far below their row's maximum (in powers of 2) count as this far: 2^-92 changes no f32 sum that holds a 1,
 * and products with values stay normal numbers (denormal ones take over 100 cycles each).
 */
const FLOOR: i32 = <i32>memory.data<f32>([-92.0, -92.0, -92.0, -92.0]);
const LOG2_E: f32 = 1.44269504089;

/** The first unmasked key at or after `key`; `keys` when there is none. */
function nextLive(keyMask: i32, key: i32, keys: i32): i32 {
  if (keyMask == 0) return key;
  while (key < keys && load<u8>(keyMask + key) == 0) key++;
  return key;
}

function countLive(keyMask: i32, keys: i32): i32 {
  let live = 0;
  for (let key = nextLive(keyMask, 0, keys); key < keys; key = nextLive(keyMask, key + 1, keys)) live++;
  return live;
}

/** One head's unmasked keys into blocks of 4. `stride` in bytes, as everywhere below the kernel itself. */
function packKeys(k: i32, stride: i32, keyMask: i32, keys: i32, live: i32, headSize: i32, packedKeys: i32): void {
  let key = -1;
  for (let packed = 0; packed < live; packed += 4) {
    const key0 = nextLive(keyMask, key + 1, keys);
    const key1 = packed + 1 < live ? nextLive(keyMask, key0 + 1, keys) : key0;
    const key2 = packed + 2 < live ? nextLive(keyMask, key1 + 1, keys) : key1;
    const key3 = packed + 3 < live ? nextLive(keyMask, key2 + 1, keys) : key2;
    interleaveRows(
      k + key0 * stride, k + key1 * stride, k + key2 * stride, k + key3 * stride,
      headSize, 1, packedKeys, 16,
    );
    packedKeys += headSize << 4;
    key = key3;
  }
}

/** One head's unmasked values into slices of 4 columns. The last slice may hold columns past the head; they are never used. */
function packValues(v: i32, stride: i32, keyMask: i32, keys: i32, live: i32, headSize: i32, packedValues: i32): void {
  const sliceBytes = live << 4;
  for (let key = nextLive(keyMask, 0, keys); key < keys; key = nextLive(keyMask, key + 1, keys)) {
    const row = v + key * stride;
    let slice = packedValues;
    for (let column = 0; column < headSize; column += 4) {
      v128.store(slice, v128.load(row + (column << 2)));
      slice += sliceBytes;
    }
    packedValues += 16;
  }
}

/** 8 queries, scaled, into [headSize][8]. A block of fewer repeats its last one; the repeats are not stored. */
function packQueries(q: i32, stride: i32, count: i32, headSize: i32, queryTile: i32): void {
  const scale = LOG2_E / sqrt<f32>(<f32>headSize);
  const last = count - 1;
  for (let half = 0; half < 8; half += 4) {
    interleaveRows(
      q + min(half, last) * stride, q + min(half + 1, last) * stride,
      q + min(half + 2, last) * stride, q + min(half + 3, last) * stride,
      headSize, scale, queryTile + (half << 2), 32,
    );
  }
}

/** scores[key][8] of one block of 8 queries, in blocks of 4 keys; the 8 row maxima go to `maxima`. */
function scoreTile(queryTile: i32, packedKeys: i32, live: i32, headSize: i32, scores: i32, maxima: i32): void {
  let max0 = f32x4.splat(-f32.MAX_VALUE);
  let max1 = max0;
  for (let key = 0; key < live; key += 4) {
    let s00 = i32x4.splat(0);
    let s01 = s00;
    let s10 = s00;
    let s11 = s00;
    let s20 = s00;
    let s21 = s00;
    let s30 = s00;
    let s31 = s00;
    let query = queryTile;
    for (let k = 0; k < headSize; k++) {
      const q0 = v128.load(query);
      const q1 = v128.load(query, 16);
      const k0 = v128.load_splat<f32>(packedKeys);
      s00 = f32x4.add(s00, f32x4.mul(q0, k0));
      s01 = f32x4.add(s01, f32x4.mul(q1, k0));
      const k1 = v128.load_splat<f32>(packedKeys, 4);
      s10 = f32x4.add(s10, f32x4.mul(q0, k1));
      s11 = f32x4.add(s11, f32x4.mul(q1, k1));
      const k2 = v128.load_splat<f32>(packedKeys, 8);
      s20 = f32x4.add(s20, f32x4.mul(q0, k2));
      s21 = f32x4.add(s21, f32x4.mul(q1, k2));
      const k3 = v128.load_splat<f32>(packedKeys, 12);
      s30 = f32x4.add(s30, f32x4.mul(q0, k3));
      s31 = f32x4.add(s31, f32x4.mul(q1, k3));
      query += 32;
      packedKeys += 16;
    }
    v128.store(scores, s00);
    v128.store(scores, s01, 16);
    v128.store(scores, s10, 32);
    v128.store(scores, s11, 48);
    v128.store(scores, s20, 64);
    v128.store(scores, s21, 80);
    v128.store(scores, s30, 96);
    v128.store(scores, s31, 112);
    scores += 128;
    max0 = f32x4.pmax(f32x4.pmax(max0, f32x4.pmax(s00, s10)), f32x4.pmax(s20, s30));
    max1 = f32x4.pmax(f32x4.pmax(max1, f32x4.pmax(s01, s11)), f32x4.pmax(s21, s31));
  }
  v128.store(maxima, max0);
  v128.store(maxima, max1, 16);
}

// @ts-ignore: decorator
@inline
function weight(score: v128, maximum: v128): v128 {
  return exp2(f32x4.pmax(f32x4.sub(score, maximum), v128.load(FLOOR)));
}

/** 1/Σ; NaN where no score rose above −MAX, which all weigh alike then and have said nothing of each other. */
// @ts-ignore: decorator
@inline
function inverseSum(sum: v128, maximum: v128): v128 {
  const isKnown = f32x4.gt(maximum, f32x4.splat(-f32.MAX_VALUE));
  return f32x4.div(v128.bitselect(f32x4.splat(1), f32x4.splat(f32.NaN), isKnown), sum);
}

/** scores = 2^(scores − maximum), unnormalised; `maxima` (8 floats) becomes 1/Σ, which the weighted sum applies at its end. */
function weightTile(scores: i32, live: i32, maxima: i32): void {
  const max0 = v128.load(maxima);
  const max1 = v128.load(maxima, 16);
  let sum0 = i32x4.splat(0);
  let sum1 = sum0;
  for (let key = 0; key < live; key++) {
    const weight0 = weight(v128.load(scores), max0);
    const weight1 = weight(v128.load(scores, 16), max1);
    v128.store(scores, weight0);
    v128.store(scores, weight1, 16);
    sum0 = f32x4.add(sum0, weight0);
    sum1 = f32x4.add(sum1, weight1);
    scores += 32;
  }
  v128.store(maxima, inverseSum(sum0, max0));
  v128.store(maxima, inverseSum(sum1, max1), 16);
}

/** outTile[column][8] = Σ_key scores[key][8] · values[key][column] · inverses[8], 4 columns at a time. */
function mixTile(scores: i32, packedValues: i32, live: i32, headSize: i32, inverses: i32, outTile: i32): void {
  for (let column = 0; column < headSize; column += 4) {
    let s00 = i32x4.splat(0);
    let s01 = s00;
    let s10 = s00;
    let s11 = s00;
    let s20 = s00;
    let s21 = s00;
    let s30 = s00;
    let s31 = s00;
    let weights = scores;
    for (let key = 0; key < live; key++) {
      const w0 = v128.load(weights);
      const w1 = v128.load(weights, 16);
      const v0 = v128.load_splat<f32>(packedValues);
      s00 = f32x4.add(s00, f32x4.mul(w0, v0));
      s01 = f32x4.add(s01, f32x4.mul(w1, v0));
      const v1 = v128.load_splat<f32>(packedValues, 4);
      s10 = f32x4.add(s10, f32x4.mul(w0, v1));
      s11 = f32x4.add(s11, f32x4.mul(w1, v1));
      const v2 = v128.load_splat<f32>(packedValues, 8);
      s20 = f32x4.add(s20, f32x4.mul(w0, v2));
      s21 = f32x4.add(s21, f32x4.mul(w1, v2));
      const v3 = v128.load_splat<f32>(packedValues, 12);
      s30 = f32x4.add(s30, f32x4.mul(w0, v3));
      s31 = f32x4.add(s31, f32x4.mul(w1, v3));
      weights += 32;
      packedValues += 16;
    }
    const inverse0 = v128.load(inverses);
    const inverse1 = v128.load(inverses, 16);
    v128.store(outTile, f32x4.mul(s00, inverse0));
    v128.store(outTile, f32x4.mul(s01, inverse1), 16);
    v128.store(outTile, f32x4.mul(s10, inverse0), 32);
    v128.store(outTile, f32x4.mul(s11, inverse1), 48);
    v128.store(outTile, f32x4.mul(s20, inverse0), 64);
    v128.store(outTile, f32x4.mul(s21, inverse1), 80);
    v128.store(outTile, f32x4.mul(s30, inverse0), 96);
    v128.store(outTile, f32x4.mul(s31, inverse1), 112);
    outTile += 128;
  }
}

/** outTile[column][8] back to rows of `out`: `count` queries, `headSize` columns. */
function unpackTile(outTile: i32, count: i32, headSize: i32, out: i32, stride: i32): void {
  let column = 0;
  for (; column + 4 <= headSize; column += 4) {
    const to = out + (column << 2);
    interleaveRows(outTile, outTile + 32, outTile + 64, outTile + 96, min(count, 4), 1, to, stride);
    if (count > 4) {
      interleaveRows(outTile + 16, outTile + 48, outTile + 80, outTile + 112, count - 4, 1, to + (stride << 2), stride);
    }
    outTile += 128;
  }
  for (; column < headSize; column++) {
    for (let query = 0; query < count; query++) {
      store<f32>(out + query * stride + (column << 2), load<f32>(outTile + (query << 2)));
    }
    outTile += 32;
  }
}

/**
 * Attention of one text. Head h lies at column h·headSize of q, k, v and out.
 *
 * @param q        f32 [queries][qStride]
 * @param k        f32 [keys][kvStride], @param v f32 [keys][kvStride]
 * @param keyMask  u8 [keys], 0 = masked; 0 instead of an address: no key is masked
 * @param scratch  attentionScratchBytes(keys, headSize) bytes (src/wasm/scratch.ts):
 *                 4·(K·D + keys·D4 + 8·D + 8·K + 8·D4 + 8), D = headSize, K = keys rounded up to 4, D4 = D rounded up to 4
 * @param out      f32 [queries][outStride]; zeros for every query when all keys are masked. May be q itself: a query's
 *                 columns are read before they are written
 * Any headSize, keys, queries >= 1. Strides in floats. A score of NaN or +Inf gives NaN in its query's row alone, and so do scores that are
 * all −Inf; −Inf beside a finite score weighs next to nothing.
 */
export function attention(
  q: i32, k: i32, v: i32, queries: i32, keys: i32, heads: i32, headSize: i32,
  qStride: i32, kvStride: i32, keyMask: i32, scratch: i32, out: i32, outStride: i32,
): void {
  const qBytes = qStride << 2;
  const kvBytes = kvStride << 2;
  const outBytes = outStride << 2;
  const live = countLive(keyMask, keys);
  if (live == 0) {
    for (let query = 0; query < queries; query++) memory.fill(out + query * outBytes, 0, (heads * headSize) << 2);
    return;
  }
  const wholeKeys = (keys + 3) & ~3;
  const wholeColumns = (headSize + 3) & ~3;
  const packedKeys = scratch;
  const packedValues = packedKeys + ((wholeKeys * headSize) << 2);
  const queryTile = packedValues + ((keys * wholeColumns) << 2);
  const scores = queryTile + (headSize << 5);
  const outTile = scores + (wholeKeys << 5);
  const rowTerms = outTile + (wholeColumns << 5);
  for (let head = 0; head < heads; head++) {
    const column = (head * headSize) << 2;
    packKeys(k + column, kvBytes, keyMask, keys, live, headSize, packedKeys);
    packValues(v + column, kvBytes, keyMask, keys, live, headSize, packedValues);
    for (let query = 0; query < queries; query += 8) {
      const count = min(queries - query, 8);
      packQueries(q + column + query * qBytes, qBytes, count, headSize, queryTile);
      scoreTile(queryTile, packedKeys, live, headSize, scores, rowTerms);
      weightTile(scores, live, rowTerms);
      mixTile(scores, packedValues, live, headSize, rowTerms, outTile);
      unpackTile(outTile, count, headSize, out + column + query * outBytes, outBytes);
    }
  }
}
