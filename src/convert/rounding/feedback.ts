import { choleskyInPlace } from "./cholesky.ts";

/** How the rounding error of one input is made up for by those that are rounded after it. */
export interface Feedback {
  /** Inputs in the order in which they are rounded: largest variance first, so that small ones absorb what is left. */
  readonly order: Int32Array;
  /** [n][n] in that order: row k holds, for each earlier i < k, how much of its error moves input k. */
  readonly weights: Float64Array;
  /** [n] what a squared rounding error of input k, after it was moved, adds to the squared output error. */
  readonly pivots: Float64Array;
}

/**
 * Factors the metric H + d·mean(diag H)·I = (U+I)·D·(U+I)ᵀ, U strictly upper in the order of rounding. Rounding
 * input k to the nearest code of w_k + Σ_{i<k} e_i·U_ik, e_i = w_i − ŵ_i, is the GPTQ recursion (Frantar et al.,
 * arXiv 2210.17323) in the equivalent form of LDLQ (Chee et al., arXiv 2307.13304, theorem 6), which needs no inverse.
 *
 * @param metric symmetric, [n][n]
 * @param damping share of the mean diagonal that is added to the diagonal, above 0
 */
export function feedback(metric: Float64Array, n: number, damping: number): Feedback {
  const order = Int32Array.from({ length: n }, (_, k) => k).sort((a, b) => metric[b * n + b]! - metric[a * n + a]! || a - b);
  let mean = 0;
  for (let k = 0; k < n; k++) mean += metric[k * n + k]! / n;
  // Inputs that never move have no metric: then every input counts the same, which is plain rounding.
  const added = mean > 0 ? damping * mean : 1;
  // The factor that is upper in the order of rounding is lower in the reverse order.
  const factor = new Float64Array(n * n);
  for (let r = 0; r < n; r++) {
    const from = order[n - 1 - r]! * n;
    for (let s = 0; s <= r; s++) factor[r * n + s] = metric[from + order[n - 1 - s]!]!;
    factor[r * n + r]! += added;
  }
  choleskyInPlace(factor, n, added * 1e-6);
  const weights = new Float64Array(n * n);
  const pivots = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const row = (n - 1 - i) * n;
    pivots[i] = factor[row + n - 1 - i]! * factor[row + n - 1 - i]!;
    for (let k = i + 1; k < n; k++) {
      const column = n - 1 - k;
      weights[k * n + i] = factor[row + column]! / factor[column * n + column]!;
    }
  }
  return { order, weights, pivots };
}
