import type { Address } from "../wasm/kernels.ts";
import { drop } from "./dropout.ts";
import { linearBackward, linearForward, type TrainLinear } from "./linear.ts";
import type { TrainMachine } from "./machine.ts";
import { normBackward, normForward, type KeptNorm, type TrainNorm } from "./norm.ts";
import type { Parameter } from "./parameters.ts";
import type { Pass } from "./pass.ts";

/** The embedding layer where it is trained. Tables f32 [rows][width]. */
export interface TrainEmbeddings {
  readonly width: number;
  readonly word: Parameter;
  readonly position: Parameter;
  /** null for families without token types. */
  readonly type: Parameter | null;
  readonly norm: TrainNorm;
  readonly keptNorm: KeptNorm;
  /** width → hidden, for factorised embeddings. */
  readonly projection: TrainLinear | null;
  /** [rows][width]: the projection's input. */
  readonly embedded: Address;
}

/** Places of dropout below those of the layers, which begin at 0. */
const PROJECTION = -1;
const AFTER_NORM = -2;

/** out = projection(dropout(LayerNorm((word + type) + position))). Ids, positions and types have been written to the workspace. */
export function embeddingsForward(m: TrainMachine, pass: Pass, embeddings: TrainEmbeddings, out: Address): void {
  const { batch, model, draws } = pass;
  const { work, config } = model;
  const { width, word, position, type, norm, keptNorm, projection } = embeddings;
  const count = batch.rows * width;
  const to = projection === null ? out : embeddings.embedded;
  m.kernels.gatherRows(word.value, work.ids, batch.rows, width, to);
  for (const [table, ids] of [[type, work.types], [position, work.positions]] as const) {
    if (table === null) continue;
    m.kernels.gatherRows(table.value, ids, batch.rows, width, work.scaled);
    m.train.addTo(work.scaled, count, to);
  }
  normForward(m, norm, config.epsilon, to, 0, batch.rows, keptNorm, to);
  drop(m, draws, "hidden", AFTER_NORM, to, count);
  if (projection !== null) linearForward(m, { work, draws, place: PROJECTION }, projection, null, to, batch.rows, out);
}

/** Adds the tables' gradients; that of the output, [rows][hidden] at `work.dState`, is used up. */
export function embeddingsBackward(m: TrainMachine, pass: Pass, embeddings: TrainEmbeddings): void {
  const { batch, model, draws } = pass;
  const { work } = model;
  const { width, word, position, type, norm, keptNorm, projection, embedded } = embeddings;
  let d = work.dState;
  if (projection !== null) {
    linearBackward(m, { work, draws, place: PROJECTION }, projection, null, embedded, d, batch.rows, work.dWide, false);
    d = work.dWide;
  }
  drop(m, draws, "hidden", AFTER_NORM, d, batch.rows * width);
  normBackward(m, norm, keptNorm, d, batch.rows);
  m.train.scatterAddRows(d, work.ids, batch.rows, width, word.gradient);
  m.train.scatterAddRows(d, work.positions, batch.rows, width, position.gradient);
  if (type !== null) m.train.scatterAddRows(d, work.types, batch.rows, width, type.gradient);
}
