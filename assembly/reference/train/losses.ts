// Scalar twins of train/cross-entropy.ts and train/contrastive.ts. Each returns [gradient, losses], one after the other.
import { exp } from "../exp";

/** An empty `weights` or `allowed` means ones. */
export function crossEntropy(
  logits: Float32Array, columns: i32, labels: Int32Array, weights: Float32Array, smoothing: f32, allowed: Uint8Array, scale: f32,
): Float32Array {
  const rows = labels.length;
  const all = new Float32Array(rows * columns + rows);
  for (let row = 0; row < rows; row++) {
    const label = labels[row];
    if (label < 0) continue;
    const z = logits.subarray(row * columns, (row + 1) * columns);
    let largest: f32 = -f32.MAX_VALUE;
    let count = 0;
    for (let c = 0; c < columns; c++) {
      if (allowed.length > 0 && allowed[c] == 0) continue;
      count++;
      if (largest < z[c]) largest = z[c];
    }
    const target = new Float32Array(columns);
    const own = (<f32>1 - smoothing) * (weights.length > 0 ? weights[label] : 1);
    let loss = own * (largest - z[label]);
    let total = own;
    let sum: f32 = 0;
    for (let c = 0; c < columns; c++) {
      if (allowed.length > 0 && allowed[c] == 0) continue;
      target[c] = smoothing / <f32>count * (weights.length > 0 ? weights[c] : 1);
      if (smoothing > 0) {
        loss += target[c] * (largest - z[c]);
        total += target[c];
      }
      sum += exp(z[c] - largest);
    }
    target[label] += own;
    for (let c = 0; c < columns; c++) {
      const term: f32 = allowed.length > 0 && allowed[c] == 0 ? 0 : exp(z[c] - largest);
      all[row * columns + c] = (term / sum * total - target[c]) * scale;
    }
    all[rows * columns + row] = loss + total * Mathf.log(sum);
  }
  return all;
}

/** An empty `weights` means ones. */
export function sigmoidCrossEntropy(
  logits: Float32Array, columns: i32, targets: Float32Array, weights: Float32Array, scale: f32,
): Float32Array {
  const rows = logits.length / columns;
  const all = new Float32Array(logits.length + rows);
  for (let i = 0; i < logits.length; i++) {
    const z = logits[i];
    const positive = <f32>1 + ((weights.length > 0 ? weights[i % columns] : 1) - <f32>1) * targets[i];
    const small = exp(-abs<f32>(z));
    const softplus = (z > 0 ? <f32>0 : -z) + Mathf.log1p(small);
    const absent = (z > 0 ? small : <f32>1) / (<f32>1 + small);
    all[i] = (<f32>1 - targets[i] - positive * absent) * scale;
    all[logits.length + i / columns] += (<f32>1 - targets[i]) * z + positive * softplus;
  }
  return all;
}

/** Which of the scores of a row (or, at `byRow` 0, a column) take part; the pair always does. */
function takesPart(leftOut: Uint8Array, count: i32, i: i32, j: i32): bool {
  return leftOut.length == 0 || i == j || leftOut[i * count + j] == 0;
}

/** An empty `leftOut` means that nothing is. */
export function contrastive(scores: Float32Array, count: i32, leftOut: Uint8Array, rowShare: f32, scale: f32): Float32Array {
  const all = new Float32Array(count * count + count);
  const largest = new Float32Array(2 * count);
  const sums = new Float32Array(2 * count);
  for (let line = 0; line < 2 * count; line++) {
    largest[line] = -f32.MAX_VALUE;
    for (let n = 0; n < count; n++) {
      const i = line < count ? line : n;
      const j = line < count ? n : line - count;
      if (takesPart(leftOut, count, i, j) && largest[line] < scores[i * count + j]) largest[line] = scores[i * count + j];
    }
    for (let n = 0; n < count; n++) {
      const i = line < count ? line : n;
      const j = line < count ? n : line - count;
      if (takesPart(leftOut, count, i, j)) sums[line] += exp(scores[i * count + j] - largest[line]);
    }
  }
  for (let i = 0; i < count; i++) {
    const own = scores[i * count + i];
    const found = largest[i] - own + Mathf.log(sums[i]);
    const finds = largest[count + i] - own + Mathf.log(sums[count + i]);
    all[count * count + i] = rowShare * found + (<f32>1 - rowShare) * finds;
    for (let j = 0; j < count; j++) {
      if (!takesPart(leftOut, count, i, j)) continue;
      const score = scores[i * count + j];
      const finding = rowShare * (exp(score - largest[i]) / sums[i]);
      const p = finding + (<f32>1 - rowShare) * (exp(score - largest[count + j]) / sums[count + j]);
      all[i * count + j] = (i == j ? p - 1 : p) * scale;
    }
  }
  return all;
}
