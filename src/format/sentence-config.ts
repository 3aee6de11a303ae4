/**
 * How a folder of sentence-transformers makes its vectors: modules.json lists the modules, the Pooling module's config.json says
 * which rows count, sentence_bert_config.json how long a text may be. What `embed` cannot do is described, not refused: an encoder
 * that is used for its adapters alone has no need of it. Files that are broken are refused.
 */

import { quote, RootstockError } from "../errors.ts";
import { field, parseJson, place, readBoolean, readInteger, readList, readObject, readString, type Place } from "./json.ts";
import type { SentenceConfig } from "./types.ts";

export const MODULES_NAME = "modules.json";
export const SENTENCE_BERT_NAME = "sentence_bert_config.json";
/** Modules of one model: those in use have at most 5. */
const MAX_MODULES = 64;
/** What sentence-transformers names a module's folder: its number and its class. No other path is opened. */
const MODULE_FOLDER = /^[0-9]{1,2}_[A-Za-z]{1,64}$/;
const STARTS = [["Transformer"], ["Pooling"]];
/** Behind the Pooling: Dropout does nothing outside of training, and `embed` gives vectors of length 1 with Normalize and without. */
const ENDINGS = ["Normalize", "Dropout"];
/** The fewest tokens of a text: one, between two special ones. */
const MIN_TOKENS = 3;

/** UTF-16 units of what stands for a pooling that is not supported: a converted folder keeps it. */
const MAX_DESCRIPTION = 256;

/** In the order in which sentence-transformers joins their vectors. */
const MODES: readonly (readonly [flag: string, mode: string])[] = [
  ["pooling_mode_cls_token", "cls"],
  ["pooling_mode_max_tokens", "max"],
  ["pooling_mode_mean_tokens", "mean"],
  ["pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"],
  ["pooling_mode_weightedmean_tokens", "weightedmean"],
  ["pooling_mode_lasttoken", "lasttoken"],
];

/** Where the pooling is described, or why the modules cannot be followed. */
export type SentenceModules = { readonly poolingFile: string } | { readonly unsupported: string };

/** Their class, for those of sentence-transformers; what others do is not known. */
function classOf(type: string): string {
  return type.startsWith("sentence_transformers.") ? type.slice(type.lastIndexOf(".") + 1) : type;
}

/** Names are strangers', and six times as long where each unit is escaped. */
function described(what: string): string {
  return what.slice(0, MAX_DESCRIPTION);
}

/** Reads modules.json. Throws `json-invalid`, `limit-exceeded`, `config-invalid`. */
export function readModules(source: Uint8Array | string): SentenceModules {
  const at = place(MODULES_NAME, "config-invalid");
  const modules = readList(parseJson(source, { where: MODULES_NAME }), at, MAX_MODULES, (value, moduleAt) => {
    const fields = readObject(value, moduleAt);
    return { kind: classOf(readString(fields.get("type"), field(moduleAt, "type"))), path: readString(fields.get("path"), field(moduleAt, "path")) };
  });
  const odd = modules.find(({ kind }, index) => !(index < 2 ? STARTS[index]! : ENDINGS).includes(kind));
  if (odd !== undefined) return { unsupported: described(`the module ${quote(odd.kind)} of ${MODULES_NAME}`) };
  const [encoder, pooling] = modules;
  if (encoder === undefined || pooling === undefined) return { unsupported: `${MODULES_NAME} without a Pooling` };
  if (encoder.path !== "") return { unsupported: `the Transformer of ${MODULES_NAME} in a folder of its own` };
  if (!MODULE_FOLDER.test(pooling.path)) {
    throw new RootstockError("config-invalid", `${MODULES_NAME}: the Pooling is in ${quote(pooling.path)}; a module's folder is named like "1_Pooling".`);
  }
  return { poolingFile: `${pooling.path}/config.json` };
}

/** Modes of the Pooling's config.json: `pooling_mode` (from version 5.4 on), else a flag each, else the mean. */
function readModes(fields: ReadonlyMap<string, unknown>, at: Place): string[] {
  const given = fields.get("pooling_mode") ?? undefined;
  if (given !== undefined) {
    const modeAt = field(at, "pooling_mode");
    return typeof given === "string" ? [readString(given, modeAt)] : readList(given, modeAt, MODES.length, (value, itemAt) => readString(value, itemAt));
  }
  const modes = MODES.filter(([flag]) => readBoolean(fields.get(flag) ?? false, field(at, flag))).map(([, mode]) => mode);
  return modes.length === 0 ? ["mean"] : modes;
}

