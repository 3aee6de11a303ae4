/**
 * adapter_config.json as PEFT writes it (fields as of PEFT 0.21.2). Fields that change the forward pass are read; other
 * methods and fields whose effect is not reproduced are refused by name; training-only fields are ignored.
 */

import { quote, RootstockError } from "../errors.ts";
import { MAX_RANK } from "../limits.ts";
import {
  field, parseJson, place, readBoolean, readChoice, readInteger, readList, readNumber, readObject, readString, type Place,
} from "./json.ts";

/** Names in a list match by suffix, a string is a regular expression for the whole name. */
export type NameRule = { readonly list: readonly string[] } | { readonly regex: string };

interface PeftCommon {
  /** SEQ_CLS, TOKEN_CLS; null for FEATURE_EXTRACTION or none: no head. */
  readonly task: "sequence" | "token" | null;
  /** null: PEFT's default for the family. */
  readonly targets: NameRule | "all-linear" | null;
  readonly exclude: NameRule | null;
  readonly modulesToSave: readonly string[];
}

export interface LoraConfig extends PeftCommon {
  readonly kind: "lora";
  readonly rank: number;
  readonly alpha: number;
  /** By pattern, in order: the first that matches counts, and is from 1 up then. */
  readonly rankPattern: ReadonlyMap<string, number>;
  readonly alphaPattern: ReadonlyMap<string, number>;
  readonly rsLora: boolean;
  readonly dora: boolean;
  readonly bias: "none" | "all" | "lora_only";
  readonly loraBias: boolean;
  /** Layers to transform; null: all. */
  readonly layers: readonly number[] | null;
  /** Names of the module that holds the layers; empty: any. */
  readonly layersPattern: readonly string[];
}

export interface Ia3Config extends PeftCommon {
  readonly kind: "ia3";
  /** Targets that scale their input; null: PEFT's default for the family. */
  readonly feedforward: NameRule | null;
}

export type PeftConfig = LoraConfig | Ia3Config;

export const SUPPORTED =
  "supported are LORA (with rsLoRA, DoRA, rank and alpha patterns, lora_bias, embeddings) and IA3, " +
  "for SEQ_CLS, TOKEN_CLS and FEATURE_EXTRACTION";

/** What PEFT takes for `target_modules` that name nothing on purpose: a head alone. */
export const NO_TARGETS = "dummy-target-modules";

const MAX_NAMES = 4096;
/** Of alpha, which may be 0 or negative: far beyond any use, and small enough that scale times any weight in use stays finite. */
const MAX_ALPHA = 1e6;

/** Initialisations that leave the base weights alone. The others subtract the adapter's start from them. */
const HARMLESS_INITS: readonly unknown[] = [true, false, "true", "false", "gaussian", "orthogonal", "eva", "mica"];
/** Those that PEFT can take back when it saves; LoftQ's quantised base it cannot. */
const CONVERTIBLE_INIT = /^(pissa|corda|olora|lora_ga)/i;

const IGNORED_COMMON = ["auto_mapping", "base_model_name_or_path", "revision", "inference_mode", "peft_version"];
const READ_COMMON = ["peft_type", "task_type", "target_modules", "exclude_modules", "modules_to_save"];
/** fan_in_fan_out concerns Conv1D weights; for nn.Linear, all there is in these families, PEFT itself sets it to false. */
const LORA_FIELDS = new Set([
  ...READ_COMMON, "r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora", "use_dora", "bias", "lora_bias",
  "layers_to_transform", "layers_pattern", "init_lora_weights",
  ...IGNORED_COMMON, "fan_in_fan_out", "lora_dropout", "megatron_core", "loftq_config", "eva_config", "corda_config", "lora_ga_config",
  "qalora_group_size", "ensure_weight_tying", "runtime_config",
  "merge_weights", // of PEFT's first versions: whether evaluating merged the adapter into the weights, to the same result
]);
const IA3_FIELDS = new Set([...READ_COMMON, "feedforward_modules", ...IGNORED_COMMON, "fan_in_fan_out", "init_ia3_weights"]);

type Fields = ReadonlyMap<string, unknown>;

