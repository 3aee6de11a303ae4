import type { LayerLinear } from "../format/types.ts";
import type { SourceLike } from "../load/source.ts";
import type { TrainBuild } from "../train/machine.ts";
import type { Peers } from "../train/peers.ts";
import type { ScheduleName } from "../train/schedule.ts";
import type { KernelBinaries, KernelBinary } from "../wasm/binaries.ts";

/** A sentence with one tag a word. BIO, IOB1, IOBES and BILOU are read; the adapter is trained on BIO. */
export interface TaggedRow {
  readonly tokens: readonly string[];
  readonly tags: readonly string[];
}

/** A text with the ranges of its entities, UTF-16, half open. */
export interface SpanRow {
  readonly text: string;
  readonly spans: readonly { readonly start: number; readonly end: number; readonly label: string }[];
}

/** A text of one class. */
export interface LabelRow {
  readonly text: string;
  readonly label: string;
}

/** A text with any number of labels, which do not exclude each other. */
export interface LabelsRow {
  readonly text: string;
  readonly labels: readonly string[];
}

export type TrainingRow = TaggedRow | SpanRow | LabelRow | LabelsRow;

/** Rows as they come, of whom nothing is believed: JSON of a stranger will do. */
export type Rows = Iterable<unknown> | AsyncIterable<unknown>;

export interface TrainingData {
  /** For messages, the history and the model card: 1 to 64 of a-z, 0-9, ".", "_", "-". */
  readonly name: string;
  /** All of one form. The first row says which. */
  readonly train: Rows;
  /** Rows that the best weights are chosen by, of the same form. Without them the last weights are taken. */
  readonly dev?: Rows | undefined;
  /** How a row, counted from 1, is called in errors and warnings: "line 17". Default: "row 17". */
  readonly nameRow?: ((set: "train" | "dev", row: number) => string) | undefined;
}

export type TrainingKind = "ner" | "classification" | "multi-label";
export const METHODS = ["lora", "dora", "ia3", "head"] as const;
export type TrainingMethod = (typeof METHODS)[number];
export type TrainingTarget = LayerLinear;

/** Where training is kept between two runs: one blob, replaced as a whole. Of peers all read it, and rank 0 writes it. */
export interface CheckpointStore {
  /** The blob that was written last; null when there is none. */
  read(): Promise<Uint8Array | null>;
  /** Replaces it: the old one stays whole until the new one is. */
  write(bytes: Uint8Array): Promise<void>;
}

/**
 * Binaries that replace those of `build/wasm`: `fixed` and `relaxed`, which serve, `train-fixed` and `train-relaxed`. The package's own are
 * `rootstock/fixed.wasm` and so on.
 */
export type TrainingBinaries = KernelBinaries & { readonly [Name in TrainBuild]?: KernelBinary };

