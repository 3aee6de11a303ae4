// Downstream tasks: TASK/{train,dev,test}.jsonl[.gz], labels.json, and tasks.json over all of them.
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { drawRows } from "./draw.mjs";

/** Most rows of each split in the table of regimes, for time. */
export const TABLE_CAPS = { train: 4000, dev: 500, test: 1500 };
export const NO_CAPS = { train: Infinity, dev: Infinity, test: Infinity };
/** Seed of the rows that stand for a split larger than its cap. */
const CAP_SEED = 2510;

/** @returns {[name: string, kind: "ner" | "tc"][]} NER first, each in the order of tasks.json */
export function taskNames(data) {
  const entries = Object.entries(JSON.parse(readFileSync(`${data}/tasks.json`, "utf8"))).map(([name, { kind }]) => [name, kind === "ner" ? "ner" : "tc"]);
  return [...entries.filter(([, kind]) => kind === "ner"), ...entries.filter(([, kind]) => kind === "tc")];
}

/**
 * @param {{ train: number, dev: number, test: number }} caps
 * @returns {{ name: string, kind: "ner" | "tc", classes: string[], train: object[], dev: object[], test: object[] }} classes: labels, or O and B-/I- of each
 */
export function readTask(data, name, caps) {
  const kind = new Map(taskNames(data)).get(name);
  if (kind === undefined) throw new Error(`there is no task ${name} in ${data}/tasks.json`);
  const labels = JSON.parse(readFileSync(`${data}/${name}/labels.json`, "utf8"));
  const classes = kind === "tc" ? labels : ["O", ...labels.flatMap((label) => [`B-${label}`, `I-${label}`])];
  const split = (part) => {
    const rows = readRows(`${data}/${name}/${part}.jsonl`);
    return Array.from(drawRows(rows.length, caps[part], CAP_SEED), (row) => rows[row]);
  };
  return { name, kind, classes, train: split("train"), dev: split("dev"), test: split("test") };
}

export function readRows(path) {
  const text = existsSync(path) ? readFileSync(path, "utf8") : gunzipSync(readFileSync(`${path}.gz`)).toString();
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Rows of a share of the training set: all, or a draw of `share` % by a seed. @returns {Int32Array} */
export function trainingRows(count, share, seed) {
  return drawRows(count, share === 100 ? count : Math.max(1, Math.round((count * share) / 100)), seed);
}
