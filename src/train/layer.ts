import type { LayerLinear, LayerNormPart } from "../format/types.ts";
import type { Address } from "../wasm/kernels.ts";
import type { Layout } from "../wasm/memory.ts";
import { activate, activateBackward } from "./activation.ts";
import { drop, drawKey, threshold } from "./dropout.ts";
import { linearBackward, linearForward, type TrainLinear, type Use } from "./linear.ts";
import type { TrainMachine } from "./machine.ts";
import { normBackward, normForward, planKeptNorm, type KeptNorm, type TrainNorm } from "./norm.ts";
import type { Pass, Rows, Segment } from "./pass.ts";
import type { TrainSlot } from "./slot.ts";

/** One transformer layer (post-LayerNorm, as BERT), and what its backward step needs of its forward step. */
export interface TrainLayer {
  readonly linears: Readonly<Record<LayerLinear, TrainLinear>>;
  readonly norms: Readonly<Record<LayerNormPart, TrainNorm>>;
  readonly kept: KeptLayer;
}

/** An adapter's part of a layer. */
export interface TrainLayerSlots {
  readonly linears: Readonly<Partial<Record<LayerLinear, TrainSlot>>>;
}

/** f32 [rows][hidden] unless said. */
export interface KeptLayer {
  /** The layer's input at the rows that are read, where those are not all. */
  readonly read: Address;
  readonly query: Address;
  readonly key: Address;
  readonly value: Address;
  readonly context: Address;
  readonly attentionNorm: KeptNorm;
  readonly attended: Address;
  /** [rows][intermediate]: before and after the activation. */
  readonly wide: Address;
  readonly active: Address;
  readonly outputNorm: KeptNorm;
}

export function planKeptLayer(layout: Layout, rows: number, hidden: number, intermediate: number): KeptLayer {
  const floats = (width: number): Address => layout.reserve(rows * width * 4);
  return {
    read: floats(hidden), query: floats(hidden), key: floats(hidden), value: floats(hidden), context: floats(hidden),
    attentionNorm: planKeptNorm(layout, rows, hidden),
    attended: floats(hidden), wide: floats(intermediate), active: floats(intermediate),
    outputNorm: planKeptNorm(layout, rows, hidden),
  };
}

const PLACE_OF_PART: Readonly<Record<LayerLinear, number>> = { query: 0, key: 1, value: 2, attentionOutput: 3, intermediate: 4, output: 5 };
/** Places of the other uses of dropout in a layer; each layer has 16 numbers. */
const AFTER_ATTENTION = 8;
const AFTER_OUTPUT = 9;
const ON_WEIGHTS = 10;

/** A layer in a pass: its index in the encoder, and the slots of the group that is active. */
export interface LayerStep {
  readonly layer: TrainLayer;
  readonly index: number;
  readonly slots: TrainLayerSlots | null;
}

function useOf({ model, draws }: Pass, index: number, part: LayerLinear): Use {
  return { work: model.work, draws, place: index * 16 + PLACE_OF_PART[part] };
}

/**
 * x [batch.rows][hidden] → out [queries.rows][hidden]. Keys and values come from all rows; `queries` are all of them, or the
 * rows that are read.
 */
export function layerForward(m: TrainMachine, pass: Pass, step: LayerStep, x: Address, queries: Rows, out: Address): void {
  const { layer, index, slots } = step;
  const { batch, model, draws } = pass;
  const { kept, norms } = layer;
  const { hidden, intermediate, epsilon, activation } = model.config;
  const n = queries.rows;
  const linear = (part: LayerLinear, from: Address, rows: number, to: Address): void =>
    linearForward(m, useOf(pass, index, part), layer.linears[part], slots?.linears[part] ?? null, from, rows, to);
  const input = queries === batch ? x : kept.read;
  if (queries !== batch) m.kernels.gatherRows(x, model.work.read, n, hidden, kept.read);

  linear("query", input, n, kept.query);
  linear("key", x, batch.rows, kept.key);
  linear("value", x, batch.rows, kept.value);
  for (const [text, keys] of batch.segments.entries()) attention(m, pass, step, text, queries.segments[text]!, keys);
  linear("attentionOutput", kept.context, n, out);
  drop(m, draws, "hidden", index * 16 + AFTER_ATTENTION, out, n * hidden);
  normForward(m, norms.attentionNorm, epsilon, out, input, n, kept.attentionNorm, kept.attended);

  linear("intermediate", kept.attended, n, kept.wide);
  activate(m, activation, kept.wide, n * intermediate, kept.active);
  linear("output", kept.active, n, out);
  drop(m, draws, "hidden", index * 16 + AFTER_OUTPUT, out, n * hidden);
  normForward(m, norms.outputNorm, epsilon, out, kept.attended, n, kept.outputNorm, out);
}

