import { describe, RootstockError } from "../errors.ts";
import type { EncoderConfig } from "../format/types.ts";
import { MAX_RANK } from "../limits.ts";
import { LINEAR_PARTS } from "../model/plan.ts";
import type { OptionKinds } from "../own-options.ts";
import { checkChoice, checkInteger } from "../runtime/options.ts";
import type { DropoutRates } from "../train/dropout.ts";
import { SCHEDULES, type ScheduleName } from "../train/schedule.ts";
import { METHODS, type TrainingMethod, type TrainingOptions, type TrainingTarget } from "./types.ts";

/** What an adapter is: `from` has one, else the options say it. */
export interface AdapterShape {
  readonly method: TrainingMethod;
  readonly rank: number;
  readonly alpha: number;
  readonly rsLora: boolean;
  readonly targets: readonly TrainingTarget[];
  /** (IA)³: targets whose input it scales. */
  readonly feedforward: readonly TrainingTarget[];
  /** Rising. */
  readonly layers: readonly number[];
  /** Biases of the targets are trained as well (PEFT's "lora_only"). */
  readonly biases: boolean;
}

/** How it is trained. */
export interface Recipe {
  readonly dropout: number;
  readonly loraDropout: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly headLearningRate: number;
  readonly batchSize: number;
  readonly schedule: ScheduleName;
  readonly warmup: number;
  readonly weightDecay: number;
  readonly clip: number | null;
  readonly labelSmoothing: number;
  readonly patience: number | null;
  readonly maxLength: number;
  readonly evaluateEvery: number | "epoch";
  readonly seed: number;
}

export const TRAINING_OPTIONS: OptionKinds<TrainingOptions> = {
  method: "", rank: "", alpha: "", rsLora: "boolean", dropout: "", loraDropout: "", targets: "", layers: "", from: "", epochs: "", learningRate: "", headLearningRate: "",
  batchSize: "", schedule: "", warmup: "", weightDecay: "", clip: "", labelSmoothing: "", classWeights: "", patience: "", maxLength: "", evaluateEvery: "",
  offsets: "", seed: "", checkpoint: "", wasm: "", peers: "", signal: "signal", onProgress: "function",
};

const LORA_TARGETS: readonly TrainingTarget[] = ["query", "value"];
/** PEFT's for BERT: key, value, output.dense; the last is both output layers. */
const IA3_TARGETS: readonly TrainingTarget[] = ["key", "value", "attentionOutput", "output"];
const FEEDFORWARD: readonly TrainingTarget[] = ["attentionOutput", "output"];
const DEFAULT_LAYERS = 3;
const DEFAULT_MAX_LENGTH = 256;
/** Beyond any use, and small enough that every product with it stays finite. */
const MAX_NUMBER = 1e12;

/** @throws RootstockError `argument-invalid`. */
export function shapeOf(options: TrainingOptions, config: EncoderConfig): AdapterShape {
  const method = checkChoice(options.method ?? "lora", "method", METHODS);
  const layers = method === "head" ? [] : layersOf(options.layers ?? DEFAULT_LAYERS, config.layers);
  return {
    method, layers,
    rank: checkInteger(options.rank ?? 8, "rank", 1, MAX_RANK),
    alpha: checkNumber(options.alpha ?? 16, "alpha", 1e-6, 1e6),
    rsLora: options.rsLora ?? false,
    targets: method === "head" ? [] : targetsOf(options.targets ?? (method === "ia3" ? IA3_TARGETS : LORA_TARGETS)),
    feedforward: FEEDFORWARD,
    biases: false,
  };
}

function layersOf(given: unknown, count: number): number[] {
  if (typeof given === "number") {
    const last = Math.min(checkInteger(given, "layers", 1, Number.MAX_SAFE_INTEGER), count);
    return Array.from({ length: last }, (_, i) => count - last + i);
  }
  if (!Array.isArray(given) || given.length === 0) throw new RootstockError("argument-invalid", "layers must be a number of last layers, or a list of layers. For none of them: method \"head\".");
  return [...new Set(given.map((layer: unknown) => checkInteger(layer, "a layer", 0, count - 1)))].sort((a, b) => a - b);
}

function targetsOf(given: unknown): TrainingTarget[] {
  if (given === "all-linear") return [...LINEAR_PARTS];
  if (!Array.isArray(given) || given.length === 0) throw new RootstockError("argument-invalid", `targets must be "all-linear", or a list of ${LINEAR_PARTS.join(", ")}.`);
  const named = given.map((target: unknown) => checkChoice(target, "a target", LINEAR_PARTS));
  return LINEAR_PARTS.filter((part) => named.includes(part));
}

/** Options that say what an adapter is; `from` brings its own. */
const SHAPE_OPTIONS = ["method", "rank", "alpha", "rsLora", "targets", "layers"] as const;

