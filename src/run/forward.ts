import type { LayerLinear, LayerNormPart } from "../format/types.ts";
import type { EncoderPlan, LayerPlan, NormPlace } from "../model/plan.ts";
import type { AdapterPlan, EmbeddingSlot, Slot } from "../model/slot.ts";
import type { LinearPlace } from "../model/weight-format.ts";
import type { Address, Kernels } from "../wasm/kernels.ts";
import { alignUp, type LinearMemory } from "../wasm/memory.ts";
import type { Batch, Block, Segment } from "./batch.ts";
import type { Workspace } from "./workspace.ts";

/** What the forward pass runs on: kernels, the places of the weights, and its buffers. */
export interface Machine {
  /** Those of a fresh instance once one has stopped, so they are taken from here each time. */
  kernels: Kernels;
  readonly memory: LinearMemory;
  readonly plan: EncoderPlan;
  readonly work: Workspace;
}

/** A stretch of work; at each `yield`, after a millisecond or two, the event loop may turn. */
export type Steps = Generator<void, void>;

/** The slot of an adapter for one linear layer; null = it leaves that layer alone. */
type SlotOf = (adapter: AdapterPlan | null) => Slot | null;
type BiasOf = (adapter: AdapterPlan | null) => Address;

/** Queries times keys of one attention step: 1.5 ms on the machine of docs/kernels.md. */
const ATTENTION_PAIRS = 32_768;

/** Token rows → embeddings → `batch.x`. ids, positions and types have been written to the workspace. */
export function* embeddings(m: Machine, batch: Batch): Steps {
  const { projection, config } = m.plan;
  for (const block of batch.blocks) {
    const x = batch.x + block.first * config.hidden * 4;
    if (projection === null) embed(m, block, x);
    else {
      embed(m, block, m.work.embedded);
      linear(m, m.work.embedded, block, projection, (adapter) => adapter?.embeddings?.projection ?? null, x);
    }
    yield;
  }
}

/** Word + position + type, then LayerNorm, of one block at `out`: [rows][embeddingSize]. */
export function embed(m: Machine, block: Block, out: Address): void {
  const { kernels, plan, work } = m;
  const { word, position, type, embeddingNorm } = plan;
  const width = plan.config.embeddingSize;
  const { first, rows, parts } = block;
  const idsAt = (ids: Address, row: number): Address => ids + row * 4;
  kernels.embed(
    idsAt(work.ids, first), idsAt(work.positions, first), idsAt(work.types, first), rows,
    word.codes, word.scales, position, type, width, out,
  ); // prettier-ignore
  for (const part of parts) {
    const slots = part.adapter?.embeddings ?? null;
    const at = out + (part.first - first) * width * 4;
    if (slots?.word) embeddingLowRank(m, slots.word, idsAt(work.ids, part.first), part.rows, width, at);
    if (slots?.position) embeddingLowRank(m, slots.position, idsAt(work.positions, part.first), part.rows, width, at);
    if (slots?.type) embeddingLowRank(m, slots.type, idsAt(work.types, part.first), part.rows, width, at);
  }
  normalize(m, out, 0, block, width, embeddingNorm, (adapter) => adapter?.embeddings?.normBias ?? 0, out);
}

/**
 * One transformer layer (post-LayerNorm, as BERT). Keys and values come from all rows of `batch`. `queries` has the same
 * segments with the rows whose state is wanted: the batch itself, or, in the last layer, the rows that are read. Their new
 * state takes the place of the old one in `queries.x`.
 */
export function* layer(m: Machine, index: number, batch: Batch, queries: Batch): Steps {
  const { work, plan } = m;
  const weights = plan.layers[index]!;
  const slot = (part: LayerLinear): SlotOf => (adapter) => adapter?.layers[index]?.[part] ?? null;
  const bias = (part: LayerNormPart): BiasOf => (adapter) => adapter?.layers[index]?.[part] ?? 0;
  const rowBytes = plan.config.hidden * 4;

  for (const block of batch.blocks) {
    const at = block.first * rowBytes;
    const keyValue: Product[] = [
      [weights.key, slot("key"), work.key + at],
      [weights.value, slot("value"), work.value + at],
    ];
    const query: Product = [weights.query, slot("query"), work.query + at];
    linears(m, batch.x + at, block, queries === batch ? [query, ...keyValue] : keyValue);
    yield;
  }
  if (queries !== batch) {
    for (const block of queries.blocks) {
      const at = block.first * rowBytes;
      linear(m, queries.x + at, block, weights.query, slot("query"), work.query + at);
      yield;
    }
  }
  for (const [index, keys] of batch.segments.entries()) yield* attention(m, queries.segments[index]!, keys);
  for (const block of queries.blocks) {
    afterAttention(m, queries.x, block, weights, slot, bias);
    yield;
  }
}

