// Losses over a head's logits. The gradient takes the logits' place.
import { exp } from "../f32/exp";
import { rowMaximum } from "./row-maximum";

// @ts-ignore: decorator
@inline
export function expOf(x: f32): f32 {
  return f32x4.extract_lane(exp(f32x4.splat(x)), 0);
}

// @ts-ignore: decorator
@inline
function weightOf(weights: i32, column: i32): f32 {
  return weights != 0 ? load<f32>(weights + (column << 2)) : 1;
}

/** Logits of classes that are not allowed become −Inf, and so exponentials of 0. Returns how many are allowed. */
function leaveOut(z: i32, columns: i32, allowed: i32): i32 {
  if (allowed == 0) return columns;
  let count = 0;
  for (let column = 0; column < columns; column++) {
    if (load<u8>(allowed + column) != 0) count++;
    else store<f32>(z + (column << 2), -Infinity);
  }
  return count;
}

/**
 * With targets t_c = (1 − smoothing)·w_y·[c = y] + smoothing/C·w_c over the C allowed classes:
 * loss = Σ t·(lse − z), dz = scale·(softmax(z)·Σ t − t).
 */
function rowCrossEntropy(z: i32, columns: i32, label: i32, weights: i32, smoothing: f32, allowed: i32, scale: f32): f32 {
  const count = leaveOut(z, columns, allowed);
  const own = (<f32>1 - smoothing) * weightOf(weights, label);
  const even = smoothing / <f32>count;
  const largest = rowMaximum(z, columns);
  let loss = own * (largest - load<f32>(z + (label << 2)));
  let total: f32 = own;
  let sum: f32 = 0;
  for (let column = 0; column < columns; column++) {
    const at = z + (column << 2);
    const value = load<f32>(at);
    if (value == -Infinity) {
      store<f32>(at, 0);
      continue;
    }
    if (smoothing > 0) {
      const share = even * weightOf(weights, column);
      loss += share * (largest - value);
      total += share;
    }
    const term = expOf(value - largest);
    store<f32>(at, term);
    sum += term;
  }
  for (let column = 0; column < columns; column++) {
    const at = z + (column << 2);
    const term = load<f32>(at);
    const isLeftOut = allowed != 0 && load<u8>(allowed + column) == 0;
    let target: f32 = isLeftOut ? 0 : even * weightOf(weights, column);
    if (column == label) target += own;
    store<f32>(at, (term / sum * total - target) * scale);
  }
  return loss + total * Mathf.log(sum);
}

/**
 * Cross-entropy of a softmax, as PyTorch's `cross_entropy` defines it: class weights, label smoothing, labels that are ignored.
 * @param logits    f32 [rows][columns]; becomes `scale` times the gradient of Σ losses
 * @param labels    i32 [rows]; below 0: the row is ignored, its loss and gradient are 0
 * @param weights   f32 [columns], or 0: all 1
 * @param smoothing 0 to below 1
 * @param allowed   u8 [columns], 0 = no part of the softmax, or 0: all are. A label must be allowed
 * @param losses    f32 [rows], not scaled
 */
export function crossEntropy(
  logits: i32, rows: i32, columns: i32, labels: i32, weights: i32, smoothing: f32, allowed: i32, scale: f32, losses: i32,
): void {
  for (let row = 0; row < rows; row++) {
    const label = load<i32>(labels + (row << 2));
    let loss: f32 = 0;
    if (label < 0) memory.fill(logits, 0, columns << 2);
    else loss = rowCrossEntropy(logits, columns, label, weights, smoothing, allowed, scale);
    store<f32>(losses + (row << 2), loss);
    logits += columns << 2;
  }
}

/**
 * Cross-entropy of a sigmoid for each class (multi-label), PyTorch's `binary_cross_entropy_with_logits`:
 * (1 − t)·z + (1 + (w − 1)·t)·log(1 + e^−z), w a class's weight of its positives.
 * @param logits  f32 [rows][columns]; becomes `scale` times the gradient of Σ losses
 * @param targets f32 [rows][columns], 0 to 1
 * @param weights f32 [columns], or 0: all 1
 * @param losses  f32 [rows]: the sum over the classes, not scaled
 */
export function sigmoidCrossEntropy(
  logits: i32, rows: i32, columns: i32, targets: i32, weights: i32, scale: f32, losses: i32,
): void {
  for (let row = 0; row < rows; row++) {
    let loss: f32 = 0;
    for (let column = 0; column < columns; column++) {
      const z = load<f32>(logits);
      const target = load<f32>(targets);
      const positive = <f32>1 + (weightOf(weights, column) - <f32>1) * target;
      const small = expOf(-abs<f32>(z)); // log(1 + e^−z) = max(−z, 0) + log(1 + e^−|z|)
      const absent = (z > 0 ? small : <f32>1) / (<f32>1 + small); // σ(−z)
      loss += (<f32>1 - target) * z + positive * ((z > 0 ? 0 : -z) + Mathf.log1p(small));
      store<f32>(logits, ((<f32>1 - target) - positive * absent) * scale);
      logits += 4;
      targets += 4;
    }
    store<f32>(losses + (row << 2), loss);
  }
}
