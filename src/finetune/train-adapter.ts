import { RootstockError } from "../errors.ts";
import { Encoder } from "../runtime/encoder.ts";
import { ownOptions } from "../own-options.ts";
import { initialise } from "../train/initial.ts";
import type { TrainBuild } from "../train/machine.ts";
import { refresh } from "../train/refresh.ts";
import { checkPeers } from "../train/peers.ts";
import { supportsRelaxedSimd } from "../wasm/binaries.ts";
import { PASS_ROWS } from "./batches.ts";
import { checkStore } from "./checkpoint-store.ts";
import { ownClassWeights } from "./class-weights.ts";
import { digestOfValue } from "./data-digest.ts";
import { fallenWarnings } from "./fallen.ts";
import { Learner } from "./learner.ts";
import { METRIC_OF } from "./measure.ts";
import { modelCard } from "./model-card.ts";
import { peftFolder } from "./peft-folder.ts";
import { prepare, type Prepared } from "./prepare.ts";
import { readState, type RunState } from "./run-state.ts";
import { diverged } from "./predictions.ts";
import { Run } from "./run.ts";
import { ratesOf, TRAINING_OPTIONS } from "./settings.ts";
import { TrainedAdapter } from "./trained-adapter.ts";
import { Trunks } from "./trunks.ts";
import type { TrainingData, TrainingHistory, TrainingOptions } from "./types.ts";

/**
 * Trains an adapter and its head on an encoder, which stays as it is and goes on serving: a pass of training is one call among the others.
 * The same rows, options and seed give the same bits, as long as the same module computes (docs/fine-tuning.md).
 *
 * @returns a source for `encoder.addAdapter`, which gives the very results that dev was measured by
 * @throws RootstockError `argument-invalid`; `task-invalid` for a name; `data-invalid` with the row; `training-diverged`; `checkpoint-invalid`;
 *   `tensor-value` where the encoder's results overflow; `limit-exceeded`; `no-memory-left`; `source-missing` (no tokenizer.json);
 *   `source-unreadable` (a kernel binary), `simd-unsupported`, `engine-fault`; those of `addAdapter` for `from`, `adapter-unsupported` also for
 *   what serves and is not trained; `worker-lost` with peers; `disposed`; and `signal.reason`
 */
export async function trainAdapter(encoder: Encoder, data: TrainingData, given: TrainingOptions = {}): Promise<TrainedAdapter> {
  if (!(encoder instanceof Encoder)) throw new RootstockError("argument-invalid", "give the encoder that loadEncoder made.");
  const own = ownOptions(given, TRAINING_OPTIONS);
  const options = { ...own, classWeights: ownClassWeights(own.classWeights) };
  const { signal, checkpoint, onProgress } = options;
  const peers = checkPeers(options.peers);
  checkStore(checkpoint);
  const { loaded } = encoder;
  const prepared = await prepare(loaded, data, options);
  const { shape, recipe, head, train, dev } = prepared;
  const build: TrainBuild = supportsRelaxedSimd() ? "train-relaxed" : "train-fixed";
  const longest = [...train.examples, ...(dev?.examples ?? [])].reduce((most, { ids }) => Math.max(most, ids.length), 1);
  const learner = await Learner.start(loaded, { shape, head, dropout: ratesOf(recipe), longest, build, wasm: options.wasm, signal });
  begin(learner, prepared);

  let state = freshState(prepared, { ...(await encoderIdentity(loaded)), module: learner.machine.arithmetic, peers: peers.size, classWeights: options.classWeights ?? "none" });
  const blob = (await checkpoint?.read()) ?? null;
  if (blob !== null) {
    state = readState(blob, state, learner);
    refresh(learner.machine, learner.model);
  }
  signal?.throwIfAborted();
  const run = new Run(prepared, learner, new Trunks(encoder, learner.depth, signal), state, {
    peers, checkpoint, onProgress, signal,
    between: (step) => encoder.between(step, signal),
  });
  await run.toEnd();
  return trained(prepared, learner, state, loaded);
}

/** Initial values: fresh ones, and those of the adapter to go on from. */
function begin(learner: Learner, { start, recipe }: Prepared): void {
  const { machine, model } = learner;
  initialise(machine, model, learner.group, recipe.seed);
  if (start === null) return;
  const isHead = (name: string): boolean => !/\.(lora_[AB]\.weight|lora_magnitude_vector|ia3_l)$/.test(name) && !/layers?\.\d+\./.test(name);
  const values = new Map([...start.values].filter(([name]) => start.labels !== null || !isHead(name)));
  for (const { name } of model.parameters) {
    if (values.has(name) || (start.labels === null && isHead(name))) continue;
    throw new RootstockError("adapter-unsupported", `the adapter to go on from has no ${name}. Train a new adapter, or go on from another.`);
  }
  learner.write("value", values);
  refresh(machine, model);
}

/**
 * What the encoder's part in the bits is decided by. Its fingerprint is that of the source, which calibration rounds to other weights, and another
 * config.json makes another network of.
 */
async function encoderIdentity({ fingerprint, weights, machine: { plan } }: Encoder["loaded"]): Promise<Readonly<Record<string, unknown>>> {
  return { encoder: fingerprint, weights: weights.checksum, config: await digestOfValue(plan.config) };
}

/** Everything that decides the bits of the result, under names for people. */
function freshState({ name, kind, classes, shape, recipe, start, train, dev, warnings }: Prepared, host: Readonly<Record<string, unknown>>): RunState {
  const { feedforward: _, ...shown } = shape;
  return {
    step: 0, withoutGain: 0, bestLoss: Number.MAX_VALUE, isOver: false, best: null,
    history: {
      name, kind, labels: classes.labels, metric: METRIC_OF[kind],
      settings: {
        ...shown, ...recipe, ...host, passRows: PASS_ROWS,
        from: start && { adapter: start.digest, head: start.labels !== null },
        train: { rows: train.rows, tokens: train.tokens, digest: train.digest },
        dev: dev && { rows: dev.rows, tokens: dev.tokens, digest: dev.digest },
        tokenization: { train: train.tokenDigest, dev: dev && dev.tokenDigest },
      },
      steps: [], evaluations: [], best: null, stopped: "end", warnings: [...warnings], seconds: 0, tokens: 0,
    },
  };
}

function trained({ kind, shape, head, recipe, classes }: Prepared, learner: Learner, { best, history }: RunState, loaded: Encoder["loaded"]): TrainedAdapter {
  const values = best ?? learner.copy("value");
  for (const numbers of values.values()) if (!numbers.every(Number.isFinite)) throw diverged();
  const { fingerprint, machine: { plan: { config } } } = loaded;
  const made = structuredClone({ ...history, warnings: [...history.warnings, ...fallenWarnings(history)] }) as TrainingHistory;
  const files = peftFolder({ config, fingerprint, kind, shape, head, loraDropout: recipe.loraDropout, maxLength: recipe.maxLength, labels: classes.labels, parameters: learner.model.parameters, values });
  files.set("README.md", new TextEncoder().encode(modelCard(made)));
  return new TrainedAdapter(files, made);
}
