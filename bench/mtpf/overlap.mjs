// Which texts of the tasks pre-finetuning has met: prints, for each task and split, how many of its rows have a text that is in its data.
//
//   node bench/mtpf/overlap.mjs [--data ../shared/data]
//
// "same": in lower case with white space folded; "nearly": by letters and digits alone, without case.
import { parseArgs } from "node:util";
import { printTable } from "../table.mjs";
import { NO_CAPS, readRows, readTask, taskNames } from "./data.mjs";

const { values } = parseArgs({ options: { data: { type: "string", default: "../shared/data" } } });

const FOLDS = {
  same: (text) => text.toLowerCase().replace(/\s+/g, " ").trim(),
  nearly: (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, ""),
};
/** A sentence of NER's data, or both texts of a pair. */
const textsOf = ({ text, a, b }) => (text === undefined ? [a, b] : [text]);
const met = ["ner", "pairs"].flatMap((name) => readRows(`${values.data}/pretrain/${name}.jsonl`).flatMap(textsOf));
const folded = Object.entries(FOLDS).map(([, fold]) => ({ fold, texts: new Set(met.map(fold)) }));

const rows = taskNames(values.data).flatMap(([name]) => {
  const task = readTask(values.data, name, NO_CAPS);
  return ["train", "dev", "test"].map((split) => [name, split, task[split].length, ...folded.map(({ fold, texts }) => task[split].filter(({ text, tokens }) => texts.has(fold(text ?? tokens.join(" ")))).length)]);
});
printTable(["task", "split", "rows", ...Object.keys(FOLDS)], rows.filter(([, , , ...counts]) => counts.some((count) => count > 0)));
