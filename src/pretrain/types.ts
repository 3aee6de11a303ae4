import type { CheckpointStore, Rows } from "../finetune/types.ts";
import type { LayerLinear } from "../format/types.ts";
import type { Peers } from "../train/peers.ts";
import type { ScheduleName } from "../train/schedule.ts";

/** What a loss belongs to: entity recognition, or text classification, which learns from pairs. */
export type TaskFamily = "ner" | "tc";

/** What is trained, and by which loss: docs/pre-finetuning.md. */
export type Regime = "ner-only" | "tc-only" | "naive" | "groups-only" | "task-primary" | "shared-group" | "pcgrad";

/** Rows as they come. A row's `source` names its source; without one it is of `name`. */
export interface RowSet {
  /** For messages, and the source of rows that name none. */
  readonly name: string;
  readonly rows: Rows;
  /** Where the row that was taken last stands, for messages; default: "NAME, row N", N from 1. */
  readonly nameRow?: ((row: number) => string) | undefined;
}

export interface PretrainingData {
  /** `{ tokens, tags }` (BIO) or `{ text, spans: [{ start, end, label }] }`, UTF-16, half open. */
  readonly ner?: readonly RowSet[] | undefined;
  /** `{ a, b }`: two texts that belong together. */
  readonly pairs?: readonly RowSet[] | undefined;
}

/** How rows of one source are taken. */
export interface SourceOptions {
  /** How often one of its rows is drawn beside a row of weight 1; 0 leaves the source out. Default 1: sources mix by their size. */
  readonly weight: number;
  /** "ignored": O is no evidence (weak labels), and is left out of loss and softmax. Default "label". */
  readonly outside: "label" | "ignored";
}

/** All that a run is made of, but its rows, its encoder and its peers. Defaults are the pilot's. */
export interface PretrainingSettings {
  readonly regime: Regime;
  /** Of initial values and of the order of rows. Default 1. */
  readonly seed: number;
  /** Updates. Default 260. */
  readonly steps: number;
  /** What each loss counts. Default 1 and 1. */
  readonly lossWeights: Readonly<Record<TaskFamily, number>>;
  /** AdamW's, at their peak. Default 1e-4, 2e-3, 1e-3. */
  readonly learningRates: { readonly backbone: number; readonly head: number; readonly adapters: number };
  readonly schedule: ScheduleName;
  /** Share of the updates over which rates rise. Default 0.1. */
  readonly warmup: number;
  /** AdamW's, of every tensor, biases and LayerNorms included. Default 0.01. */
  readonly weightDecay: number;
  /** Most length of an update's gradients; null = any. Default 1. */
  readonly clip: number | null;
  /** LoRA on the last `layers` layers; PEFT's r and alpha. Default 3, 8, 16, all six linear layers. */
  readonly adapter: {
    readonly layers: number;
    readonly rank: number;
    readonly alpha: number;
    readonly rsLora: boolean;
    readonly targets: readonly LayerLinear[];
  };
  /** Rows of a batch, and at which updates there is one: every so many. Default 32, 1. */
  readonly ner: { readonly batchSize: number; readonly every: number };
  /** The same of pairs, InfoNCE's temperature (0.05), and whether partners look for texts as well ("both"). */
  readonly pairs: { readonly batchSize: number; readonly every: number; readonly temperature: number; readonly direction: "both" | "first" };
  /** Most tokens of a text, special ones included. Default 48. */
  readonly maxLength: number;
  /** Most token rows of a pass; longer batches go in several. Default: a whole batch, up to 4,096. */
  readonly passRows: number | null;
  /** By name. */
  readonly sources: Readonly<Record<string, SourceOptions>>;
  readonly probe: {
    /** Compare the two families' gradients at every so many updates; null = never. Default 10. */
    readonly every: number | null;
    /** At every so many updates compare means over batches of their own, within a family as well; null = never. Default null. */
    readonly averageEvery: number | null;
    /** Batches of each of the two means of a family. Default 8. */
    readonly batches: number;
  };
}

/** Settings are read as a stranger's: unknown fields and numbers out of range are refused (`argument-invalid`). */
export type PretrainingOptions = PartialSettings & {
  /** What lies there is gone on from, when it is of the same run. */
  readonly checkpoint?: CheckpointStore | undefined;
  /** Updates between two checkpoints. Default 100. */
  readonly checkpointEvery?: number | undefined;
  /** Of the encoder that is written. Default "F32". */
  readonly dtype?: "F32" | "F16" | undefined;
  /** Write the NER head as well. Default false: it is of no use to another task. */
  readonly writesHead?: boolean | undefined;
  /** Those who train together. Default: nobody else. */
  readonly peers?: Peers | undefined;
  /** Ends training at the next pass, after a last checkpoint; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PretrainingProgress) => void) | undefined;
};

type PartialSettings = {
  readonly [Key in keyof PretrainingSettings]?: PretrainingSettings[Key] extends Readonly<Record<string, unknown>>
    ? Key extends "sources" ? Readonly<Record<string, Partial<SourceOptions>>> : Partial<PretrainingSettings[Key]>
    : PretrainingSettings[Key];
};

export interface PretrainingProgress {
  /** Updates made, of how many. */
  readonly step: number;
  readonly steps: number;
  /** Of the last update; null where the family had no batch. */
  readonly ner: number | null;
  readonly tc: number | null;
  /** Share of the batch's first texts that are nearest to their partner. */
  readonly accuracy: number | null;
  /** Of the last updates, probes left out. */
  readonly tokensPerSecond: number;
  readonly secondsLeft: number;
}

/** One update. */
export interface StepRecord {
  /** From 1. */
  readonly step: number;
  readonly ner: number | null;
  readonly tc: number | null;
  readonly accuracy: number | null;
  /** Share of the peak. */
  readonly rate: number;
  /** Before clipping; null when it was not finite, and no update made. */
  readonly gradientNorm: number | null;
  readonly tokens: number;
}

/** Gradients of the two losses on one part of the backbone; weights of the losses are not counted in. */
export interface ProbePart {
  /** "embeddings", "layer 0" …, "layers": all of them together. */
  readonly part: string;
  /** Of NER's gradient and TC's. */
  readonly cosine: number;
  /** Length of NER's over that of TC's. */
  readonly ratio: number;
  /** Between two means of one family over batches of their own: no cosine between families can be expected to be larger. null for single batches. */
  readonly ner: number | null;
  readonly tc: number | null;
}

export interface ProbeRecord {
  readonly step: number;
  /** Batches of each mean; 1: the update's own. */
  readonly batches: number;
  readonly parts: readonly ProbePart[];
}

export interface SourceRecord {
  readonly name: string;
  readonly family: TaskFamily;
  readonly rows: number;
  /** Entity types. */
  readonly types: number;
  readonly weight: number;
  readonly outside: "label" | "ignored";
}

/** What happened. JSON; kept in checkpoints and reports. */
export interface PretrainingHistory {
  readonly settings: PretrainingSettings;
  readonly encoder: string;
  /** SHA-256 of the rows that were read, in their order; null where nothing can hash. */
  readonly data: string | null;
  /** The module that computed: results differ between them in the last digits. */
  readonly build: string;
  readonly sources: readonly SourceRecord[];
  readonly steps: readonly StepRecord[];
  readonly probes: readonly ProbeRecord[];
  readonly warnings: readonly string[];
  /** Of work, over all runs from checkpoint to checkpoint. */
  readonly seconds: number;
  readonly tokens: number;
}
