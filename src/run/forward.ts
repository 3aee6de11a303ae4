import { RootstockError } from "../errors.ts";
import { isFiniteArray } from "../model/finite.ts";
import type { ScoreFunction } from "../heads/classify.ts";
import type { EncoderPlan, LayerPlan, NormPlace } from "../model/plan.ts";
import type { AdapterPlan, DensePlace, EmbeddingSlot, Head, LayerSlots, Slot } from "../model/slot.ts";
import type { LinearPlace } from "../model/weight-format.ts";
import type { Address, Kernels } from "../wasm/kernels.ts";
import type { LinearMemory } from "../wasm/memory.ts";
import type { Workspace } from "./workspace.ts";

/** One text's rows in the batch's matrix of token rows. */
export interface Segment {
  readonly first: number;
  readonly length: number;
}

/** What the forward pass runs on: kernels, the places of the weights, and its buffers. */
export interface Machine {
  readonly kernels: Kernels;
  readonly memory: LinearMemory;
  readonly plan: EncoderPlan;
  readonly work: Workspace;
}

/** Rows of one pass: every linear layer sees them all at once, attention walks the segments. No padding. */
export interface Batch {
  readonly rows: number;
  readonly segments: readonly Segment[];
  /** Does any segment have masked keys (`work.mask`)? */
  readonly masked: boolean;
}

/** Token rows → embeddings → `work.hidden`. ids, positions and types have been written to the workspace. */
export function embeddings(m: Machine, batch: Batch, adapter: AdapterPlan | null): void {
  const { kernels, plan, work } = m;
  const { word, position, type, embeddingNorm, projection } = plan;
  const width = plan.config.embeddingSize;
  const slots = adapter?.embeddings ?? null;
  const out = projection === null ? work.hidden : work.embedded;
  kernels.embed(work.ids, work.positions, work.types, batch.rows, word.codes, word.scales, position, type, width, out);
  if (slots?.word) embeddingLowRank(m, slots.word, work.ids, batch.rows, width, out);
  if (slots?.position) embeddingLowRank(m, slots.position, work.positions, batch.rows, width, out);
  if (slots?.type) embeddingLowRank(m, slots.type, work.types, batch.rows, width, out);
  normalize(m, out, 0, batch.rows, width, embeddingNorm, slots?.normBias ?? 0, out);
  if (projection !== null) linear(m, out, batch.rows, projection, slots?.projection ?? null, work.hidden);
}

/** One transformer layer, `work.hidden` → `work.hidden` (post-LayerNorm, as BERT). */
export function layer(m: Machine, batch: Batch, weights: LayerPlan, slots: LayerSlots | null): void {
  const { work, plan } = m;
  const { hidden, intermediate } = plan.config;
  const { rows } = batch;
  const x = work.hidden;

  linears(m, x, rows, [
    [weights.query, slots?.query ?? null, work.query],
    [weights.key, slots?.key ?? null, work.key],
    [weights.value, slots?.value ?? null, work.value],
  ]);
  attention(m, batch);
  linear(m, work.context, rows, weights.attentionOutput, slots?.attentionOutput ?? null, work.projected);
  normalize(m, work.projected, x, rows, hidden, weights.attentionNorm, slots?.attentionNorm ?? 0, work.attended);

  linear(m, work.attended, rows, weights.intermediate, slots?.intermediate ?? null, work.wide);
  activate(m, work.wide, rows * intermediate);
  linear(m, work.wide, rows, weights.output, slots?.output ?? null, work.projected);
  normalize(m, work.projected, work.attended, rows, hidden, weights.outputNorm, slots?.outputNorm ?? 0, x);
}

/** softmax(QKᵀ/√d)V per head and segment, `work.query/key/value` → `work.context`. */
export function attention(m: Machine, batch: Batch): void {
  const { kernels, work, plan } = m;
  const { heads, headSize, hidden } = plan.config;
  for (const { first, length } of batch.segments) {
    const at = first * hidden * 4;
    const mask = batch.masked ? work.mask + first : 0;
    kernels.attention(
      work.query + at, work.key + at, work.value + at, length, length, heads, headSize, hidden, hidden,
      mask, work.attentionScratch, work.context + at, hidden,
    ); // prettier-ignore
  }
}

/** y = g ∘ (W(u ∘ x) + s·B(A x)) + c for one linear layer; x and y are dense rows. */
export function linear(m: Machine, x: Address, rows: number, place: LinearPlace, slot: Slot | null, y: Address): void {
  linears(m, x, rows, [[place, slot, y]]);
}

type Product = readonly [place: LinearPlace, slot: Slot | null, y: Address];

/** Several linear layers over the same rows, which are quantised once (again only where a slot scales its input). */
function linears(m: Machine, x: Address, rows: number, products: readonly Product[]): void {
  const { kernels, work } = m;
  let quantizedFor: Address | null = null;
  for (const [place, slot, y] of products) {
    const { depth, columns, panels, channels } = place;
    const inputScale = slot?.inputScale || place.inputScale;
    if (quantizedFor !== inputScale) {
      kernels.quantizeRows(x, rows, depth, depth, inputScale, work.codes, work.rowTerms);
      quantizedFor = inputScale;
    }
    kernels.matmul(work.codes, work.rowTerms, rows, depth, panels, channels, columns, y, columns);
    if (slot !== null) adapt(m, x, rows, place, slot, y);
  }
}

