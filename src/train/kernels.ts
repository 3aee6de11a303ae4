import type { Address } from "../wasm/kernels.ts";

/**
 * What the training modules add to the kernels that serve: the same rules (addresses, counts, f32; no allocation, no throw), each
 * kernel with its docstring in `assembly/train/`, the maths on one page in docs/training.md.
 */
export interface TrainKernels {
  /** out (+)= a·b (+ bias); `aRow`, `aStep`, `bPanel`, `bStep` in bytes, `outStride` in floats. */
  product(
    a: Address, rows: number, aRow: number, aStep: number, depth: number, b: Address, bPanel: number, bStep: number,
    columns: number, bias: Address, out: Address, outStride: number, accumulate: number,
  ): void;
  packRowPanels(x: Address, rows: number, depth: number, stride: number, out: Address): void;
  packColumnPanels(x: Address, rows: number, columns: number, stride: number, out: Address): void;
  transposeRows(x: Address, rows: number, columns: number, stride: number, out: Address): void;
  addTo(x: Address, count: number, out: Address): void;
  scaleValues(x: Address, count: number, factor: number): void;
  columnSums(x: Address, rows: number, columns: number, sums: Address): void;
  columnDots(x: Address, y: Address, rows: number, columns: number, sums: Address): void;
  layerNormForward(
    x: Address, residual: Address, rows: number, width: number, gamma: Address, beta: Address, epsilon: number,
    normal: Address, inverse: Address, out: Address,
  ): void;
  layerNormBackward(dy: Address, normal: Address, inverse: Address, gamma: Address, rows: number, width: number, ds: Address): void;
  geluBackward(x: Address, dy: Address, count: number): void;
  geluTanhBackward(x: Address, dy: Address, count: number): void;
  reluBackward(x: Address, dy: Address, count: number): void;
  tanhBackward(y: Address, dy: Address, count: number): void;
  attentionForward(
    q: Address, k: Address, v: Address, queries: number, keys: number, heads: number, headSize: number, stride: number,
    keyMask: Address, threshold: number, dropScale: number, key0: number, key1: number, scratch: Address, out: Address,
  ): void;
  attentionBackward(
    q: Address, k: Address, v: Address, dOut: Address, queries: number, keys: number, heads: number, headSize: number, stride: number,
    keyMask: Address, threshold: number, dropScale: number, key0: number, key1: number, scratch: Address,
    dq: Address, dk: Address, dv: Address,
  ): void;
  scatterAddRows(x: Address, ids: Address, rows: number, width: number, table: Address): void;
  meanRowsBackward(dMean: Address, rows: number, width: number, keyMask: Address, dx: Address): void;
  l2NormalizeBackward(x: Address, dy: Address, width: number): void;
  rowNorms(x: Address, rows: number, width: number, norms: Address): void;
  crossEntropy(
    logits: Address, rows: number, columns: number, labels: Address, weights: Address, smoothing: number, allowed: Address,
    scale: number, losses: Address,
  ): void;
  sigmoidCrossEntropy(
    logits: Address, rows: number, columns: number, targets: Address, weights: Address, scale: number, losses: Address,
  ): void;
  contrastive(scores: Address, count: number, leftOut: Address, rowShare: number, scale: number, terms: Address, losses: Address): void;
  dropout(x: Address, count: number, threshold: number, scale: number, key0: number, key1: number): void;
  innerProduct(x: Address, y: Address, count: number): number;
  adamW(
    value: Address, gradient: Address, momentum: Address, variance: Address, count: number, keep: number, oneLessBeta1: number,
    beta2: number, oneLessBeta2: number, stepSize: number, rootCorrection: number, epsilon: number, gradientScale: number,
  ): void;
}
