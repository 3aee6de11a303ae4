/**
 * The kernels' ABI: every parameter is a byte address, a count, or an f32. Kernels never allocate and never throw;
 * the host checks shapes once, when it plans the memory. `assembly/` holds the kernels, each with its docstring;
 * `docs/kernels.md` shows the layouts.
 */

/** Byte address in linear memory. 0 means "none" where a parameter says it is optional. */
export type Address = number;

/** Which int8 product runs. All three give the same bits. */
export type ProductKernel = "rel2" | "rel1" | "fixed";

/** Quantised rows times packed weights: out[r][c] = scale_r·scale_c·(Σ(a−z)·w) + bias_c. */
export type Matmul = (
  codes: Address,
  rowTerms: Address,
  rows: number,
  depth: number,
  panels: Address,
  channels: Address,
  columns: number,
  out: Address,
  outStride: number,
) => void;

export interface Kernels {
  /** Asymmetric 8-bit codes of rows of `x` (f32), one scale and zero point a row; `columnScale` may be 0. */
  quantizeRows(
    x: Address,
    rows: number,
    depth: number,
    stride: number,
    columnScale: Address,
    codes: Address,
    rowTerms: Address,
  ): void;
  matmul: Matmul;
  embed(
    ids: Address,
    positions: Address,
    types: Address,
    rows: number,
    codes: Address,
    scales: Address,
    positionTable: Address,
    typeTable: Address,
    width: number,
    out: Address,
  ): void;
  layerNorm(
    x: Address,
    residual: Address,
    rows: number,
    width: number,
    gamma: Address,
    beta: Address,
    epsilon: number,
    out: Address,
  ): void;
  gelu(x: Address, count: number): void;
  geluTanh(x: Address, count: number): void;
  relu(x: Address, count: number): void;
  tanh(x: Address, count: number): void;
  sigmoid(x: Address, count: number): void;
  softmaxRows(x: Address, rows: number, columns: number, stride: number): void;
  attention(
    q: Address,
    k: Address,
    v: Address,
    queries: number,
    keys: number,
    heads: number,
    headSize: number,
    qStride: number,
    kvStride: number,
    keyMask: Address,
    scratch: Address,
    out: Address,
    outStride: number,
  ): void;
  dense(
    x: Address,
    rows: number,
    depth: number,
    stride: number,
    weights: Address,
    bias: Address,
    columns: number,
    out: Address,
    outStride: number,
  ): void;
  lowRankAdd(
    x: Address,
    rows: number,
    depth: number,
    stride: number,
    down: Address,
    rank: number,
    up: Address,
    columns: number,
    t: Address,
    y: Address,
    yStride: number,
  ): void;
  gatherRows(table: Address, ids: Address, rows: number, width: number, out: Address): void;
  addProduct(
    t: Address,
    rows: number,
    rank: number,
    tStride: number,
    up: Address,
    columns: number,
    y: Address,
    yStride: number,
  ): void;
  scaleShiftRows(y: Address, rows: number, columns: number, stride: number, scale: Address, shift: Address): void;
  meanRows(x: Address, rows: number, width: number, stride: number, keyMask: Address, out: Address): void;
  l2Normalize(x: Address, width: number): void;
}

/** A binary's own exports: the f32 steps and the products it holds, before one of them is chosen as `matmul`. */
export type KernelExports = Omit<Kernels, "matmul"> & {
  matmulFixed?: Matmul;
  matmulRel1?: Matmul;
  matmulRel2?: Matmul;
};