/**
 * The gradient of the layer's output, [queries.rows][hidden] at `work.dState`, becomes that of its input, [batch.rows][hidden]
 * at the same place; those of what is trained are added to. `needsInput` false: nothing is trained below, so the input's is
 * not made.
 */
export function layerBackward(m: TrainMachine, pass: Pass, step: LayerStep, x: Address, queries: Rows, needsInput: boolean): void {
  const { layer, index, slots } = step;
  const { batch, model, draws } = pass;
  const { kept, norms } = layer;
  const { work } = model;
  const { hidden, intermediate, activation } = model.config;
  const { dState, dResidual, dWide, dContext, dQuery, dKey, dValue } = work;
  const n = queries.rows;
  const copyRows = (from: Address, to: Address): unknown => m.memory.u8.copyWithin(to, from, from + n * hidden * 4);
  const linear = (part: LayerLinear, from: Address, dy: Address, rows: number, dx: Address, adds: boolean): void =>
    linearBackward(m, useOf(pass, index, part), layer.linears[part], slots?.linears[part] ?? null, from, dy, rows, dx, adds);

  normBackward(m, norms.outputNorm, kept.outputNorm, dState, n);
  copyRows(dState, dResidual);
  drop(m, draws, "hidden", index * 16 + AFTER_OUTPUT, dState, n * hidden);
  linear("output", kept.active, dState, n, dWide, false);
  activateBackward(m, activation, kept.wide, kept.active, dWide, n * intermediate);
  linear("intermediate", kept.attended, dWide, n, dResidual, true);

  normBackward(m, norms.attentionNorm, kept.attentionNorm, dResidual, n);
  copyRows(dResidual, dState);
  drop(m, draws, "hidden", index * 16 + AFTER_ATTENTION, dState, n * hidden);
  linear("attentionOutput", kept.context, dState, n, dContext, false);
  for (const [text, keys] of batch.segments.entries()) attentionBackward(m, pass, step, text, queries.segments[text]!, keys);

  if (queries === batch) {
    const dx = needsInput ? dResidual : 0;
    linear("query", x, dQuery, n, dx, true);
    linear("key", x, dKey, n, dx, true);
    linear("value", x, dValue, n, dx, true);
    if (needsInput) copyRows(dResidual, dState);
    return;
  }
  linear("query", kept.read, dQuery, n, needsInput ? dResidual : 0, true);
  linear("key", x, dKey, batch.rows, needsInput ? dState : 0, false);
  linear("value", x, dValue, batch.rows, needsInput ? dState : 0, true);
  if (needsInput) m.train.scatterAddRows(dResidual, work.read, n, hidden, dState);
}

/** The arguments that attention's steps have in common for one text: addresses, counts, and dropout's numbers. */
function attentionOf({ model, draws }: Pass, { index, layer }: LayerStep, text: number, queries: Segment, keys: Segment) {
  const { heads, headSize, hidden } = model.config;
  const { query, key, value } = layer.kept;
  const [queryAt, keyAt] = [queries.first * hidden * 4, keys.first * hidden * 4];
  const rate = draws?.rates.attention ?? 0;
  const dropout = [threshold(rate), 1 / (1 - rate), draws?.key ?? 0, drawKey(index * 16 + ON_WEIGHTS, text)] as const;
  const shared = [query + queryAt, key + keyAt, value + keyAt] as const;
  return { queryAt, keyAt, rate, dropout, shared, heads, headSize, hidden };
}

/** Without dropout the kernel that serves, with its bits; its order of sums costs nothing here. */
function attention({ kernels, train }: TrainMachine, pass: Pass, step: LayerStep, text: number, queries: Segment, keys: Segment): void {
  if (queries.length === 0) return;
  const { queryAt, rate, dropout, shared, heads, headSize, hidden } = attentionOf(pass, step, text, queries, keys);
  const out = step.layer.kept.context + queryAt;
  const scratch = pass.model.work.attention;
  if (rate === 0) kernels.attention(...shared, queries.length, keys.length, heads, headSize, hidden, hidden, 0, scratch, out, hidden);
  else train.attentionForward(...shared, queries.length, keys.length, heads, headSize, hidden, 0, ...dropout, scratch, out);
}

function attentionBackward({ memory, train }: TrainMachine, pass: Pass, step: LayerStep, text: number, queries: Segment, keys: Segment): void {
  const { attention: scratch, dContext, dQuery, dKey, dValue } = pass.model.work;
  const { queryAt, keyAt, dropout, shared, heads, headSize, hidden } = attentionOf(pass, step, text, queries, keys);
  if (queries.length === 0) {
    for (const to of [dKey, dValue]) memory.floats(to + keyAt, keys.length * hidden).fill(0);
    return;
  }
  train.attentionBackward(
    ...shared, dContext + queryAt, queries.length, keys.length, heads, headSize, hidden, 0, ...dropout, scratch,
    dQuery + queryAt, dKey + keyAt, dValue + keyAt,
  ); // prettier-ignore
}