/** @throws RootstockError `argument-invalid` for options that contradict an adapter to go on from. */
export function checkNoShape(options: TrainingOptions): void {
  const given = SHAPE_OPTIONS.find((name) => options[name] !== undefined);
  if (given !== undefined) throw new RootstockError("argument-invalid", `${given} is what the adapter of "from" says; leave it out, or leave out "from".`);
}

/**
 * Updates that short data gets by default, and epochs that long data gets at least; see docs/fine-tuning.md for what they were chosen by.
 */
const DEFAULTS = { batchSize: 16, warmup: 0.1, weightDecay: 0.01, dropout: 0.1, updates: 1000, fewestEpochs: 3, mostEpochs: 30 };
/** A head begins with small random weights, (IA)³'s vectors with 1, low-rank matrices with 0: the last have the shortest way. */
const RATES: Readonly<Record<TrainingMethod, number>> = { lora: 2e-3, dora: 2e-3, ia3: 1e-2, head: 1e-2 };
/** The head's rate beside that of low-rank matrices. */
const HEAD_FACTOR = 5;

function defaultEpochs(rows: number, batchSize: number): number {
  const perEpoch = Math.ceil(rows / batchSize);
  return Math.max(DEFAULTS.fewestEpochs, Math.min(DEFAULTS.mostEpochs, Math.ceil(DEFAULTS.updates / perEpoch)));
}

/** With as many, and an evaluation after each, a history fits into a checkpoint (235 bytes each). */
const MAX_UPDATES = 2_000_000;

/** @param rows of train @throws RootstockError `argument-invalid`. */
export function recipeOf(options: TrainingOptions, { method }: AdapterShape, maxLength: number, rows: number): Recipe {
  const batchSize = checkInteger(options.batchSize ?? DEFAULTS.batchSize, "batchSize", 1, 1 << 20);
  const learningRate = checkNumber(options.learningRate ?? RATES[method], "learningRate", 0, MAX_NUMBER);
  const headFactor = method === "lora" || method === "dora" ? HEAD_FACTOR : 1;
  const { evaluateEvery = "epoch", clip = 1, patience = null } = options;
  const epochs = checkInteger(options.epochs ?? defaultEpochs(rows, batchSize), "epochs", 1, 100_000);
  const updates = epochs * Math.ceil(rows / batchSize);
  if (updates > MAX_UPDATES) throw new RootstockError("argument-invalid", `${epochs} epochs of ${rows} rows are ${updates} updates of ${batchSize}; at most ${MAX_UPDATES} are made. Give fewer epochs or a larger batchSize.`);
  return {
    batchSize, learningRate, maxLength, epochs,
    dropout: checkNumber(options.dropout ?? DEFAULTS.dropout, "dropout", 0, 0.99),
    loraDropout: checkNumber(options.loraDropout ?? 0, "loraDropout", 0, 0.99),
    headLearningRate: checkNumber(options.headLearningRate ?? Math.min(learningRate * headFactor, MAX_NUMBER), "headLearningRate", 0, MAX_NUMBER),
    schedule: checkChoice(options.schedule ?? "linear", "schedule", SCHEDULES),
    warmup: checkNumber(options.warmup ?? DEFAULTS.warmup, "warmup", 0, 1),
    weightDecay: checkNumber(options.weightDecay ?? DEFAULTS.weightDecay, "weightDecay", 0, MAX_NUMBER),
    clip: clip === null ? null : checkNumber(clip, "clip", 1e-12, MAX_NUMBER),
    labelSmoothing: checkNumber(options.labelSmoothing ?? 0, "labelSmoothing", 0, 0.99),
    patience: patience === null ? null : checkInteger(patience, "patience", 1, Number.MAX_SAFE_INTEGER),
    evaluateEvery: evaluateEvery === "epoch" ? evaluateEvery : checkInteger(evaluateEvery, "evaluateEvery", 1, Number.MAX_SAFE_INTEGER),
    seed: checkInteger(options.seed ?? 1, "seed", 0, 2 ** 32 - 1),
  };
}

/** BERT's dropout has one rate for all that it drops. */
export function ratesOf({ dropout, loraDropout }: Pick<Recipe, "dropout" | "loraDropout">): DropoutRates {
  return { hidden: dropout, attention: dropout, classifier: dropout, lora: loraDropout };
}

export function maxLengthOf(options: TrainingOptions, { maxPositions }: EncoderConfig): number {
  return checkInteger(options.maxLength ?? Math.min(DEFAULT_MAX_LENGTH, maxPositions), "maxLength", 3, maxPositions);
}

function checkNumber(value: unknown, name: string, min: number, max: number): number {
  if (typeof value === "number" && value >= min && value <= max) return value;
  throw new RootstockError("argument-invalid", `${name} is ${describe(value)}; give a number from ${min} to ${max}.`);
}
