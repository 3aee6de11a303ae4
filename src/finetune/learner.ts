import type { AdapterHost } from "../model/adapter.ts";
import type { LoadedEncoder } from "../runtime/load-encoder.ts";
import { fillAdapterModel, planAdapterModel } from "../train/adapter-model.ts";
import type { Draws, DropoutRates } from "../train/dropout.ts";
import type { GroupOptions } from "../train/group.ts";
import { headBackward, headForward, type HeadKind, type TrainHead } from "../train/head.ts";
import { sumOf } from "../train/losses.ts";
import { startTraining, type TrainBuild, type TrainMachine, type TrainMachineOptions } from "../train/machine.ts";
import { readParameter, writeParameter, type ParameterPart } from "../train/parameters.ts";
import { backward, beginPass, forward, type PassText, type TrainGroup, type TrainModel } from "../train/pass.ts";
import { refresh } from "../train/refresh.ts";
import { PASS_ROWS } from "./batches.ts";
import type { Example } from "./examples.ts";
import type { HeadLoss } from "./loss.ts";
import { planServedHead, readyServedHead, servedLogits, type ServedHead } from "./served-head.ts";
import type { AdapterShape } from "./settings.ts";

export const GROUP = "task";

export interface LearnerOptions {
  readonly shape: AdapterShape;
  readonly head: HeadKind;
  readonly dropout: DropoutRates;
  /** Most tokens of a text. */
  readonly longest: number;
  readonly build: TrainBuild;
  readonly wasm: TrainMachineOptions["wasm"];
  readonly signal: AbortSignal | undefined;
}

/** An adapter in training: its parameters, and passes over texts whose trunks are given. */
export class Learner {
  readonly machine: TrainMachine;
  readonly model: TrainModel;
  /** Most token rows of a pass. */
  readonly rows: number;
  readonly #group: TrainGroup;
  readonly #head: TrainHead;
  readonly #served: ServedHead;
  readonly #host: AdapterHost;
  readonly #rates: DropoutRates | null;

  private constructor(machine: TrainMachine, model: TrainModel, served: ServedHead, host: AdapterHost, dropout: DropoutRates) {
    this.machine = machine;
    this.model = model;
    this.rows = model.work.rows;
    this.#group = model.groups.get(GROUP)!;
    this.#head = this.#group.head!;
    this.#served = served;
    this.#host = host;
    this.#rates = Object.values(dropout).some((rate) => rate > 0) ? dropout : null;
  }

  static async start({ machine: { memory, plan }, engine, format }: LoadedEncoder, options: LearnerOptions): Promise<Learner> {
    const { shape, head, dropout, longest, build, wasm, signal } = options;
    const host = { memory, plan, format };
    const group = groupOf(shape, head);
    const { machine, plan: { model, served } } = await startTraining((layout) => {
      const planned = planAdapterModel(layout, host, { group, rows: Math.max(PASS_ROWS, longest), longest });
      return { model: planned, served: planServedHead(layout, planned.groups.get(GROUP)!.head!, planned.work.rows) };
    }, { build, wasm, signal, product: engine.product });
    fillAdapterModel(machine, model, host);
    return new Learner(machine, model, served, host, dropout);
  }

  /** The encoder's layer that texts enter. */
  get depth(): number {
    return this.model.firstLayer;
  }

  get group(): TrainGroup {
    return this.#group;
  }

  /**
   * Adds the gradients of some texts' losses.
   * @param key of dropout's draws
   * @returns Σ of the losses, not scaled
   */
  learn(examples: readonly Example[], states: readonly Float32Array[], loss: HeadLoss, scale: number, key: number): number {
    const draws = this.#rates && { key, rates: this.#rates };
    const { pass, x } = this.#forward(examples, states, draws);
    const [m, head, { rows }] = [this.machine, this.#head, pass.queries];
    headForward(m, pass, head, x, rows);
    const sum = sumOf(loss.of(m, head, examples, scale));
    headBackward(m, pass, head, x, rows);
    backward(m, pass);
    return sum;
  }

  /** What the head gives for some texts, with the bits that are served. Between `beginMeasuring` and `endMeasuring`. */
  scores(examples: readonly Example[], states: readonly Float32Array[], loss: HeadLoss): { readonly scores: Float32Array; readonly losses: Float32Array } {
    const { pass, x } = this.#forward(examples, states, null);
    const [m, head, { rows }] = [this.machine, this.#head, pass.queries];
    servedLogits(m, pass, head, this.#served, x, rows);
    const [{ memory, kernels }, { scores }] = [m, this.#served];
    const { classes } = head.loss;
    memory.u8.copyWithin(head.logits, scores, scores + rows * classes * 4);
    const losses = loss.of(m, head, examples, 0);
    if (loss.isMultiLabel) kernels.sigmoid(scores, rows * classes);
    else kernels.softmaxRows(scores, rows, classes, classes);
    return { scores: memory.floats(scores, rows * classes).slice(), losses };
  }

  beginMeasuring(): void {
    readyServedHead(this.machine, this.model, this.#head, this.#served, this.#host);
  }

  endMeasuring(): void {
    refresh(this.machine, this.model);
  }

  /** Copies of one part of every parameter, by name. */
  copy(part: ParameterPart): Map<string, Float32Array> {
    return new Map([...this.model.parameters].map((parameter) => [parameter.name, readParameter(this.machine, parameter, part)]));
  }

  /** Gives parameters what `copy` gave; call `refresh` after values. @throws RootstockError `tensor-missing`, `tensor-shape`. */
  write(part: ParameterPart, values: ReadonlyMap<string, Float32Array>): void {
    for (const [name, numbers] of values) writeParameter(this.machine, this.model.parameters.get(name), part, numbers);
  }

  #forward(examples: readonly Example[], states: readonly Float32Array[], draws: Draws | null) {
    const isHeadAlone = this.model.layers.length === 0;
    // Of a head alone the states are the rows that it reads.
    const texts = examples.map(({ read }, i): PassText => (isHeadAlone ? { state: states[i]! } : { state: states[i]!, read }));
    const pass = beginPass(this.machine, this.model, texts, this.#group, draws);
    return { pass, x: forward(this.machine, pass) };
  }
}

function groupOf({ method, layers, targets, rank, alpha, rsLora, feedforward, biases }: AdapterShape, head: HeadKind): GroupOptions {
  const kind = method === "head" ? "none" : method;
  return { name: GROUP, layers, targets, kind, rank, alpha, rsLora, feedforward, bias: biases ? "targets" : "none", head };
}