/** softmax(QKᵀ/√d)V per head of one text: the rows `queries` of `work.query`, over `keys` of `work.key` and `value`. In place. */
export function* attention(m: Machine, queries: Segment, keys: Segment): Steps {
  const { kernels, work, plan } = m;
  const { heads, headSize, hidden } = plan.config;
  const rowBytes = hidden * 4;
  const at = keys.first * rowBytes;
  const chunk = Math.max(8, Math.floor(ATTENTION_PAIRS / keys.length) & ~7);
  for (let first = 0; first < queries.length; first += chunk) {
    const q = work.query + (queries.first + first) * rowBytes;
    kernels.attention(
      q, work.key + at, work.value + at, Math.min(chunk, queries.length - first), keys.length,
      heads, headSize, hidden, hidden, keys.mask, work.attentionScratch, q, hidden,
    ); // prettier-ignore
    yield;
  }
}

/** The rest of a layer, row by row: attention's output layer, feed-forward, and the two residual LayerNorms. */
function afterAttention(
  m: Machine,
  states: Address,
  block: Block,
  weights: LayerPlan,
  slot: (part: LayerLinear) => SlotOf,
  bias: (part: LayerNormPart) => BiasOf,
): void {
  const { work, plan } = m;
  const { hidden, intermediate } = plan.config;
  const at = block.first * hidden * 4;
  const x = states + at;
  linear(m, work.query + at, block, weights.attentionOutput, slot("attentionOutput"), work.projected);
  normalize(m, work.projected, x, block, hidden, weights.attentionNorm, bias("attentionNorm"), work.attended);

  linear(m, work.attended, block, weights.intermediate, slot("intermediate"), work.wide);
  activate(m, work.wide, block.rows * intermediate);
  linear(m, work.wide, block, weights.output, slot("output"), work.projected);
  normalize(m, work.projected, work.attended, block, hidden, weights.outputNorm, bias("outputNorm"), x);
}

/** y = g ∘ (W(u ∘ x) + s·B(A x)) + c for one linear layer over a block; x and y are the addresses of its first row. */
export function linear(m: Machine, x: Address, block: Block, place: LinearPlace, slotOf: SlotOf, y: Address): void {
  linears(m, x, block, [[place, slotOf, y]]);
}

type Product = readonly [place: LinearPlace, slotOf: SlotOf, y: Address];

/**
 * Several linear layers over the same block, which is quantised once (again only where a slot scales its input). The
 * product is of all rows; each adapter adds its own term to its own.
 */
function linears(m: Machine, x: Address, block: Block, products: readonly Product[]): void {
  const { kernels, work } = m;
  const { first, rows, parts } = block;
  let quantizedFor: Address | null = null;
  for (const [place, slotOf, y] of products) {
    const { depth, columns, panels, channels } = place;
    // A block has several parts only where none of them scales its input.
    const inputScale = slotOf(parts[0]!.adapter)?.inputScale || place.inputScale;
    if (quantizedFor !== inputScale) {
      kernels.quantizeRows(x, rows, depth, depth, inputScale, work.codes, work.rowTerms);
      quantizedFor = inputScale;
    }
    kernels.matmul(work.codes, work.rowTerms, rows, depth, panels, channels, columns, y, columns);
    for (const part of parts) {
      const slot = slotOf(part.adapter);
      const row = part.first - first;
      if (slot !== null) adapt(m, x + row * depth * 4, part.rows, place, slot, y + row * columns * 4);
    }
  }
}

/** The adapter's share of a linear layer: y += s·B(A x), then y = g∘y + shift. */
function adapt(m: Machine, x: Address, rows: number, place: LinearPlace, slot: Slot, y: Address): void {
  const { kernels, work } = m;
  const { depth, columns } = place;
  if (slot.rank > 0) {
    const chunk = Math.max(1, Math.floor(work.lowRankElements / alignUp(slot.rank, 4)));
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
  const rank = alignUp(slot.rank, 4);
  const chunk = Math.max(1, Math.floor(work.lowRankElements / rank));
  for (let first = 0; first < rows; first += chunk) {
    const n = Math.min(chunk, rows - first);
    kernels.gatherRows(slot.table, ids + first * 4, n, rank, work.lowRank);
    kernels.addProduct(work.lowRank, n, slot.rank, rank, slot.up, width, y + first * width * 4, width);
  }
}

/** LayerNorm(x + residual) of a block, each part with its adapter's bias where it has one. Addresses are of the block's first row. */
export function normalize(
  m: Machine, x: Address, residual: Address, block: Block, width: number, place: NormPlace, biasOf: BiasOf, out: Address,
): void {
  for (const { first, rows, adapter } of block.parts) {
    const at = (first - block.first) * width * 4;
    const beta = biasOf(adapter) || place.beta;
    m.kernels.layerNorm(x + at, residual === 0 ? 0 : residual + at, rows, width, place.gamma, beta, m.plan.config.epsilon, out + at);
  }
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