/** How an adapter is trained. All have defaults, which are those of docs/fine-tuning.md. */
export interface TrainingOptions {
  /** What is trained beside the head; "head" is nothing. Default "lora". */
  readonly method?: TrainingMethod | undefined;
  /** r of LoRA and DoRA, from 1. Default 8. */
  readonly rank?: number | undefined;
  /** The low-rank term counts alpha/r. Default 16. */
  readonly alpha?: number | undefined;
  /** alpha/√r instead (arXiv 2312.03732). Default false. */
  readonly rsLora?: boolean | undefined;
  /**
   * BERT's own, as PyTorch has it in training, 0 to 0.99: of attention's weights and of both outputs before their LayerNorm, in every layer from the
   * first adapted one on, and before the classifier. Default 0.1.
   */
  readonly dropout?: number | undefined;
  /** Of the low-rank terms' inputs, PEFT's `lora_dropout`: 0 to 0.99. Default 0. */
  readonly loraDropout?: number | undefined;
  /** Linear layers that the adapter changes; "all-linear" = all six. */
  readonly targets?: readonly TrainingTarget[] | "all-linear" | undefined;
  /** Which of the encoder's layers, from 0; or how many of the last. Default: the last 3. */
  readonly layers?: readonly number[] | number | undefined;
  /** An adapter to go on from: its method, rank, targets and layers hold, and its head where the labels are the same. */
  readonly from?: SourceLike | undefined;
  /** Times that every row is seen, from 1. */
  readonly epochs?: number | undefined;
  /** Of AdamW, at its peak. */
  readonly learningRate?: number | undefined;
  /** Of the head. Default: 5 times `learningRate` for LoRA and DoRA, else the same. */
  readonly headLearningRate?: number | undefined;
  /** Rows of one update, from 1. */
  readonly batchSize?: number | undefined;
  /** How the rate falls. Default "linear". */
  readonly schedule?: ScheduleName | undefined;
  /** Share of the updates over which the rate rises, 0 to 1. */
  readonly warmup?: number | undefined;
  /** AdamW's. Default 0.01. */
  readonly weightDecay?: number | undefined;
  /** Most length of an update's gradients; null = any. Default 1. */
  readonly clip?: number | null | undefined;
  /** s, 0 to below 1: targets are 1 − s for the class or tag, and s shared by all; of several labels a text 1 − s/2 and s/2. Default 0. */
  readonly labelSmoothing?: number | undefined;
  /** What a label counts in the loss. "balanced": rows/(labels·rows of the label). Default "none". */
  readonly classWeights?: "none" | "balanced" | Readonly<Record<string, number>> | undefined;
  /** Dev evaluations without gain after which training stops; null = never. Default null. */
  readonly patience?: number | null | undefined;
  /** Most tokens of a row, special ones included; the rest is left out. Default: 256, or what the encoder reads. */
  readonly maxLength?: number | undefined;
  /** When dev is looked at: after every epoch, or every so many updates and at the end. Default "epoch". */
  readonly evaluateEvery?: number | "epoch" | undefined;
  /** What the offsets of spans count: "codepoint" as Python's string indices. Default "utf16". */
  readonly offsets?: "utf16" | "codepoint" | undefined;
  /** Of initial values, order and dropout. Default 1. */
  readonly seed?: number | undefined;
  /** Written after every evaluation and epoch. What lies there is gone on from when it is of the same run. */
  readonly checkpoint?: CheckpointStore | undefined;
  /** Kernel binaries, where they cannot be read from beside the package's code: `fixed`, `relaxed`, `train-fixed`, `train-relaxed`. */
  readonly wasm?: TrainingBinaries | undefined;
  /** Those who train together. Default: nobody else. */
  readonly peers?: Peers | undefined;
  /** Ends training at the next micro-batch, with a last checkpoint; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
}

export interface TrainingProgress {
  /** What is under way: the rows' trunks, updates, or an evaluation. */
  readonly phase: "trunk" | "train" | "dev";
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Updates made, of how many. */
  readonly step: number;
  readonly steps: number;
  /** Of the last update; null before it. */
  readonly loss: number | null;
  /** Of the last evaluation, and of the best. */
  readonly metric: number | null;
  readonly best: number | null;
  readonly tokensPerSecond: number;
  readonly secondsLeft: number;
}

export interface EntityRates {
  readonly label: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly support: number;
}

export interface Mistake {
  readonly text: string;
  /** Spans, a label, or labels: in the form of the rows. */
  readonly expected: unknown;
  readonly predicted: unknown;
  readonly loss: number;
}

/** What happened. JSON; kept in checkpoints and reports. */
export interface TrainingHistory {
  readonly name: string;
  readonly kind: TrainingKind;
  readonly labels: readonly string[];
  readonly metric: "span_f1" | "accuracy" | "micro_f1";
  /** All that makes the run again: options, seed, digests of the data, the encoder, the module that computed. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly steps: readonly {
    readonly step: number;
    readonly epoch: number;
    readonly loss: number;
    readonly learningRate: number;
    readonly gradientNorm: number;
  }[];
  readonly evaluations: readonly { readonly step: number; readonly epoch: number; readonly metric: number; readonly loss: number }[];
  readonly best: { readonly step: number; readonly metric: number } | null;
  readonly stopped: "end" | "patience";
  readonly warnings: readonly string[];
  /** Of work, over all runs from checkpoint to checkpoint. */
  readonly seconds: number;
  /** Seen in updates. */
  readonly tokens: number;
  /** Rows by expected and predicted label, of the dev rows at the best step (classification). */
  readonly confusion?: { readonly labels: readonly string[]; readonly counts: readonly (readonly number[])[] };
  /** By entity or label, at the same step. */
  readonly perEntity?: readonly EntityRates[];
  /** The dev rows with the largest loss among those predicted wrongly, worst first. */
  readonly mistakes?: readonly Mistake[];
}
