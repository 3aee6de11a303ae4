import { describe, RootstockError } from "../errors.ts";
import { AGGREGATIONS, OFFSETS, type Aggregation } from "../heads/entities.ts";
import type { SourceLike } from "../load/source.ts";
import type { OptionKinds } from "../own-options.ts";
import type { KernelBinaries } from "../wasm/binaries.ts";
import type { ProductKernel } from "../wasm/kernels.ts";
import type { PartOptions } from "./requests.ts";
import type { Trunk } from "./trunk.ts";

/** How far a long step is; `total` is known from the first call on. */
export interface Progress {
  readonly stage: "read";
  /** Bytes of the weights file so far, and in all. */
  readonly done: number;
  readonly total: number;
}

/** Options of `loadEncoder`. */
export interface LoadOptions {
  /** Ends loading; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes of the weights file arrive. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Bytes of linear memory that adapters may take, 0 to 2^32 − 2^26. Memory grows as they come; beyond it those used
   * longest ago wait on the JavaScript heap until they are asked for. Default 32 MiB.
   */
  readonly adapterBudget?: number | undefined;
  /**
   * Check a converted encoder's files against the sizes and SHA-256 in its rootstock.json. Default true; false checks only
   * the size of the weights file. Without `crypto.subtle`, which browsers give to secure contexts only,
   * sizes alone are checked.
   */
  readonly verify?: boolean | undefined;
  /** Kernel binaries, where they cannot be read from beside the package's code (workerd: imported modules). */
  readonly wasm?: KernelBinaries | undefined;
  /** Take this int8 product instead of the fastest. All give the same bits. */
  readonly kernel?: ProductKernel | undefined;
  /** Calls that may be under way at once, 1 to 2^20; one more is refused (`queue-full`). Default 256. */
  readonly queueLimit?: number | undefined;
  /**
   * Bytes of JavaScript heap for the trunks of texts seen before, so that a repeated text costs its adapted layers only.
   * 4 × hidden bytes a token. Default 0: none is kept.
   */
  readonly trunkCacheBytes?: number | undefined;
}

