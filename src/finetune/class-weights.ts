import { quote, RootstockError } from "../errors.ts";
import { field, place, readNumber, readObject } from "../format/json.ts";
import type { Example } from "./examples.ts";
import type { Classes } from "./label-book.ts";
import type { TrainingKind, TrainingOptions } from "./types.ts";

/** A copy of what is given, in the order of names: what the caller does to it later changes nothing, and its order is no other run. */
export function ownClassWeights(given: TrainingOptions["classWeights"]): TrainingOptions["classWeights"] {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  return Object.fromEntries(Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * What each class counts in the loss; undefined where all count the same.
 *
 * "balanced": rows/(classes·rows of the class), so that all classes weigh the same together (scikit-learn's rule); of multi-label data the
 * rows without a label over those with it. Classes that never occur count 1.
 * @param given a record names labels of the data: entities, "O", text labels; those left out count 1
 * @throws RootstockError `argument-invalid`.
 */
export function classWeights(given: unknown, kind: TrainingKind, classes: Classes, examples: readonly Example[]): Float32Array | undefined {
  if (given === undefined || given === "none") return undefined;
  if (given === "balanced") return balanced(kind, classes, examples);
  const at = place("classWeights", "argument-invalid");
  const weights = readObject(given, at);
  const names = classes.labels.map((label) => (kind === "ner" && label !== "O" ? label.slice(2) : label));
  const unknown = [...weights.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) throw new RootstockError("argument-invalid", `classWeights: ${quote(unknown)} is no label of the training data.`);
  return Float32Array.from(names, (name) => (weights.has(name) ? readNumber(weights.get(name), field(at, name), 1e-6, 1e6) : 1));
}

function balanced(kind: TrainingKind, { labels, indexOf }: Classes, examples: readonly Example[]): Float32Array {
  const counts = new Float64Array(labels.length);
  let total = 0;
  for (const { gold } of examples) {
    for (const number of gold) counts[indexOf[number]!]! += 1;
    total += kind === "multi-label" ? 1 : gold.length;
  }
  const weight = (count: number): number => {
    if (count === 0) return 1;
    // A label that every row has keeps a little weight, for the loss of the rows that lack it in use.
    return kind === "multi-label" ? Math.max(1, total - count) / count : total / (labels.length * count);
  };
  return Float32Array.from(counts, weight);
}