/** The adapter's share of a linear layer: y += s·B(A x), then y = g∘y + shift. */
function adapt(m: Machine, x: Address, rows: number, place: LinearPlace, slot: Slot, y: Address): void {
  const { kernels, work } = m;
  const { depth, columns } = place;
  if (slot.rank > 0) {
    const chunk = Math.max(1, Math.floor(work.lowRankElements / roundUp4(slot.rank)));
    for (let first = 0; first < rows; first += chunk) {
      const n = Math.min(chunk, rows - first);
      const from = x + first * depth * 4;
      const to = y + first * columns * 4;
      kernels.lowRankAdd(from, n, depth, depth, slot.down, slot.rank, slot.up, columns, work.lowRank, to, columns);
    }
  }
  if (slot.outputScale !== 0 || slot.shift !== 0) {
    kernels.scaleShiftRows(y, rows, columns, columns, slot.outputScale, slot.shift);
  }
}

function embeddingLowRank(m: Machine, slot: EmbeddingSlot, ids: Address, rows: number, width: number, y: Address): void {
  const { kernels, work } = m;
  const rank = roundUp4(slot.rank);
  const chunk = Math.max(1, Math.floor(work.lowRankElements / rank));
  for (let first = 0; first < rows; first += chunk) {
    const n = Math.min(chunk, rows - first);
    kernels.gatherRows(slot.table, ids + first * 4, n, rank, work.lowRank);
    kernels.addProduct(work.lowRank, n, slot.rank, rank, slot.up, width, y + first * width * 4, width);
  }
}

export function normalize(
  m: Machine, x: Address, residual: Address, rows: number, width: number, place: NormPlace, bias: Address, out: Address,
): void {
  const beta = bias === 0 ? place.beta : bias;
  m.kernels.layerNorm(x, residual, rows, width, place.gamma, beta, m.plan.config.epsilon, out);
}

export function activate(m: Machine, x: Address, count: number): void {
  switch (m.plan.config.activation) {
    case "gelu":
      return m.kernels.gelu(x, count);
    case "gelu-tanh":
      return m.kernels.geluTanh(x, count);
    case "relu":
      return m.kernels.relu(x, count);
  }
}

/** Rows that a head scores: the first of each segment for a sequence head, all for a token head. */
export function headRows(batch: Batch, head: Head): number {
  return head.kind === "sequence" ? batch.segments.length : batch.rows;
}

/**
 * `work.hidden` → scores, handed to `take` in chunks of rows (f32 view, valid during the call only).
 * A sequence head reads the first token of each segment, through the pooler where its family has one.
 *
 * @throws RootstockError `tensor-value` when a logit is NaN or infinite: softmax would make a label of it all the same.
 */
export function scores(
  m: Machine,
  batch: Batch,
  head: Head,
  apply: ScoreFunction,
  take: (rows: Float32Array, firstRow: number) => void,
): void {
  const { kernels, memory, work, plan } = m;
  const { hidden } = plan.config;
  const total = headRows(batch, head);
  let x = work.hidden;
  if (head.kind === "sequence") {
    firstRows(m, batch);
    x = work.pooled;
  }
  if (head.usesPooler && plan.pooler !== null) {
    linear(m, x, total, plan.pooler, head.poolerSlot, work.headHidden);
    kernels.tanh(work.headHidden, total * hidden);
    x = work.headHidden;
  }
  if (head.dense !== null) {
    const to = x === work.pooled ? work.headHidden : work.pooled;
    dense(m, x, total, head.dense, to);
    kernels[head.dense.activation](to, total * head.dense.outputs);
    x = to;
  }
  const { classifier } = head;
  const chunk = Math.max(1, Math.floor(work.logitElements / classifier.outputs));
  for (let first = 0; first < total; first += chunk) {
    const n = Math.min(chunk, total - first);
    dense(m, x + first * classifier.inputs * 4, n, classifier, work.logits);
    const rows = memory.floats(work.logits, n * classifier.outputs);
    if (!isFiniteArray(rows)) throw overflow();
    if (apply === "softmax") kernels.softmaxRows(work.logits, n, classifier.outputs, classifier.outputs);
    if (apply === "sigmoid") kernels.sigmoid(work.logits, n * classifier.outputs);
    take(rows, first);
  }
}

/** Of an adapter whose weights are finite and its results are not. */
export function overflow(): RootstockError {
  return new RootstockError(
    "tensor-value",
    "the results are not finite numbers: the weights overflow float32 on this text. Take the adapter from a sound copy or training run.",
  );
}

function dense(m: Machine, x: Address, rows: number, place: DensePlace, y: Address): void {
  const { inputs, outputs, weights, bias } = place;
  m.kernels.dense(x, rows, inputs, inputs, weights, bias, outputs, y, outputs);
}

/** Copies the first row of each segment to `work.pooled`. */
function firstRows(m: Machine, batch: Batch): void {
  const bytes = m.plan.config.hidden * 4;
  const u8 = m.memory.u8;
  for (const [index, { first }] of batch.segments.entries()) {
    const from = m.work.hidden + first * bytes;
    u8.copyWithin(m.work.pooled + index * bytes, from, from + bytes);
  }
}

function roundUp4(count: number): number {
  return (count + 3) & ~3;
}
