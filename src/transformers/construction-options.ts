import { describe, RootstockError } from "../errors.ts";
import type { SourceLike } from "../load/source.ts";
import type { LoadOptions } from "../runtime/options.ts";
import { checkFlag, checkNames, signalOption } from "./call-options.ts";
import type { ProgressCallback } from "./progress.ts";

/** How an encoder is loaded; `signal` and `progress_callback` are options of the pipeline itself. */
type LoadingOptions = Omit<LoadOptions, "signal" | "onProgress">;

/** Options of `pipeline`: Rootstock's own first, then those of transformers.js. */
export interface PipelineOptions {
  /** The adapter's folder, which classification and entities need; features may have one. */
  readonly adapter?: SourceLike | null | undefined;
  /** Labels in the order of the head's classes. Default: those of the adapter's config.json. */
  readonly labels?: readonly string[] | null | undefined;
  /** Ends loading; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | null | undefined;
  /** How the encoder is loaded, where this pipeline loads it. */
  readonly load?: LoadingOptions | null | undefined;
  /** Called as files are read. */
  readonly progress_callback?: ProgressCallback | null | undefined;

  /** There is WebAssembly on the CPU and nothing else. */
  readonly device?: "wasm" | "cpu" | "auto" | null | undefined;
  /** Weights are int8 whatever the folder holds. */
  readonly dtype?: "q8" | "int8" | "auto" | null | undefined;
  /** The same, as earlier versions of transformers.js called it. */
  readonly quantized?: true | null | undefined;
  /** Refuses a model or adapter at an http(s) URL. */
  readonly local_files_only?: boolean | null | undefined;
  readonly revision?: "main" | null | undefined;
  readonly subfolder?: "onnx" | "" | null | undefined;
  readonly use_external_data_format?: false | null | undefined;
  readonly config?: null;
  readonly cache_dir?: null;
  readonly model_file_name?: null;
  readonly session_options?: Readonly<Record<string, never>> | null | undefined;
}

/** What there is no choice of. */
export interface Harmless {
  /** Those that change nothing. */
  readonly values: readonly unknown[];
  /** Why another value makes no sense. */
  readonly because: string;
}

/** Options of transformers.js that choose what there is no choice of here, and the values that change nothing. */
const HARMLESS: ReadonlyMap<string, Harmless> = new Map([
  ["device", { values: ["wasm", "cpu", "auto"], because: "the encoder runs in WebAssembly on the CPU" }],
  ["dtype", { values: ["q8", "int8", "auto"], because: "weights are int8 whatever the folder holds" }],
  ["quantized", { values: [true], because: "weights are int8 whatever the folder holds" }],
  ["revision", { values: ["main"], because: "a folder has one version: give the path or URL of the one that is meant" }],
  ["subfolder", { values: ["onnx", ""], because: "the files lie in the folder itself" }],
  ["use_external_data_format", { values: [false], because: "weights are one safetensors file" }],
  ["config", { values: [], because: "config.json is read from the folder" }],
  ["cache_dir", { values: [], because: "nothing is cached" }],
  ["model_file_name", { values: [], because: "the weights are model.safetensors" }],
]);

/** By name, so that one that is new is missed here. */
const LOADING: Readonly<Record<keyof LoadingOptions, true>> = { adapterBudget: true, verify: true, wasm: true, kernel: true, queueLimit: true, trunkCacheBytes: true };

const OWN = ["adapter", "labels", "signal", "load", "progress_callback"];
const ALL = [...OWN, ...HARMLESS.keys(), "local_files_only", "session_options"];

/** @throws RootstockError `argument-invalid` for a value that would change something. */
export function checkHarmless(name: string, value: unknown, { values, because }: Harmless): void {
  if (values.includes(value)) return;
  const rest = values.length === 0 ? "leave it out" : `give ${values.map((known) => JSON.stringify(known)).join(" or ")}, or leave it out`;
  throw new RootstockError("argument-invalid", `${name} is ${describe(value)}, but ${because}; ${rest}.`);
}

/** @throws RootstockError `argument-invalid`, which names the option. */
export function checkPipelineOptions(options: PipelineOptions): void {
  checkNames(options, ALL, "pipeline()");
  for (const [name, harmless] of HARMLESS) {
    const value: unknown = options[name as keyof PipelineOptions];
    if (value != null) checkHarmless(name, value, harmless);
  }
  checkNames(options.load ?? {}, Object.keys(LOADING), "load");
  const session: object = options.session_options ?? {};
  if (typeof session !== "object" || Array.isArray(session)) throw new RootstockError("argument-invalid", "session_options must be an object, an empty one; leave it out.");
  const named = Object.keys(session);
  if (named.length > 0) throw new RootstockError("argument-invalid", `session_options has ${named.join(", ")}, but no ONNX session is made; leave it out.`);
  if (options.progress_callback != null && typeof options.progress_callback !== "function") {
    throw new RootstockError("argument-invalid", "progress_callback must be a function.");
  }
  // "true" is not true, and would let URLs through.
  if (options.local_files_only != null) checkFlag(options.local_files_only, "local_files_only");
  signalOption(options.signal);
}

/** @throws RootstockError `argument-invalid` for what `local_files_only` rules out. */
export function checkLocal(source: unknown, options: PipelineOptions): void {
  const isAddress = typeof source === "string" || source instanceof URL;
  if (options.local_files_only !== true || !isAddress || !/^https?:/i.test(String(source))) return;
  throw new RootstockError("argument-invalid", `local_files_only is true and "${String(source).slice(0, 80)}" is not local. Give a path, or leave it out.`);
}