/** The pooling of the Pooling's config.json. Throws `json-invalid`, `limit-exceeded`, `config-invalid`. */
export function readPooling(source: Uint8Array | string, where: string): string {
  const at = place(where, "config-invalid");
  const modes = readModes(readObject(parseJson(source, { where }), at), at);
  const [mode] = modes;
  return modes.length === 1 && (mode === "mean" || mode === "cls") ? mode : described(`the pooling ${quote(modes.join(" + "))} of ${where}`);
}

/** Reads sentence_bert_config.json. Throws `json-invalid`, `limit-exceeded`, `config-invalid`. */
export function readSentenceBert(source: Uint8Array | string, where = SENTENCE_BERT_NAME): Pick<SentenceConfig, "maxTokens" | "lowerCase"> {
  const at = place(where, "config-invalid");
  const fields = readObject(parseJson(source, { where }), at);
  return readLimits(fields, at, "max_seq_length", "do_lower_case");
}

/** `model_max_length` of tokenizer_config.json, which counts where `max_seq_length` is not set. transformers writes 1e30 for none, and others −1 or 0. */
export function readModelMaxLength(source: Uint8Array | string): Pick<SentenceConfig, "maxTokens"> {
  const where = "tokenizer_config.json";
  const at = place(where, "config-invalid");
  const length = readObject(parseJson(source, { where }), at).get("model_max_length") ?? undefined;
  const isNone = length === undefined || (typeof length === "number" && (length < MIN_TOKENS || length > Number.MAX_SAFE_INTEGER));
  return isNone ? {} : { maxTokens: readMaxTokens(length, field(at, "model_max_length")) };
}

function readMaxTokens(value: unknown, at: Place): number {
  return readInteger(value, at, MIN_TOKENS, Number.MAX_SAFE_INTEGER);
}

/** `sentence` of rootstock.json. Throws `at.code`. */
export function readSentenceConfig(value: unknown, at: Place): SentenceConfig {
  const fields = readObject(value, at);
  return { pooling: readString(fields.get("pooling"), field(at, "pooling"), MAX_DESCRIPTION), ...readLimits(fields, at, "maxTokens", "lowerCase") };
}

/** What is said of a text before it is read, under the names that a file has for it; null is "not said". */
function readLimits(fields: ReadonlyMap<string, unknown>, at: Place, length: string, lower: string): Pick<SentenceConfig, "maxTokens" | "lowerCase"> {
  const maxTokens = fields.get(length) ?? undefined;
  const lowerCase = readBoolean(fields.get(lower) ?? false, field(at, lower));
  return {
    ...(maxTokens === undefined ? {} : { maxTokens: readMaxTokens(maxTokens, field(at, length)) }),
    ...(lowerCase ? { lowerCase } : {}),
  };
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** The files of sentence-transformers that say the same, by name; a pooling that is not supported is left out, and so is asked for no more. */
export function sentenceFiles({ pooling, maxTokens, lowerCase = false }: SentenceConfig, hidden: number): Map<string, Uint8Array> {
  const isKnown = pooling === "mean" || pooling === "cls";
  const names: readonly (readonly [name: string, path: string])[] = [["Transformer", ""], ...(isKnown ? [["Pooling", "1_Pooling"], ["Normalize", "2_Normalize"]] as const : [])];
  const files = new Map([
    [MODULES_NAME, json(names.map(([name, path], idx) => ({ idx, name: String(idx), path, type: `sentence_transformers.models.${name}` })))],
    [SENTENCE_BERT_NAME, json({ max_seq_length: maxTokens ?? null, do_lower_case: lowerCase })],
  ]);
  const flags = MODES.map(([flag, mode]) => [flag, mode === pooling] as const);
  if (isKnown) files.set("1_Pooling/config.json", json({ word_embedding_dimension: hidden, ...Object.fromEntries(flags), include_prompt: true }));
  return files;
}
