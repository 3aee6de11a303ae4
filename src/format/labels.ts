/** Label tables: `id2label` of a config.json, or a list given by the caller. */

import { quote, RootstockError } from "../errors.ts";
import { MAX_LABEL_FILE_BYTES, MAX_LABELS } from "../limits.ts";
import { field, parseJson, place, readChoice, readInteger, readObject, readString, type Place } from "./json.ts";
import type { ProblemType } from "./types.ts";

const PROBLEM_TYPES: ReadonlyMap<string, ProblemType> = new Map([
  ["single_label_classification", "single"],
  ["multi_label_classification", "multi"],
  ["regression", "regression"],
]);

/** `problem_type`; undefined when absent or null, as transformers leaves it until training decides. */
function readProblemType(value: unknown, at: Place): ProblemType | undefined {
  if (value === undefined || value === null) return undefined;
  return PROBLEM_TYPES.get(readChoice(value, at, [...PROBLEM_TYPES.keys()]));
}

/** A label; a whole number is its digits, as `id2label` of data whose classes have no names is written. */
function readLabel(value: unknown, at: Place): string {
  return Number.isSafeInteger(value) ? String(value) : readString(value, at);
}

/** `id2label`: an object whose keys are 0 … n-1 in any order. Two spellings of one number ("1", "01") are refused. */
function readIdToLabel(value: unknown, at: Place): string[] {
  const entries = readObject(value, at);
  if (entries.size > MAX_LABELS) {
    throw new RootstockError(
      "limit-exceeded",
      `${at.path}: ${entries.size} labels; at most ${MAX_LABELS} are read.`,
    );
  }
  const labels = new Array<string>(entries.size);
  for (const [key, label] of entries) {
    const id = /^(0|[1-9][0-9]*)$/.test(key) ? readInteger(Number(key), field(at, key), 0, entries.size - 1) : -1;
    if (id < 0) throw new RootstockError(at.code, `${at.path}: the key ${quote(key)} is not a label number from 0 to ${entries.size - 1}.`);
    labels[id] = readLabel(label, field(at, key));
  }
  return labels;
}

export interface LabelTable {
  /** By row of the head; never empty. transformers leaves `id2label` out when it is its own LABEL_0, LABEL_1. */
  readonly labels?: readonly string[];
  readonly problemType?: ProblemType;
}

/** What is read of a label table: what nothing uses may be anything. */
export interface LabelUse {
  readonly labels: boolean;
  readonly problemType: boolean;
}

/** `id2label` and `problem_type` of the config.json beside an adapter, as far as they are used; null when it has neither. */
export function readLabelTable(source: Uint8Array | string, use: LabelUse): LabelTable | null {
  const at = place("config.json", "config-invalid");
  const fields = readObject(parseJson(source, { where: at.path, maxBytes: MAX_LABEL_FILE_BYTES }), at);
  const table = use.labels ? (fields.get("id2label") ?? null) : null;
  const labels = table === null ? [] : readIdToLabel(table, field(at, "id2label"));
  const problemType = use.problemType ? readProblemType(fields.get("problem_type"), field(at, "problem_type")) : undefined;
  if (labels.length === 0 && problemType === undefined) return null;
  return { ...(labels.length === 0 ? {} : { labels }), ...(problemType === undefined ? {} : { problemType }) };
}

/**
 * The labels of a head with `rows` classes: what the caller gave, else what the folder says. Throws `labels-mismatch` when
 * neither is there, the count differs from the rows, or a label occurs twice (results could not be told apart).
 */
export function readLabels(given: readonly string[] | undefined, table: LabelTable | null, rows: number, where: string): readonly string[] {
  const labels = given ?? table?.labels;
  if (labels === undefined) {
    throw new RootstockError(
      "labels-mismatch",
      `${where}: no labels for the ${rows} classes of the head; put a config.json with id2label beside the adapter or pass { labels: [...] }.`,
    );
  }
  if (labels.length !== rows) {
    throw new RootstockError(
      "labels-mismatch",
      `${where}: ${labels.length} labels for a head with ${rows} classes; give one label a class, in the order of the head.`,
    );
  }
  const at = place(`${where}: labels`, "labels-mismatch");
  const seen = new Set<string>();
  for (const [index, label] of labels.entries()) {
    if (seen.has(readString(label, field(at, String(index))))) {
      throw new RootstockError("labels-mismatch", `${where}: the label ${quote(label)} occurs twice; labels must differ.`);
    }
    seen.add(label);
  }
  return [...labels];
}
