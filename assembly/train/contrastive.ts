// InfoNCE over a square of scores: each text should find its partner among all partners, and its partner it among all texts.
// van den Oord et al., arXiv 1807.03748; in-batch negatives as in arXiv 2212.03533.
import { expOf } from "./cross-entropy";

/** Is (row, column) left out as a negative? Pairs never are. */
// @ts-ignore: decorator
@inline
function isLeftOut(leftOut: i32, count: i32, row: i32, column: i32): bool {
  return leftOut != 0 && row != column && load<u8>(leftOut + row * count + column) != 0;
}

/** Largest score and Σ e^(score − largest) along one row or column: `step` bytes from score to score, `byRow` tells which. */
function spread(scores: i32, count: i32, line: i32, step: i32, byRow: bool, leftOut: i32, terms: i32): void {
  let largest: f32 = -f32.MAX_VALUE;
  for (let i = 0; i < count; i++) {
    if (isLeftOut(leftOut, count, byRow ? line : i, byRow ? i : line)) continue;
    const value = load<f32>(scores + i * step);
    largest = largest < value ? value : largest;
  }
  let sum: f32 = 0;
  for (let i = 0; i < count; i++) {
    if (!isLeftOut(leftOut, count, byRow ? line : i, byRow ? i : line)) sum += expOf(load<f32>(scores + i * step) - largest);
  }
  store<f32>(terms, largest);
  store<f32>(terms, sum, 4);
}

/** Probability of a score in its row or column. */
// @ts-ignore: decorator
@inline
function share(score: f32, terms: i32): f32 {
  return expOf(score - load<f32>(terms)) / load<f32>(terms, 4);
}

/** −log of the probability. */
// @ts-ignore: decorator
@inline
function surprise(score: f32, terms: i32): f32 {
  return load<f32>(terms) - score + Mathf.log(load<f32>(terms, 4));
}

/**
 * losses[i] = −rowShare·log softmax_j(scores[i][·])[i] − (1 − rowShare)·log softmax_j(scores[·][i])[i].
 * @param scores   f32 [count][count]: similarity of text i and partner j over the temperature; becomes `scale` times the
 *                 gradient of Σ losses
 * @param leftOut  u8 [count][count], not 0 = j is no negative of i (a text or partner that is equal), or 0: all are
 * @param rowShare 1: texts find partners; 0: partners find texts; 1/2: both
 * @param terms    scratch, f32 [2][count][2]
 * @param losses   f32 [count], not scaled
 */
export function contrastive(scores: i32, count: i32, leftOut: i32, rowShare: f32, scale: f32, terms: i32, losses: i32): void {
  const rowBytes = count << 2;
  const columnTerms = terms + (count << 3);
  const columnShare = <f32>1 - rowShare;
  for (let i = 0; i < count; i++) {
    spread(scores + i * rowBytes, count, i, 4, true, leftOut, terms + (i << 3));
    spread(scores + (i << 2), count, i, rowBytes, false, leftOut, columnTerms + (i << 3));
  }
  for (let row = 0; row < count; row++) {
    const own = load<f32>(scores + row * rowBytes + (row << 2));
    const loss = rowShare * surprise(own, terms + (row << 3)) + columnShare * surprise(own, columnTerms + (row << 3));
    store<f32>(losses + (row << 2), loss);
    for (let column = 0; column < count; column++) {
      const at = scores + row * rowBytes + (column << 2);
      let gradient: f32 = 0;
      if (!isLeftOut(leftOut, count, row, column)) {
        const score = load<f32>(at);
        gradient = rowShare * share(score, terms + (row << 3)) + columnShare * share(score, columnTerms + (column << 3));
        if (row == column) gradient -= 1;
      }
      store<f32>(at, gradient * scale);
    }
  }
}
