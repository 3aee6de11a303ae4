// f32 rows to 8-bit codes, each row with its own scale and zero point.
//
//   x' = x · columnScale     lo = min(0, min x')     hi = max(0, max x')
//   scale = (hi − lo)/255    zero = −128 − nearest(lo · 255/(hi − lo))     code = clamp(nearest(x' · 255/(hi − lo)) + zero, −128, 127)
//
// Four rows are coded at a time: four vectors of 4 k narrow straight into the kernels' tile [4 rows][4 k]. Element type i8
// in the relaxed module, i16 in the fixed one.

/** x + MAGIC holds nearest(x) in its low bits, ties to even, for |x| < 2^22:
 *  one addition where rounding and a saturating conversion cost V8 about eight instructions. */
const MAGIC = memory.data<f32>([12582912, 12582912, 12582912, 12582912], 16);
/** A mask of the first n lanes starts at byte 4·(4 − n). */
const LANES = memory.data<i32>([-1, -1, -1, -1, 0, 0, 0, 0], 16);
const LIMITS = memory.data<i16>([-128, -128, -128, -128, -128, -128, -128, -128, 127, 127, 127, 127, 127, 127, 127, 127], 16);
/** A narrower range counts as none: its reciprocal would overflow. */
const SMALLEST_RANGE: f32 = 1e-36;

const GROUP_BYTES: i32 = ASC_FEATURE_RELAXED_SIMD ? 16 : 32;

// Row terms, 16 bytes: f32 scale, i32 zero, i32 sum of codes, and a word that is 0 in the end: it holds 255/range between
// the two passes.
const TERM_BYTES: i32 = 16;
const ZERO: i32 = 4;
const SUM: i32 = 8;
const INVERSE: i32 = 12;

/** 4 elements of a row, times their column scales where there are some. */
// @ts-ignore: decorator
@inline
function loadScaled(x: i32, columnScale: i32, offset: i32): v128 {
  const value = v128.load(x + offset);
  return columnScale ? f32x4.mul(value, v128.load(columnScale + offset)) : value;
}

/** First pass: scale, zero and inverse of one row into its terms. */
function measureRow(x: i32, columnScale: i32, depth: i32, term: i32): void {
  let low = f32x4.splat(0), high = low, unordered = low;
  const bytes: i32 = depth << 2;
  const whole = bytes & ~15;
  for (let offset: i32 = 0; offset < whole; offset += 16) {
    const value = loadScaled(x, columnScale, offset);
    low = f32x4.pmin(low, value);
    high = f32x4.pmax(high, value);
    unordered = v128.or(unordered, f32x4.ne(value, value));
  }
  if (whole < bytes) {
    // What lies past the row is masked to 0, which changes neither bound.
    const value = v128.and(loadScaled(x, columnScale, whole), v128.load(LANES + 16 - (bytes - whole)));
    low = f32x4.pmin(low, value);
    high = f32x4.pmax(high, value);
    unordered = v128.or(unordered, f32x4.ne(value, value));
  }
  low = f32x4.pmin(low, v128.shuffle<i32>(low, low, 2, 3, 0, 1));
  high = f32x4.pmax(high, v128.shuffle<i32>(high, high, 2, 3, 0, 1));
  const lo = f32x4.extract_lane(f32x4.pmin(low, v128.shuffle<i32>(low, low, 1, 0, 3, 2)), 0);
  const hi = f32x4.extract_lane(f32x4.pmax(high, v128.shuffle<i32>(high, high, 1, 0, 3, 2)), 0);
  // pmin and pmax pass over NaN; a row that holds one gets a NaN scale instead, so that its outputs say so.
  const range: f32 = v128.any_true(unordered) ? f32.NaN : hi - lo;
  const empty = range < SMALLEST_RANGE;
  const inverse: f32 = empty ? 0 : 255 / range;
  store<f32>(term, empty ? 0 : range / 255);
  store<i32>(term, empty ? 0 : -128 - <i32>nearest<f32>(lo * inverse), ZERO);
  store<f32>(term, inverse, INVERSE);
}

/** nearest(x' · inverse) + zero of 4 elements as i32, not yet clamped; `term` is the row's. */
// @ts-ignore: decorator
@inline
function codesOf(value: v128, term: i32, magic: v128): v128 {
  const shift = i32x4.sub(v128.load_splat<i32>(term, ZERO), magic);
  return i32x4.add(f32x4.add(f32x4.mul(value, v128.load_splat<f32>(term, INVERSE)), magic), shift);
}

