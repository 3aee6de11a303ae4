import { RootstockError } from "../errors.ts";
import type { EncoderConfig } from "../format/types.ts";
import { initialise } from "../train/initial.ts";
import { startTraining, type TrainMachine, type TrainMachineOptions } from "../train/machine.ts";
import { zeroGradients, type Parameters } from "../train/parameters.ts";
import { ALONE, type Peers } from "../train/peers.ts";
import { packFrozen, refresh } from "../train/refresh.ts";
import { scheduleOf, type Schedule } from "../train/schedule.ts";
import { Pace } from "../runtime/event-loop.ts";
import type { UpdateBatch } from "./batch.ts";
import { addPairGradients, addSentenceGradients, type GradientContext } from "./gradients.ts";
import { planPretraining, type PretrainingModel } from "./model.ts";
import { probeMeans, probeUpdate } from "./probe.ts";
import { inPlace, sumGradients, type Summed } from "./sum-gradients.ts";
import { joinBySurgery, putAside } from "./surgery.ts";
import type { PretrainingSettings, ProbePart, StepRecord } from "./types.ts";
import { reachedBy, update, type UpdateCounts } from "./update.ts";

export interface TrainerOptions {
  readonly config: EncoderConfig;
  readonly settings: PretrainingSettings;
  /** Of the NER head. */
  readonly classes: number;
  readonly peers?: Peers | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly machine?: TrainMachineOptions | undefined;
}

/** An update's record, and its probe where there was one. */
export interface UpdateResult {
  readonly record: StepRecord;
  readonly probe: readonly ProbePart[] | null;
}

/** Updates in a row whose gradients may be no numbers before training gives up. */
const MOST_NOT_FINITE = 10;

/** The model of a regime and its updates. What they are made of is the caller's. */
export class Trainer {
  readonly machine: TrainMachine;
  readonly plan: PretrainingModel;
  /** Updates made. */
  step = 0;
  readonly counts: UpdateCounts = new Map();
  readonly #settings: PretrainingSettings;
  readonly #schedule: Schedule;
  readonly #context: GradientContext;
  /** Updates in a row, up to the last, that changed nothing. */
  notFinite = 0;

  private constructor(machine: TrainMachine, plan: PretrainingModel, { settings, peers = ALONE, signal }: TrainerOptions) {
    this.machine = machine;
    this.plan = plan;
    this.#settings = settings;
    this.#schedule = scheduleOf(settings.schedule, settings.warmup, settings.steps);
    const pace = new Pace();
    const turn = async (): Promise<void> => {
      await pace.turn();
      signal?.throwIfAborted();
    };
    this.#context = { machine, plan, settings, peers, turn };
  }

  /**
   * @param fill writes the encoder's values; groups and head begin as `initialise` says, from the settings' seed
   * @throws RootstockError as `planPretraining` and `startTraining`.
   */
  static async start(options: TrainerOptions, fill: (machine: TrainMachine, parameters: Parameters) => void): Promise<Trainer> {
    const { config, settings, classes, signal } = options;
    const { machine, plan } = await startTraining((layout) => planPretraining(layout, config, settings, classes), { signal, ...options.machine });
    fill(machine, plan.model.parameters);
    packFrozen(machine, plan.model);
    for (const group of plan.model.groups.values()) initialise(machine, plan.model, group, settings.seed);
    refresh(machine, plan.model);
    return new Trainer(machine, plan, options);
  }

  /** After values were changed from outside. */
  refresh(): void {
    refresh(this.machine, this.plan.model);
  }

  /** One update. @throws RootstockError `training-diverged` when gradients stay without finite values. */
  async update(batch: UpdateBatch): Promise<UpdateResult> {
    const { machine: m, plan } = this;
    const { lossWeights } = this.#settings;
    const { surgery } = plan.regime;
    zeroGradients(m, plan.model.parameters);
    const isProbed = plan.aside.size > 0 && batch.ner !== null && batch.tc !== null && isProbeDue(this.step + 1, this.#settings);
    const ner = batch.ner && (await addSentenceGradients(this.#context, batch.ner, lossWeights.ner));
    if (isProbed || surgery) await this.#putAside(batch, surgery);
    const tc = batch.tc && (await addPairGradients(this.#context, batch.tc, lossWeights.tc));
    const reached = reachedBy(plan, [...(ner === null ? [] : ["ner" as const]), ...(tc === null ? [] : ["tc" as const])]);
    await this.#sum(inPlace(reached), batch);
    const probe = isProbed ? probeUpdate(m, plan, surgery, lossWeights) : null;
    if (surgery) joinBySurgery(m, plan);
    const rate = this.#schedule(this.step);
    const gradientNorm = reached.length === 0 ? 0 : update(m, plan, this.#settings, reached, this.counts, rate);
    this.#checkFinite(gradientNorm);
    this.step++;
    return { record: { step: this.step, ner, tc: tc?.loss ?? null, accuracy: tc?.accuracy ?? null, rate, gradientNorm, tokens: tokensOf(batch) }, probe };
  }

  /** As `probeMeans`; nothing of the training differs for it. */
  probeMeans(batches: readonly [readonly UpdateBatch[], readonly UpdateBatch[]]): Promise<ProbePart[]> {
    return probeMeans(this.#context, batches);
  }

  async #putAside(batch: UpdateBatch, isApart: boolean): Promise<void> {
    const { machine: m, plan } = this;
    if (isApart) await this.#sum(inPlace(plan.backbone), batch);
    putAside(m, plan);
    if (isApart) zeroGradients(m, plan.backbone);
    else await this.#sum(plan.aside, batch);
  }

  #sum(gradients: Summed, batch: UpdateBatch): Promise<void> {
    return sumGradients(this.machine, this.#context.peers, this.plan.model, gradients, [batch]);
  }

  #checkFinite(norm: number | null): void {
    this.notFinite = norm === null ? this.notFinite + 1 : 0;
    if (this.notFinite < MOST_NOT_FINITE) return;
    throw new RootstockError("training-diverged", `the gradients of ${MOST_NOT_FINITE} updates in a row were no finite numbers. Lower learningRates, or raise warmup.`);
  }
}

function tokensOf({ ner, tc }: UpdateBatch): number {
  const sentences = ner?.reduce((sum, { ids }) => sum + ids.length, 0) ?? 0;
  return sentences + (tc?.reduce((sum, { a, b }) => sum + a.length + b.length, 0) ?? 0);
}

/** Whether an update of both families is the first since a probe was due: families with batches at every so many updates meet seldom. */
function isProbeDue(step: number, { ner, pairs, probe: { every } }: PretrainingSettings): boolean {
  return every !== null && step >= every && step % every < ner.every * (pairs.every / greatestDivisor(ner.every, pairs.every));
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
