import type { Activation } from "../format/types.ts";
import type { HeadActivation } from "../model/slot.ts";
import type { Address } from "../wasm/kernels.ts";
import type { TrainMachine } from "./machine.ts";

type AnyActivation = Activation | HeadActivation;

/** out = f(x), with the kernels that serve. x, out f32 [count]. */
export function activate({ kernels, memory }: TrainMachine, activation: AnyActivation, x: Address, count: number, out: Address): void {
  memory.u8.copyWithin(out, x, x + count * 4);
  kernels[activation === "gelu-tanh" ? "geluTanh" : activation](out, count);
}

/** dy = dy·f′, in place. @param x f32 [count]: f's input, @param y f32 [count]: its output */
export function activateBackward({ train }: TrainMachine, activation: AnyActivation, x: Address, y: Address, dy: Address, count: number): void {
  switch (activation) {
    case "gelu":
      return train.geluBackward(x, dy, count);
    case "gelu-tanh":
      return train.geluTanhBackward(x, dy, count);
    case "relu":
      return train.reluBackward(x, dy, count);
    case "tanh":
      return train.tanhBackward(y, dy, count);
  }
}
