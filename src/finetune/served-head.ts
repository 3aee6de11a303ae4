import { doraGain, rowNorms, toEnd, transposed } from "../model/adapter-values.ts";
import type { AdapterHost } from "../model/adapter.ts";
import type { DensePlace } from "../model/slot.ts";
import { LINEAR_PARTS } from "../model/plan.ts";
import { activate } from "../train/activation.ts";
import type { TrainHead } from "../train/head.ts";
import { linearForward, type TrainLinear } from "../train/linear.ts";
import type { TrainMachine } from "../train/machine.ts";
import type { Pass, TrainModel } from "../train/pass.ts";
import type { Address } from "../wasm/kernels.ts";
import { alignUp, type Layout } from "../wasm/memory.ts";

/**
 * The head with the kernels that serve it, whose sums have another order than training's product: so that what is measured on dev has the
 * bits that are served afterwards.
 */
export interface ServedHead {
  readonly dense: DensePlace | null;
  readonly classifier: DensePlace;
  /** f32 [rows][classes] */
  readonly scores: Address;
}

export function planServedHead(layout: Layout, { dense, classifier }: TrainHead, rows: number): ServedHead {
  const plan = ({ depth: inputs, columns: outputs }: TrainLinear): DensePlace => ({
    inputs, outputs, weights: layout.reserve(inputs * alignUp(outputs, 4) * 4), bias: layout.reserve(alignUp(outputs, 4) * 4),
  });
  return { dense: dense && plan(dense.linear), classifier: plan(classifier), scores: layout.reserve(rows * classifier.columns * 4) };
}

/** Copies the parameters, and makes DoRA's gains as serving does, in float64: before an evaluation. `refresh` undoes the latter. */
export function readyServedHead(m: TrainMachine, model: TrainModel, head: TrainHead, served: ServedHead, host: AdapterHost): void {
  const copy = (from: TrainLinear, to: DensePlace): void => {
    const weights = transposed(m.memory.floats(from.weight, from.columns * from.depth), from.columns, from.depth, 1);
    m.memory.f32.set(weights, to.weights >>> 2);
    m.memory.u8.copyWithin(to.bias, from.bias, from.bias + from.columns * 4);
  };
  if (served.dense !== null) copy(head.dense!.linear, served.dense);
  copy(head.classifier, served.classifier);
  for (const group of model.groups.values()) {
    for (const [at, slots] of group.layers.entries()) {
      for (const part of LINEAR_PARTS) {
        const slot = slots?.linears[part];
        if (slot?.magnitude == null) continue;
        const [a, b] = [slot.down!, slot.up!].map(({ value, count }) => m.memory.floats(value, count)) as [Float32Array, Float32Array];
        const place = host.plan.layers[model.firstLayer + at]![part];
        const norms = toEnd(rowNorms(host.memory, place, host.format, a, b, slot.rank, slot.scale));
        const { outputScale, shift } = slot.numbers;
        const gain = m.memory.floats(outputScale, slot.columns);
        gain.set(doraGain(m.memory.floats(slot.magnitude.value, slot.columns), norms));
        const base = m.memory.floats(model.layers[at]!.linears[part].bias, slot.columns);
        const own = slot.bias === null ? base : m.memory.floats(slot.bias.value, slot.columns);
        m.memory.floats(shift, slot.columns).set(own.map((c, i) => c - gain[i]! * base[i]!));
      }
    }
  }
}

/** x [rows][hidden] → logits at `served.scores`, the bits that `Encoder.logits` gives. */
export function servedLogits(m: TrainMachine, { model }: Pass, head: TrainHead, served: ServedHead, x: Address, rows: number): void {
  const { kernels } = m;
  const { hidden } = model.config;
  const dense = (from: Address, { inputs, outputs, weights, bias }: DensePlace, to: Address): void =>
    kernels.dense(from, rows, inputs, inputs, weights, bias, outputs, to, outputs);
  let from = x;
  if (head.usesPooler && model.pooler !== null) {
    linearForward(m, { work: model.work, draws: null, place: 0 }, model.pooler, null, x, rows, head.before);
    activate(m, "tanh", head.before, rows * hidden, head.pooled);
    from = head.pooled;
  } else if (served.dense !== null) {
    dense(x, served.dense, head.pooled);
    kernels[head.dense!.activation](head.pooled, rows * hidden);
    from = head.pooled;
  }
  dense(from, served.classifier, served.scores);
}
