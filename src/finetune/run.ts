import { adamWStep, clipFactor, gradientNorm } from "../train/adamw.ts";
import { drawKey } from "../train/dropout.ts";
import { sumOf } from "../train/losses.ts";
import { zeroGradients, type Parameter } from "../train/parameters.ts";
import { cutPasses } from "../train/pass.ts";
import { cutByTokens, type Peers } from "../train/peers.ts";
import { refresh } from "../train/refresh.ts";
import { scheduleOf, type Schedule } from "../train/schedule.ts";
import { orderOf } from "./batches.ts";
import type { Example } from "./examples.ts";
import type { Learner } from "./learner.ts";
import { measure } from "./measure.ts";
import { diverged, predict } from "./predictions.ts";
import type { Prepared } from "./prepare.ts";
import { Stopwatch } from "./progress.ts";
import { writeState, type RunState } from "./run-state.ts";
import type { Trunks } from "./trunks.ts";
import type { CheckpointStore, TrainingProgress } from "./types.ts";

export interface RunOptions {
  readonly peers: Peers;
  readonly checkpoint: CheckpointStore | undefined;
  readonly onProgress: ((progress: TrainingProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
  /** Runs a step while no call of the encoder is under way. */
  readonly between: <T>(step: () => T) => Promise<T>;
}

/** Seconds after which a checkpoint is written within an epoch. */
const CHECKPOINT_SECONDS = 30;

/** From a state to the end: updates, evaluations, checkpoints. */
export class Run {
  readonly #prepared: Prepared;
  readonly #learner: Learner;
  readonly #trunks: Trunks;
  readonly #state: RunState;
  readonly #options: RunOptions;
  readonly #watch = new Stopwatch();
  readonly #schedule: Schedule;
  readonly #head: ReadonlySet<Parameter>;
  readonly #perEpoch: number;
  readonly #steps: number;
  readonly #secondsBefore: number;
  #lastWrite = 0;

  constructor(prepared: Prepared, learner: Learner, trunks: Trunks, state: RunState, options: RunOptions) {
    const { recipe, train } = prepared;
    this.#prepared = prepared;
    this.#learner = learner;
    this.#trunks = trunks;
    this.#state = state;
    this.#options = options;
    this.#perEpoch = Math.ceil(train.examples.length / recipe.batchSize);
    this.#steps = this.#perEpoch * recipe.epochs;
    this.#schedule = scheduleOf(recipe.schedule, recipe.warmup, this.#steps);
    this.#secondsBefore = state.history.seconds;
    const { classifier, dense } = learner.group.head!;
    this.#head = new Set([classifier, ...(dense === null ? [] : [dense.linear])].flatMap(({ trained }) => [trained!.weight, trained!.bias]));
  }

  /** Aborted, it leaves a checkpoint of the last update. */
  async toEnd(): Promise<void> {
    try {
      await this.#go();
    } catch (error) {
      // Between two updates nothing of the state is half changed.
      if (this.#options.signal?.aborted === true) await this.#write();
      throw error;
    }
  }

  async #go(): Promise<void> {
    const [state, { recipe }] = [this.#state, this.#prepared];
    let epoch = -1;
    let order: Int32Array = new Int32Array(0);
    // That of a run which was ended on its way to it.
    if (this.#isEvaluationDue) {
      await this.#evaluate();
      await this.#keep(true);
    }
    while (state.step < this.#steps && !state.isOver) {
      const now = Math.floor(state.step / this.#perEpoch);
      if (now !== epoch) order = orderOf(this.#prepared.train.examples.length, recipe.seed, (epoch = now));
      const first = (state.step % this.#perEpoch) * recipe.batchSize;
      await this.#update(Array.from(order.subarray(first, first + recipe.batchSize), (row) => this.#prepared.train.examples[row]!));
      const isDue = this.#isEvaluationDue;
      if (isDue) await this.#evaluate();
      await this.#keep(isDue || state.step % this.#perEpoch === 0);
    }
  }

  get #isEvaluationDue(): boolean {
    const [{ step, history }, { recipe: { evaluateEvery }, dev }] = [this.#state, this.#prepared];
    if (dev === null || step === 0 || history.evaluations.at(-1)?.step === step) return false;
    return step % (evaluateEvery === "epoch" ? this.#perEpoch : evaluateEvery) === 0 || step === this.#steps;
  }

  /** One batch: this peer's share of its texts, the sum of all peers' gradients, AdamW. */
  async #update(batch: readonly Example[]): Promise<void> {
    const began = performance.now();
    const [learner, { peers, signal, between }, { recipe, loss }, state] = [this.#learner, this.#options, this.#prepared, this.#state];
    const { machine: m, model } = learner;
    const scale = 1 / loss.total(batch);
    const lengths = batch.map(({ ids }) => ids.length);
    const borders = cutByTokens(lengths, peers.size);
    let sum = 0;
    zeroGradients(m, model.parameters);
    for (const [first, end] of cutPasses(lengths, borders[peers.rank]!, borders[peers.rank + 1]!, learner.rows)) {
      const pass = batch.slice(first, end);
      if (!this.#trunks.has(pass)) this.#report("trunk");
      const states = await this.#trunks.of(pass);
      sum += await between(() => learner.learn(pass, states, loss, scale, drawKey(recipe.seed, state.step, first)));
      signal?.throwIfAborted();
    }
    if (peers.size > 1) sum = await this.#sumGradients(sum);
    const norm = gradientNorm(m, model.parameters);
    if (!Number.isFinite(norm) || !Number.isFinite(sum)) throw diverged();
    const share = this.#schedule(state.step);
    adamWStep(m, model.parameters, state.step + 1, {
      learningRate: (parameter) => share * (this.#head.has(parameter) ? recipe.headLearningRate : recipe.learningRate),
      weightDecay: recipe.weightDecay,
      // Matrices: no biases, no magnitudes, and none of (IA)³'s vectors, which rest at 1.
      decays: ({ name }) => name.endsWith(".weight"),
    }, recipe.clip === null ? 1 : clipFactor(norm, recipe.clip));
    refresh(m, model);

    const tokens = batch.reduce((total, { ids }) => total + ids.length, 0);
    state.step++;
    state.history.tokens += tokens;
    state.history.steps.push({ step: state.step, epoch: this.#epochs, loss: sum * scale, learningRate: share * recipe.learningRate, gradientNorm: norm });
    this.#watch.updated((performance.now() - began) / 1000, tokens);
    this.#report("train");
  }

  async #sumGradients(loss: number): Promise<number> {
    const { machine: { memory }, model } = this.#learner;
    const parameters = [...model.parameters];
    const values = new Float32Array(parameters.reduce((sum, { count }) => sum + count, 1));
    values[0] = loss;
    let at = 1;
    for (const { gradient, count } of parameters) {
      values.set(memory.floats(gradient, count), at);
      at += count;
    }
    await this.#options.peers.sum(values);
    at = 1;
    for (const { gradient, count } of parameters) {
      memory.floats(gradient, count).set(values.subarray(at, at + count));
      at += count;
    }
    return values[0]!;
  }

  async #evaluate(): Promise<void> {
    const began = performance.now();
    const [state, { kind, classes, dev, loss, recipe }, { peers, between }] = [this.#state, this.#prepared, this.#options];
    const { history } = state;
    this.#report("dev");
    const predictions = await predict(dev!.examples, {
      learner: this.#learner, trunks: this.#trunks, loss, width: classes.labels.length, peers, run: between,
    });
    const measured = measure(kind, classes, dev!.examples, predictions);
    const devLoss = sumOf(predictions.losses) / (loss.total(dev!.examples) || 1);
    const { metric, ...details } = measured;
    history.evaluations.push({ step: state.step, epoch: this.#epochs, metric, loss: devLoss });
    const isGain = history.best === null || metric > history.best.metric;
    // Among equals the surer one, but that alone is no reason to go on.
    if (isGain || (metric === history.best!.metric && devLoss < state.bestLoss)) {
      history.best = { step: state.step, metric };
      state.bestLoss = devLoss;
      state.best = this.#learner.copy("value");
      Object.assign(history, details);
    }
    state.withoutGain = isGain ? 0 : state.withoutGain + 1;
    if (recipe.patience !== null && state.withoutGain >= recipe.patience && state.step < this.#steps) {
      history.stopped = "patience";
      state.isOver = true;
    }
    this.#watch.evaluated((performance.now() - began) / 1000);
    this.#report("dev");
  }

  /** Writes a checkpoint where one is due. */
  async #keep(isDue: boolean): Promise<void> {
    if (isDue || this.#watch.seconds - this.#lastWrite > CHECKPOINT_SECONDS) await this.#write();
    this.#options.signal?.throwIfAborted();
  }

  async #write(): Promise<void> {
    const { checkpoint, peers } = this.#options;
    this.#lastWrite = this.#watch.seconds;
    this.#state.history.seconds = this.#secondsBefore + this.#lastWrite;
    if (peers.rank === 0) await checkpoint?.write(writeState(this.#state, this.#learner));
  }

  /** Of the update made last, from 1; may be asked for before the first. */
  get #epochs(): number {
    return Math.max(1, Math.ceil(this.#state.step / this.#perEpoch));
  }

  #report(phase: TrainingProgress["phase"]): void {
    const { onProgress, peers, signal } = this.#options;
    if (onProgress === undefined || peers.rank !== 0) return;
    const [{ step, history }, { recipe, dev }] = [this.#state, this.#prepared];
    const every = recipe.evaluateEvery === "epoch" ? this.#perEpoch : recipe.evaluateEvery;
    const evaluations = dev === null ? 0 : Math.ceil(this.#steps / every) - history.evaluations.length;
    onProgress({
      phase, step, steps: this.#steps, epochs: recipe.epochs, epoch: phase === "trunk" ? Math.floor(step / this.#perEpoch) + 1 : this.#epochs,
      loss: history.steps.at(-1)?.loss ?? null, metric: history.evaluations.at(-1)?.metric ?? null, best: history.best?.metric ?? null,
      ...this.#watch.estimate(this.#steps - step, Math.max(0, evaluations)),
    });
    signal?.throwIfAborted();
  }
}
