import { RootstockError } from "../errors.ts";
import type { Address } from "../wasm/kernels.ts";
import type { Layout } from "../wasm/memory.ts";
import type { TrainMachine } from "./machine.ts";

/** A tensor that is trained, and what belongs to it: four places of `count` f32. */
export interface Parameter {
  /** `group/path`: "backbone/encoder.layer.0.output.dense.weight", "ner/classifier.bias". */
  readonly name: string;
  /** Row-major, as PyTorch and PEFT have it. */
  readonly shape: readonly number[];
  readonly count: number;
  readonly value: Address;
  /** Added to by every backward step since the last `zeroGradients`. */
  readonly gradient: Address;
  /** AdamW's running mean of gradients, and of their squares. */
  readonly momentum: Address;
  readonly variance: Address;
}

/** Every tensor that is trained, under its name. */
export class Parameters {
  readonly #layout: Layout;
  readonly #byName = new Map<string, Parameter>();
  readonly #frozen = new Set<Parameter>();

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /**
   * Reserves the places of one more.
   * @param isFrozen it is read and never changed: it has a value alone, and the iteration passes it over
   * @throws RootstockError `argument-invalid` when the name is taken.
   */
  add(name: string, shape: readonly number[], isFrozen = false): Parameter {
    if (this.#byName.has(name)) throw new RootstockError("argument-invalid", `the parameter "${name}" is there already; every group needs a name of its own.`);
    const count = shape.reduce((product, size) => product * size, 1);
    const place = (): Address => this.#layout.reserve(count * 4);
    const trained = (): Address => (isFrozen ? 0 : place());
    const parameter = { name, shape, count, value: place(), gradient: trained(), momentum: trained(), variance: trained() };
    this.#byName.set(name, parameter);
    if (isFrozen) this.#frozen.add(parameter);
    return parameter;
  }

  /** @throws RootstockError `tensor-missing`. */
  get(name: string): Parameter {
    const parameter = this.#byName.get(name);
    if (parameter === undefined) throw new RootstockError("tensor-missing", `no parameter "${name}" is trained here.`);
    return parameter;
  }

  /** Those that are trained, in the order in which they were added. */
  *[Symbol.iterator](): IterableIterator<Parameter> {
    for (const parameter of this.#byName.values()) if (!this.#frozen.has(parameter)) yield parameter;
  }

  /** Frozen ones too. */
  all(): Iterable<Parameter> {
    return this.#byName.values();
  }
}

/** The part of a parameter's name before the first "/": "backbone", or the name of an adapter's group. */
export function groupOf({ name }: Parameter): string {
  return name.slice(0, name.indexOf("/"));
}

export type ParameterPart = "value" | "gradient" | "momentum" | "variance";

/** A copy of one part of a parameter. */
export function readParameter({ memory }: TrainMachine, parameter: Parameter, part: ParameterPart): Float32Array {
  return memory.floats(parameter[part], parameter.count).slice();
}

/** @throws RootstockError `tensor-shape` when there are more or fewer values than places. */
export function writeParameter({ memory }: TrainMachine, parameter: Parameter, part: ParameterPart, values: Float32Array): void {
  if (values.length !== parameter.count) {
    throw new RootstockError("tensor-shape", `"${parameter.name}" has ${parameter.count} values, and ${values.length} were given.`);
  }
  memory.floats(parameter[part], parameter.count).set(values);
}

/** Before the first backward step of an update; steps in between accumulate. */
export function zeroGradients({ memory }: TrainMachine, parameters: Iterable<Parameter>): void {
  for (const { gradient, count } of parameters) memory.floats(gradient, count).fill(0);
}
