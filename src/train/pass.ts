import { RootstockError } from "../errors.ts";
import type { EncoderConfig } from "../format/types.ts";
import { checkRows, writeIds } from "../run/rows.ts";
import type { Address } from "../wasm/kernels.ts";
import type { Draws } from "./dropout.ts";
import { embeddingsBackward, embeddingsForward, type TrainEmbeddings } from "./embeddings.ts";
import type { TrainHead } from "./head.ts";
import { layerBackward, layerForward, type LayerStep, type TrainLayer, type TrainLayerSlots } from "./layer.ts";
import type { TrainLinear } from "./linear.ts";
import type { TrainMachine } from "./machine.ts";
import type { Parameters } from "./parameters.ts";
import type { TrainWorkspace } from "./workspace.ts";

/** An encoder, or the upper part of one, that is trained or has adapters that are. */
export interface TrainModel {
  readonly config: EncoderConfig;
  readonly parameters: Parameters;
  readonly work: TrainWorkspace;
  /** null: frozen, and a pass begins with a state that is given. */
  readonly embeddings: TrainEmbeddings | null;
  /** Nothing but the groups is trained: a pass begins with ids all the same, and backward ends at the group's lowest layer. */
  readonly isFrozen?: boolean;
  /** Number in the encoder of the first of `layers`. */
  readonly firstLayer: number;
  readonly layers: readonly TrainLayer[];
  readonly pooler: TrainLinear | null;
  readonly groups: ReadonlyMap<string, TrainGroup>;
  /** [rows][hidden]: before each layer, and after the last. */
  readonly states: readonly Address[];
}

/** An adapter that is trained: it is active for its own batches only. */
export interface TrainGroup {
  readonly name: string;
  /** One entry for each of the model's layers. */
  readonly layers: readonly (TrainLayerSlots | null)[];
  readonly head: TrainHead | null;
}

/** Rows of one text; attention walks these. */
export interface Segment {
  readonly first: number;
  readonly length: number;
}

/** Token rows of several texts, one after the other. */
export interface Rows {
  readonly rows: number;
  readonly segments: readonly Segment[];
}

/** One forward pass and, while nothing else has been run, its backward pass. */
export interface Pass {
  readonly model: TrainModel;
  readonly batch: Rows;
  readonly group: TrainGroup | null;
  readonly draws: Draws | null;
  /** Rows of the last state that are wanted; the batch itself where all are. */
  readonly queries: Rows;
}

/** A text of a pass: its token ids, special tokens included; or, where the embeddings are frozen, its state below the first layer. */
export interface PassText {
  readonly ids?: ArrayLike<number>;
  /** [tokens][hidden] */
  readonly state?: Float32Array;
  /** Tokens whose last state is wanted, rising; absent: all. */
  readonly read?: ArrayLike<number> | undefined;
}

/** Cuts the texts [first, end), in order, into passes of at most `rows` tokens; one that is longer goes alone. The order of sums depends on it. */
export function cutPasses(lengths: readonly number[], first: number, end: number, rows: number): [first: number, end: number][] {
  const passes: [number, number][] = [];
  for (let from = first; from < end; ) {
    let [to, sum] = [from, 0];
    while (to < end && (to === from || sum + lengths[to]! <= rows)) sum += lengths[to++]!;
    passes.push([from, to]);
    from = to;
  }
  return passes;
}

/**
 * Writes the texts' ids, or states, to the model's buffers.
 * @throws RootstockError `argument-invalid` for more rows than there is room for, or an id where a state is called for;
 *   `ids-invalid`, `text-too-long`.
 */
export function beginPass(m: TrainMachine, model: TrainModel, texts: readonly PassText[], group: TrainGroup | null, draws: Draws | null): Pass {
  const { work } = model;
  const { i32 } = m.memory;
  const batch = { rows: 0, segments: [] as Segment[] };
  const queries = { rows: 0, segments: [] as Segment[] };
  for (const text of texts) {
    const length = checkText(model, text, batch.rows);
    const first = batch.rows;
    if (model.embeddings !== null) writeIds(m.memory, model.config, work, text.ids!, first);
    else m.memory.floats(model.states[0]! + first * model.config.hidden * 4, text.state!.length).set(text.state!);
    const read = text.read ?? Array.from({ length }, (_, token) => token);
    for (let i = 0; i < read.length; i++) i32[(work.read >>> 2) + queries.rows + i] = first + read[i]!;
    batch.segments.push({ first, length });
    queries.segments.push({ first: queries.rows, length: read.length });
    batch.rows += length;
    queries.rows += read.length;
  }
  return { model, batch, group, draws, queries: texts.every(({ read }) => read === undefined) ? batch : queries };
}

/** Tokens of a text. */
function checkText({ config, embeddings, work }: TrainModel, { ids, state }: PassText, before: number): number {
  if (embeddings !== null && ids !== undefined) checkRows(config, { ids });
  const length = embeddings !== null ? ids?.length : state === undefined ? undefined : state.length / config.hidden;
  if (length === undefined || !Number.isInteger(length)) {
    throw new RootstockError("argument-invalid", `a text of this pass needs ${embeddings === null ? `its state, ${config.hidden} numbers a token` : "its token ids"}.`);
  }
  if (length > work.longest) throw new RootstockError("text-too-long", `a text has ${length} tokens; there is room for ${work.longest} in one text.`);
  if (before + length > work.rows) {
    throw new RootstockError(
      "argument-invalid",
      `the texts have more than ${work.rows} tokens together, for which there is room. Pass fewer at once and let gradients add up.`,
    );
  }
  return length;
}

/** From ids, or from the states that were given, to the last state at the rows that are read, whose address it returns. */
export function forward(m: TrainMachine, pass: Pass): Address {
  const { model, batch, queries } = pass;
  const { embeddings, layers, states, work, config } = model;
  if (embeddings !== null) embeddingsForward(m, pass, embeddings, states[0]!);
  for (const [at, layer] of layers.entries()) {
    layerForward(m, pass, stepOf(pass, layer, at), states[at]!, at === layers.length - 1 ? queries : batch, states[at + 1]!);
  }
  if (layers.length > 0 || queries === batch) return states[layers.length]!;
  m.kernels.gatherRows(states[0]!, work.read, queries.rows, config.hidden, work.scaled);
  m.memory.u8.copyWithin(states[0]!, work.scaled, work.scaled + queries.rows * config.hidden * 4);
  return states[0]!;
}

/** Adds the gradients of all that is trained; that of the last state lies at `work.dState`, [queries.rows][hidden], and is used up. */
export function backward(m: TrainMachine, pass: Pass): void {
  const { model, batch, group } = pass;
  const { layers, states } = model;
  const embeddings = model.isFrozen === true ? null : model.embeddings;
  const lowest = embeddings !== null ? 0 : group === null ? layers.length : group.layers.findIndex((slots) => slots !== null);
  if (lowest === -1) return;
  for (let at = layers.length - 1; at >= lowest; at--) {
    const needsInput = at > lowest || embeddings !== null;
    layerBackward(m, pass, stepOf(pass, layers[at]!, at), states[at]!, at === layers.length - 1 ? pass.queries : batch, needsInput);
  }
  if (embeddings !== null) embeddingsBackward(m, pass, embeddings);
}

function stepOf({ model, group }: Pass, layer: TrainLayer, at: number): LayerStep {
  return { layer, index: model.firstLayer + at, slots: group?.layers[at] ?? null };
}