function unsupported(where: string, problem: string): RootstockError {
  return new RootstockError("adapter-unsupported", `${where}: ${problem}; ${SUPPORTED}.`);
}

/** null, false, "", {} and []: PEFT's ways of writing "not used". */
function inactive(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** A field that is neither read nor known to be harmless may change the forward pass: refused by name when it is used. */
function refuseUnknown(fields: Fields, known: ReadonlySet<string>, where: string): void {
  for (const [key, value] of fields) {
    if (!known.has(key) && !inactive(value)) throw unsupported(where, `the field ${quote(key)} is in use and not supported`);
  }
}

function readOptional<T>(fields: Fields, key: string, at: Place, fallback: T, read: (value: unknown, at: Place) => T): T {
  const value = fields.get(key);
  return value === undefined || value === null ? fallback : read(value, field(at, key));
}

const readFlag = (fields: Fields, key: string, at: Place): boolean => readOptional(fields, key, at, false, readBoolean);

function readNames(value: unknown, at: Place): string[] {
  return readList(value, at, MAX_NAMES, (item, itemAt) => {
    const name = readString(item, itemAt);
    if (name === "") throw new RootstockError(at.code, `${itemAt.path}: a module name is empty.`);
    return name;
  });
}

function readNameRule(value: unknown, at: Place): NameRule {
  return typeof value === "string" ? { regex: readString(value, at, MAX_NAMES) } : { list: readNames(value, at) };
}

/** An empty list or string excludes nothing, as in PEFT. */
function readExclude(fields: Fields, at: Place): NameRule | null {
  return inactive(fields.get("exclude_modules")) ? null : readNameRule(fields.get("exclude_modules"), field(at, "exclude_modules"));
}

function readTargets(fields: Fields, at: Place): PeftCommon["targets"] {
  const value = fields.get("target_modules");
  if (value === undefined || value === null) return null;
  if (typeof value === "string" && value.toLowerCase() === "all-linear") return "all-linear";
  return readNameRule(value, field(at, "target_modules"));
}

function readTask(fields: Fields, where: string): PeftCommon["task"] {
  const task = fields.get("task_type");
  if (task === "SEQ_CLS") return "sequence";
  if (task === "TOKEN_CLS") return "token";
  if (task === undefined || task === null || task === "FEATURE_EXTRACTION") return null;
  throw unsupported(where, `task_type ${typeof task === "string" ? quote(task) : "of a wrong kind"} is not supported`);
}

function readCommon(fields: Fields, at: Place): PeftCommon {
  return {
    task: readTask(fields, at.path),
    targets: readTargets(fields, at),
    exclude: readExclude(fields, at),
    modulesToSave: readOptional(fields, "modules_to_save", at, [], readNames),
  };
}

function readPatternTable(fields: Fields, key: string, at: Place, readValue: (value: unknown, at: Place) => number): Map<string, number> {
  const table = readOptional(fields, key, at, new Map<string, unknown>(), readObject);
  if (table.size > MAX_NAMES) {
    throw new RootstockError(
      "limit-exceeded",
      `${at.path}: ${key}: ${table.size} patterns; at most ${MAX_NAMES} are read.`,
    );
  }
  return new Map([...table].map(([pattern, value]) => [pattern, readValue(value, field(field(at, key), pattern))]));
}

function checkInit(fields: Fields, where: string): void {
  const init = fields.get("init_lora_weights") ?? true;
  if (HARMLESS_INITS.includes(typeof init === "string" ? init.toLowerCase() : init)) return;
  const name = typeof init === "string" ? quote(init) : "of a wrong kind";
  const hasPatterns = !inactive(fields.get("rank_pattern")) || !inactive(fields.get("alpha_pattern"));
  const isConvertible = typeof init === "string" && CONVERTIBLE_INIT.test(init) && !(fields.get("use_rslora") === true && hasPatterns);
  throw unsupported(
    where,
    `init_lora_weights ${name} may have changed the base weights before training, so the file does not fit the original encoder ` +
      "(PiSSA, CorDA, OLoRA, LoftQ and LoRA-GA do); " +
      (isConvertible ? "save it converted, with path_initial_model_for_weight_conversion" : "PEFT cannot convert it, so train it with init_lora_weights true"),
  );
}

/** Numbers that no layer has choose none, as in PEFT. */
function readLayers(value: unknown, at: Place): readonly number[] | null {
  const readLayer = (item: unknown, itemAt: Place): number => readInteger(item, itemAt, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (typeof value === "number") return [readLayer(value, at)];
  const layers = readList(value, at, MAX_NAMES, readLayer);
  return layers.length === 0 ? null : layers;
}

function readLayersPattern(value: unknown, at: Place): readonly string[] {
  if (typeof value !== "string") return readNames(value, at);
  return value === "" ? [] : [readString(value, at)];
}

function readLora(fields: Fields, at: Place): LoraConfig {
  refuseUnknown(fields, LORA_FIELDS, at.path);
  checkInit(fields, at.path);
  const readRank = (value: unknown, rankAt: Place): number => readInteger(value, rankAt, 1, MAX_RANK);
  // PEFT looks at a pattern's rank where the pattern matches, and so does the matcher.
  const readPatternRank = (value: unknown, rankAt: Place): number => readInteger(value, rankAt, -MAX_RANK, MAX_RANK);
  const readAlpha = (value: unknown, alphaAt: Place): number => readNumber(value, alphaAt, -MAX_ALPHA, MAX_ALPHA);
  const config: LoraConfig = {
    kind: "lora",
    ...readCommon(fields, at),
    rank: readOptional(fields, "r", at, 8, readRank),
    alpha: readOptional(fields, "lora_alpha", at, 8, readAlpha),
    rankPattern: readPatternTable(fields, "rank_pattern", at, readPatternRank),
    alphaPattern: readPatternTable(fields, "alpha_pattern", at, readAlpha),
    rsLora: readFlag(fields, "use_rslora", at),
    dora: readFlag(fields, "use_dora", at),
    bias: readOptional(fields, "bias", at, "none", (value, biasAt) => readChoice(value, biasAt, ["none", "all", "lora_only"])),
    loraBias: readFlag(fields, "lora_bias", at),
    layers: readOptional(fields, "layers_to_transform", at, null, readLayers),
    layersPattern: readOptional(fields, "layers_pattern", at, [], readLayersPattern),
  };
  // Combinations that PEFT refuses to build, so no file can come of them.
  const contradiction = (problem: string): never => {
    throw new RootstockError("config-invalid", `${at.path}: ${problem}.`);
  };
  const byRegex = config.targets === "all-linear" || (config.targets !== null && "regex" in config.targets);
  const layersGiven = (fields.get("layers_to_transform") ?? null) !== null; // an empty list counts as given and means all
  if (byRegex && layersGiven) contradiction("layers_to_transform needs target_modules as a list");
  if (config.layersPattern.length > 0 && !layersGiven) contradiction("layers_pattern needs layers_to_transform");
  if (config.dora && config.loraBias) contradiction("use_dora and lora_bias exclude each other");
  return config;
}

function readIa3(fields: Fields, at: Place): Ia3Config {
  refuseUnknown(fields, IA3_FIELDS, at.path);
  const feedforward = readOptional<NameRule | null>(fields, "feedforward_modules", at, null, readNameRule);
  return { kind: "ia3", ...readCommon(fields, at), feedforward };
}

/**
 * Reads adapter_config.json. Throws `json-invalid`, `limit-exceeded`, `adapter-unsupported` (named, with what is supported),
 * `config-invalid` (a field of a wrong type, out of range, or against another).
 */
export function readPeftConfig(source: Uint8Array | string): PeftConfig {
  const at = place("adapter_config.json", "config-invalid");
  const fields = readObject(parseJson(source, { where: at.path }), at);
  const type = fields.get("peft_type");
  if (type === "LORA") return readLora(fields, at);
  if (type === "IA3") return readIa3(fields, at);
  const problem = typeof type === "string" ? `peft_type ${quote(type)} is not supported` : "peft_type is missing, so this is no PEFT adapter";
  throw unsupported(at.path, problem);
}