/** Options of `addAdapter`. */
export interface AdapterOptions {
  /**
   * Labels in the order of the head's classes, one each, all different. Default: `id2label` of the folder's config.json;
   * a head without either is refused (`labels-mismatch`).
   */
  readonly labels?: readonly string[] | undefined;
  /** Take the place of a task of that name, if there is one: calls made before finish on the old one. Default false. */
  readonly replace?: boolean | undefined;
  /** Ends adding; it then rejects with `signal.reason` and the task is not there. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `run` and `runBatch`. */
export interface RunOptions {
  /** NER: how token labels become entities. Default "first". */
  readonly aggregation?: Aggregation | undefined;
  /** NER: labels or entity types left out of the result. Default ["O"]. */
  readonly ignoreLabels?: readonly string[] | undefined;
  /** NER: what `start` and `end` count: UTF-16 units (default, `text.slice`), or code points as in Python. */
  readonly offsets?: "utf16" | "codepoint" | undefined;
  /** Classification: labels returned, the likeliest first, a whole number from 1 up; null = all. Default 1. */
  readonly topK?: number | null | undefined;
  /** Most tokens of one text, one more than the special tokens at least; at most, and by default, what the encoder reads. */
  readonly maxTokens?: number | undefined;
  /**
   * A text of more tokens: refuse it (`text-too-long`), leave its end out, or read it in overlapping windows. Entities of
   * the windows are stitched: each token is read where it has the more context. Labels are those of the windows' mean
   * scores, weighted by their tokens. Default "error"; "windows" when `stride` is given.
   */
  readonly overflow?: "error" | "truncate" | "windows" | undefined;
  /** Tokens that two windows share, less than a window has room for. Default a quarter of a window. */
  readonly stride?: number | undefined;
  /** Ends the run, within 8 ms of work; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** How texts become tokens. */
export type TextOptions = Pick<RunOptions, "maxTokens" | "overflow" | "stride">;

/** Options of `embed`. */
export interface EmbedOptions extends TextOptions, Pick<RunOptions, "signal"> {
  /** An adapter to apply; default: the encoder alone. */
  readonly task?: string | null | undefined;
  /**
   * What is made of a text's last hidden state: the mean of its rows, or the first one (`"cls"`). Default: what the folder's files of
   * sentence-transformers say, or the mean where it has none.
   */
  readonly pooling?: (typeof POOLINGS)[number] | undefined;
}

/** Options of `trunk`. */
export interface TrunkOptions extends TextOptions, Pick<RunOptions, "signal"> {
  /**
   * Tasks that it is for: the trunk ends before the first layer that one of them changes. Default: all tasks that leave
   * the first layer as it is.
   */
  readonly tasks?: readonly string[] | undefined;
}

/** Options of the calls that take input ids. */
export interface IdOptions {
  /** One entry a token: 1 = attend, 0 = leave that token out as a key; it keeps its row in the result. Default: all 1. */
  readonly attentionMask?: ArrayLike<number> | undefined;
  /** Ends the call, within 8 ms of work; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * One request of `runBatch`: a text, words already split (offsets then count in the words joined by one space), or a trunk
 * that was made before; and the names of its tasks, where a name given twice counts once.
 */
export type TextRequest =
  | { readonly text: string; readonly tokens?: undefined; readonly trunk?: undefined; readonly tasks: readonly string[] }
  | { readonly tokens: readonly string[]; readonly text?: undefined; readonly trunk?: undefined; readonly tasks: readonly string[] }
  | { readonly trunk: Trunk; readonly text?: undefined; readonly tokens?: undefined; readonly tasks: readonly string[] };

export type { SourceLike };

const TEXT_OPTIONS = { maxTokens: "", overflow: "", stride: "", signal: "signal" } as const;
export const LOAD_OPTIONS: OptionKinds<LoadOptions> = { signal: "signal", onProgress: "function", adapterBudget: "", verify: "boolean", wasm: "", kernel: "", queueLimit: "", trunkCacheBytes: "" };
export const ADAPTER_OPTIONS: OptionKinds<AdapterOptions> = { labels: "", replace: "boolean", signal: "signal" };
export const RUN_OPTIONS: OptionKinds<RunOptions & PartOptions> = { aggregation: "", ignoreLabels: "", offsets: "", topK: "", ...TEXT_OPTIONS, part: "own" };
export const EMBED_OPTIONS: OptionKinds<EmbedOptions & PartOptions> = { task: "", pooling: "", ...TEXT_OPTIONS, part: "own" };
export const TRUNK_OPTIONS: OptionKinds<TrunkOptions> = { tasks: "", ...TEXT_OPTIONS };
export const ID_OPTIONS: OptionKinds<IdOptions> = { attentionMask: "ids", signal: "signal" };

export const DEFAULT_ADAPTER_BUDGET = 32 << 20;
export const DEFAULT_QUEUE_LIMIT = 256;
export const POOLINGS = ["mean", "cls"] as const;
export const OVERFLOWS = ["error", "truncate", "windows"] as const;

const TASK_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** @throws RootstockError `task-invalid`: a name becomes a key of results and may become a file name. */
export function checkTaskName(name: unknown): asserts name is string {
  if (typeof name === "string" && TASK_NAME.test(name)) return;
  throw new RootstockError(
    "task-invalid",
    `a task name is 1 to 64 of a-z, 0-9, ".", "_", "-", starting with a letter or digit; got ${typeof name === "string" ? JSON.stringify(name.slice(0, 80)) : typeof name}.`,
  );
}

/** @throws RootstockError `argument-invalid`. */
export function checkInteger(value: unknown, name: string, min: number, max: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RootstockError("argument-invalid", `${name} is ${describe(value)}; give a whole number from ${min} to ${max}.`);
}

/** @throws RootstockError `argument-invalid`. */
export function checkChoice<T extends string>(value: unknown, name: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new RootstockError("argument-invalid", `${name} is ${describe(value)}; give one of ${choices.map((c) => `"${c}"`).join(", ")}.`);
}

/** @throws RootstockError `argument-invalid`. */
export function checkStrings(value: unknown, name: string): asserts value is readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return;
  throw new RootstockError("argument-invalid", `${name} must be a list of strings.`);
}

/** Checks how results are wanted, before anything runs. @throws RootstockError `argument-invalid`. */
export function checkResultOptions({ aggregation, offsets, ignoreLabels, topK }: RunOptions): void {
  if (aggregation !== undefined) checkChoice(aggregation, "aggregation", AGGREGATIONS);
  if (offsets !== undefined) checkChoice(offsets, "offsets", OFFSETS);
  if (ignoreLabels !== undefined) checkStrings(ignoreLabels, "ignoreLabels");
  if (topK !== undefined && topK !== null) checkInteger(topK, "topK", 1, Number.MAX_SAFE_INTEGER);
}
