import type { HeadActivation } from "../model/slot.ts";
import type { Address } from "../wasm/kernels.ts";
import type { Layout } from "../wasm/memory.ts";
import { activate, activateBackward } from "./activation.ts";
import { drop } from "./dropout.ts";
import { linearBackward, linearForward, planTrained, type TrainLinear } from "./linear.ts";
import { planLoss, type LossPlace } from "./losses.ts";
import type { TrainMachine } from "./machine.ts";
import type { Parameters } from "./parameters.ts";
import type { Pass } from "./pass.ts";

/** From the rows that are read to logits: through the encoder's pooler, or a dense layer of its own, or neither. */
export interface TrainHead {
  readonly usesPooler: boolean;
  readonly dense: { readonly linear: TrainLinear; readonly activation: HeadActivation } | null;
  readonly classifier: TrainLinear;
  /** f32 [rows][classes]; a loss puts its gradient there. */
  readonly logits: Address;
  /** [rows][hidden] each: the dense layer's output before and after its activation. */
  readonly before: Address;
  readonly pooled: Address;
  readonly loss: LossPlace;
}

export interface HeadKind {
  readonly classes: number;
  /** "token": straight from the rows. "pooler": through the encoder's own. "dense": through one that is trained. */
  readonly through: "token" | "pooler" | { readonly name: string; readonly activation: HeadActivation };
  /** Name of the classifier's parameters, in PEFT's words: "classifier", or "classifier.out_proj". */
  readonly name: string;
}

export function planHead(layout: Layout, parameters: Parameters, group: string, { classes, through, name }: HeadKind, rows: number, hidden: number): TrainHead {
  const floats = (width: number): Address => layout.reserve(rows * width * 4);
  const own = typeof through === "string" ? null : through;
  const dense = own && { linear: planTrained(layout, parameters, `${group}/${own.name}`, hidden, hidden), activation: own.activation };
  return {
    usesPooler: through === "pooler",
    dense,
    classifier: planTrained(layout, parameters, `${group}/${name}`, classes, hidden),
    logits: floats(classes), before: floats(hidden), pooled: floats(hidden),
    loss: planLoss(layout, rows, classes),
  };
}

/** Places of dropout below those of the embeddings. */
const CLASSIFIER = -3;
const DENSE = -4;

/** The dense layer before the classifier. */
function denseOf({ model }: Pass, head: TrainHead): { linear: TrainLinear; activation: HeadActivation } | null {
  return head.usesPooler && model.pooler !== null ? { linear: model.pooler, activation: "tanh" } : head.dense;
}

/** x [rows][hidden] → logits [rows][classes] at `head.logits`. */
export function headForward(m: TrainMachine, pass: Pass, head: TrainHead, x: Address, rows: number): void {
  const { work, config } = pass.model;
  const count = rows * config.hidden;
  const use = { work, draws: pass.draws, place: DENSE };
  const dense = denseOf(pass, head);
  if (dense === null) m.memory.u8.copyWithin(head.pooled, x, x + count * 4);
  else {
    linearForward(m, use, dense.linear, null, x, rows, head.before);
    activate(m, dense.activation, head.before, count, head.pooled);
  }
  drop(m, pass.draws, "classifier", CLASSIFIER, head.pooled, count);
  linearForward(m, use, head.classifier, null, head.pooled, rows, head.logits);
}

/** The logits' gradient, at `head.logits`, to that of x, at `work.dState`; the head's own are added to. */
export function headBackward(m: TrainMachine, pass: Pass, head: TrainHead, x: Address, rows: number): void {
  const { work, config } = pass.model;
  const count = rows * config.hidden;
  const use = { work, draws: pass.draws, place: DENSE };
  const dense = denseOf(pass, head);
  const dPooled = dense === null ? work.dState : work.dResidual;
  linearBackward(m, use, head.classifier, null, head.pooled, head.logits, rows, dPooled, false);
  drop(m, pass.draws, "classifier", CLASSIFIER, dPooled, count);
  if (dense === null) return;
  activate(m, dense.activation, head.before, count, head.pooled); // as it was before dropout
  activateBackward(m, dense.activation, head.before, head.pooled, dPooled, count);
  linearBackward(m, use, dense.linear, null, x, dPooled, rows, work.dState, false);
}
