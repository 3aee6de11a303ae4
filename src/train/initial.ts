import { LINEAR_PARTS } from "../model/plan.ts";
import type { Address } from "../wasm/kernels.ts";
import { drawKey } from "./dropout.ts";
import type { TrainMachine } from "./machine.ts";
import type { Parameter } from "./parameters.ts";
import type { TrainGroup, TrainModel } from "./pass.ts";
import { refresh } from "./refresh.ts";

/** Deviation of a fresh head's weights: transformers' `initializer_range`. */
const HEAD_DEVIATION = 0.02;

/**
 * Gives a group the values that PEFT and transformers start from, so that it changes nothing yet: A uniform in ±1/√inputs (Kaiming
 * with a = √5), B 0, DoRA's m the norms of W, (IA)³'s vectors 1, biases those of the encoder; the head normal with deviation 0.02,
 * its biases 0. The same seed gives the same values on every engine.
 */
export function initialise(m: TrainMachine, model: TrainModel, group: TrainGroup, seed: number): void {
  for (const [at, slots] of group.layers.entries()) {
    if (slots === null) continue;
    const { linears } = model.layers[at]!;
    for (const part of LINEAR_PARTS) {
      const slot = slots.linears[part];
      if (slot === undefined) continue;
      if (slot.down !== null) fill(m, slot.down, uniform(slot.down.name, seed, 1 / Math.sqrt(slot.depth)));
      if (slot.up !== null) fill(m, slot.up, () => 0);
      for (const vector of [slot.inputScale, slot.outputScale, slot.magnitude]) if (vector !== null) fill(m, vector, () => 1);
      if (slot.bias !== null) copyValues(m, slot.bias, linears[part].bias);
    }
  }
  if (group.head !== null) {
    const { classifier, dense } = group.head;
    for (const layer of [classifier, ...(dense === null ? [] : [dense.linear])]) {
      fill(m, layer.trained!.weight, normal(layer.trained!.weight.name, seed, HEAD_DEVIATION));
      fill(m, layer.trained!.bias, () => 0);
    }
  }
  refresh(m, model);
  if (magnitudesFromNorms(m, group)) refresh(m, model);
}

/** m = ‖W‖, so that g = 1. Were there any? */
function magnitudesFromNorms(m: TrainMachine, group: TrainGroup): boolean {
  let found = false;
  for (const slots of group.layers) {
    for (const slot of Object.values(slots?.linears ?? {})) {
      if (slot.magnitude === null) continue;
      copyValues(m, slot.magnitude, slot.norms);
      found = true;
    }
  }
  return found;
}

function copyValues({ memory }: TrainMachine, parameter: Parameter, from: Address): void {
  memory.u8.copyWithin(parameter.value, from, from + parameter.count * 4);
}

function fill({ memory }: TrainMachine, parameter: Parameter, value: (index: number) => number): void {
  const values = memory.floats(parameter.value, parameter.count);
  for (let i = 0; i < values.length; i++) values[i] = value(i);
}

/** Numbers in [0, 1) of a name, a seed and an index. */
function draws(name: string, seed: number): (index: number) => number {
  const key = drawKey(seed, ...Array.from(name, (letter) => letter.codePointAt(0)!));
  return (index) => (drawKey(key, index) >>> 0) / 2 ** 32;
}

function uniform(name: string, seed: number, bound: number): (index: number) => number {
  const draw = draws(name, seed);
  return (index) => (2 * draw(index) - 1) * bound;
}

/** Sum of 12 uniform numbers (Irwin–Hall): normal but for its tails beyond 6 deviations, and only additions. */
function normal(name: string, seed: number, deviation: number): (index: number) => number {
  const draw = draws(name, seed);
  return (index) => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += draw(index * 12 + i);
    return sum * deviation;
  };
}