/** Clamps and stores one tile of 4 rows x 4 k and returns its four row sums. `rowMask` has -1 for rows that exist. */
// @ts-ignore: decorator
@inline
function storeTile(codes: i32, a: v128, b: v128, c: v128, d: v128, rowMask: v128): v128 {
  const ab = i16x8.narrow_i32x4_s(a, b);
  const cd = i16x8.narrow_i32x4_s(c, d);
  if (ASC_FEATURE_RELAXED_SIMD) {
    const tile = v128.and(i8x16.narrow_i16x8_s(ab, cd), rowMask);
    v128.store(codes, tile);
    return i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(tile));
  } else {
    const least = v128.load(LIMITS);
    const most = v128.load(LIMITS, 16);
    const low = v128.and(i16x8.min_s(i16x8.max_s(ab, least), most), v128.shuffle<i32>(rowMask, rowMask, 0, 0, 1, 1));
    const high = v128.and(i16x8.min_s(i16x8.max_s(cd, least), most), v128.shuffle<i32>(rowMask, rowMask, 2, 2, 3, 3));
    v128.store(codes, low);
    v128.store(codes, high, 16);
    const lowPairs = i32x4.extadd_pairwise_i16x8_s(low);
    const highPairs = i32x4.extadd_pairwise_i16x8_s(high);
    return i32x4.add(v128.shuffle<i32>(lowPairs, highPairs, 0, 2, 4, 6), v128.shuffle<i32>(lowPairs, highPairs, 1, 3, 5, 7));
  }
}

/** Second pass over 4 rows: codes and sums. A row that does not exist has the address of one that does, and is masked to code 0. */
function codeRows(a: i32, b: i32, c: i32, d: i32, rowMask: v128, columnScale: i32, depth: i32, codes: i32, terms: i32): void {
  const magic = v128.load(MAGIC);
  const bytes: i32 = depth << 2;
  const whole = bytes & ~15;
  let sums = i32x4.splat(0);
  for (let offset: i32 = 0; offset < whole; offset += 16) {
    const ca = codesOf(loadScaled(a, columnScale, offset), terms, magic);
    const cb = codesOf(loadScaled(b, columnScale, offset), terms + TERM_BYTES, magic);
    const cc = codesOf(loadScaled(c, columnScale, offset), terms + 2 * TERM_BYTES, magic);
    const cd = codesOf(loadScaled(d, columnScale, offset), terms + 3 * TERM_BYTES, magic);
    sums = i32x4.add(sums, storeTile(codes, ca, cb, cc, cd, rowMask));
    codes += GROUP_BYTES;
  }
  if (whole < bytes) {
    const mask = v128.load(LANES + 16 - (bytes - whole));
    const ca = v128.and(codesOf(loadScaled(a, columnScale, whole), terms, magic), mask);
    const cb = v128.and(codesOf(loadScaled(b, columnScale, whole), terms + TERM_BYTES, magic), mask);
    const cc = v128.and(codesOf(loadScaled(c, columnScale, whole), terms + 2 * TERM_BYTES, magic), mask);
    const cd = v128.and(codesOf(loadScaled(d, columnScale, whole), terms + 3 * TERM_BYTES, magic), mask);
    sums = i32x4.add(sums, storeTile(codes, ca, cb, cc, cd, rowMask));
  }
  v128.store_lane<i32>(terms, sums, 0, SUM);
  v128.store_lane<i32>(terms, sums, 1, SUM + TERM_BYTES);
  v128.store_lane<i32>(terms, sums, 2, SUM + 2 * TERM_BYTES);
  v128.store_lane<i32>(terms, sums, 3, SUM + 3 * TERM_BYTES);
}

/**
 * Codes rows for the int8 products.
 * @param x           f32 [rows][stride], of which `depth` elements a row count; up to 12 bytes past a row are read
 * @param stride      elements between two rows
 * @param columnScale f32 [depth], multiplied in first; 0 = none
 * @param codes       i8 (relaxed) or i16 (fixed) [rows up to 4][depth up to 4] in tiles [4 rows][4 k]; padding is code 0
 * @param rowTerms    16 bytes a row, rows rounded up to 4 (those are all 0): f32 scale, i32 zero, i32 sum of codes, i32 0
 *
 * A row without any range (all 0) gets scale 0, a row with NaN gets scale NaN and any codes; neither traps.
 */
export function quantizeRows(x: i32, rows: i32, depth: i32, stride: i32, columnScale: i32, codes: i32, rowTerms: i32): void {
  const blockBytes = ((depth + 3) >> 2) * GROUP_BYTES;
  const rowBytes: i32 = stride << 2;
  for (let row = 0; row < rows; row += 4) {
    const real = min(4, rows - row);
    memory.fill(rowTerms, 0, 4 * TERM_BYTES);
    for (let r = 0; r < real; r++) measureRow(x + r * rowBytes, columnScale, depth, rowTerms + r * TERM_BYTES);
    const b = real > 1 ? x + rowBytes : x;
    const c = real > 2 ? b + rowBytes : x;
    const d = real > 3 ? c + rowBytes : x;
    codeRows(x, b, c, d, v128.load(LANES + ((4 - real) << 2)), columnScale, depth, codes, rowTerms);
    for (let r = 0; r < real; r++) store<i32>(rowTerms + r * TERM_BYTES, 0, INVERSE);
    x += rowBytes << 2;
    codes += blockBytes;
    rowTerms += 4 * TERM_BYTES;
  }
}
