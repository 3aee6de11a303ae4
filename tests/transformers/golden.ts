import { readFileSync } from "node:fs";
import type { Classification } from "../../src/index.ts";

type Input = string | string[];

/** A call of a transformers.js pipeline, and what it gave. */
export interface GoldenCall<Options, Output> {
  readonly input: Input;
  readonly options: Options;
  readonly output: Output;
}

/** Its spans have neither start nor end. */
export interface GoldenSpan {
  entity?: string | undefined;
  index?: number | undefined;
  entity_group?: string | undefined;
  word: string;
  score: number;
}

export interface Golden {
  readonly entities: GoldenCall<{ ignore_labels?: string[]; aggregation_strategy?: "simple" }, GoldenSpan[] | GoldenSpan[][]>[];
  readonly mood: GoldenCall<{ top_k?: number | null }, Classification[] | Classification[][]>[];
  readonly tensors: { input: Input; options: { pooling?: "mean" | "cls"; normalize?: boolean; quantize?: boolean; precision?: "ubinary" }; type: string; dims: number[]; data?: number[] }[];
  readonly packed: { values: number[]; binary: number[]; ubinary: number[] };
  readonly progress: { keys: Record<string, string[]>; order: string[]; last: string };
}

/** Made by scripts/make-transformers-goldens.mjs with the library itself. */
export const golden = JSON.parse(readFileSync("tests/golden/transformers/pipelines.json", "utf8")) as Golden;

export const ENCODER = "models/mtpf-minilm-l6";
export const ENTITIES = "models/adapters/wikigold";
export const MOOD = "models/adapters/vader-sentiment";
