import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { AGGREGATIONS, OFFSETS } from "../../heads/entities.ts";
import type { RunOptions } from "../../index.ts";
import { MAX_WORKERS } from "../../limits.ts";
import { given, readChoice, readTextOptions, readTopK, readWorkers } from "../arguments.ts";
import type { NamedFolder } from "../models.ts";
import { fileKey } from "../output-file.ts";
import { repeated } from "../repeated.ts";
import { UsageError } from "../usage-error.ts";
import type { Shard } from "./chunks.ts";
import { ownFiles } from "./paths.ts";

export const INPUT_FORMATS = ["jsonl", "csv", "tsv", "text", "parquet"] as const;
export const OUTPUT_FORMATS = ["jsonl", "parquet"] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Values of the command line, by option. */
export type AnnotateArgs = Readonly<Record<string, unknown>>;

/** What the command line asks for. */
export interface AnnotatePlan {
  /** "-" = standard input. */
  readonly input: string;
  readonly format: InputFormat;
  /** "-" = standard output. */
  readonly output: string;
  readonly outputFormat: OutputFormat;
  /** Adapters of the tasks, in the order of the tasks. */
  readonly adapters: readonly NamedFolder[];
  readonly options: RunOptions;
  readonly textField: string;
  readonly annotationsField: string;
  /** Put before the names of the columns of a Parquet file that are ours. */
  readonly prefix: string;
  readonly workers: number;
  readonly shard: Shard;
  readonly errors: string | undefined;
  readonly checkpointMs: number;
  readonly resume: boolean;
  readonly overwrite: boolean;
}

const ENDINGS: ReadonlyMap<string, InputFormat> = new Map([
  ["jsonl", "jsonl"], ["ndjson", "jsonl"], ["csv", "csv"], ["tsv", "tsv"], ["txt", "text"], ["parquet", "parquet"],
]); // prettier-ignore

/** @param adapters those that tasks may name @throws UsageError */
export function readPlan(args: AnnotateArgs, adapters: readonly NamedFolder[], signal: AbortSignal): AnnotatePlan {
  const text = (name: string): string | undefined => args[name] as string | undefined;
  const input = text("input")!;
  const output = text("output")!;
  const plan: AnnotatePlan = {
    input,
    format: readChoice(text("format"), "format", INPUT_FORMATS) ?? inputFormat(input),
    output,
    outputFormat: readChoice(text("output-format"), "output-format", OUTPUT_FORMATS) ?? outputFormat(output),
    adapters: readTasks(text("tasks")!, adapters),
    options: readRunOptions(text, signal),
    textField: text("text-field") ?? "text",
    annotationsField: text("annotations-field") ?? "annotations",
    prefix: text("annotations-field") === undefined ? "" : `${text("annotations-field")}_`,
    workers: readWorkers(text("workers")) ?? Math.min(MAX_WORKERS, availableParallelism()),
    shard: readShard(text("shard") ?? "1/1"),
    errors: text("errors"),
    checkpointMs: readSeconds(text("checkpoint") ?? "1") * 1000,
    resume: args["resume"] === true,
    overwrite: args["overwrite"] === true,
  };
  checkPlan(plan);
  return plan;
}

/** Options of a run that results depend on; all of them are part of what a checkpoint belongs to. */
function readRunOptions(text: (name: string) => string | undefined, signal: AbortSignal): RunOptions {
  return {
    signal,
    ...given("aggregation", readChoice(text("aggregation"), "aggregation", AGGREGATIONS)),
    ...given("topK", readTopK(text("top-k"))),
    ...given("offsets", readChoice(text("offsets"), "offsets", OFFSETS)),
    ...readTextOptions({ "max-tokens": text("max-tokens"), overflow: text("overflow"), stride: text("stride") }),
  };
}

function inputFormat(path: string): InputFormat {
  if (path === "-") return "jsonl";
  const ending = /\.([a-z]+)(?:\.gz)?$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  const format = ENDINGS.get(ending);
  if (format !== undefined) return format;
  throw new UsageError(`the ending of ${JSON.stringify(path)} does not say what it holds; give --format ${INPUT_FORMATS.join("|")}`);
}

function outputFormat(path: string): OutputFormat {
  return /\.parquet$/i.test(path) ? "parquet" : "jsonl";
}

function readTasks(text: string, adapters: readonly NamedFolder[]): NamedFolder[] {
  const names = text.split(",").map((name) => name.trim());
  const twice = repeated(names);
  if (twice !== undefined) throw new UsageError(`--tasks names ${JSON.stringify(twice)} twice`);
  return names.map((name) => {
    const found = adapters.find((adapter) => adapter.name === name);
    if (found !== undefined) return found;
    const known = adapters.map((adapter) => adapter.name).join(", ") || "none; give --adapter NAME=DIR";
    throw new UsageError(`--tasks names ${JSON.stringify(name)}; the adapters are: ${known}`);
  });
}

function readShard(text: string): Shard {
  const [, index, count] = (/^([1-9][0-9]{0,8})\/([1-9][0-9]{0,8})$/.exec(text) ?? []).map(Number);
  if (index === undefined || count === undefined || index > count) throw new UsageError(`--shard is ${JSON.stringify(text)}; give I/N, I from 1 to N`);
  return { index: index - 1, count };
}

function readSeconds(text: string): number {
  if (/^[0-9]{1,5}(?:\.[0-9]{1,3})?$/.test(text)) return Number(text);
  throw new UsageError(`--checkpoint is ${JSON.stringify(text)}; give seconds from 0 up`);
}

function checkPlan({ input, format, output, outputFormat: made, errors, resume, overwrite }: AnnotatePlan): void {
  if (input === "-" && format === "parquet") throw new UsageError("Parquet is read from a file, not from standard input");
  if (output === "-" && made === "parquet") throw new UsageError("Parquet is written to a file, not to standard output");
  if (output === "-" && resume) throw new UsageError("standard output has nothing to resume; give --output FILE");
  if (resume && overwrite) throw new UsageError("give --resume or --overwrite, not both");
  const files = [input, output, ...(errors === undefined ? [] : [errors])].filter((path) => path !== "-").map((path) => resolve(path));
  const keys = files.map(fileKey);
  const same = repeated(keys);
  if (same !== undefined) throw new UsageError(`${[...new Set(files.filter((_, index) => keys[index] === same))].join(" alias ")} is given for two things`);
  const own = output === "-" ? [] : ownFiles(resolve(output)).map(fileKey);
  const taken = files.find((_, index) => own.includes(keys[index]!));
  if (taken !== undefined) throw new UsageError(`${taken} is a file that the run makes beside ${output}; give another`);
}
