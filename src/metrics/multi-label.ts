import { RootstockError } from "../errors.ts";
import { LabelCounts, rates, type LabelRates } from "./rates.ts";

export interface MultiLabelReport {
  /** Micro averages over all texts and labels, in [0, 1]; 0 where nothing is to be found. */
  precision: number;
  recall: number;
  f1: number;
  /** Gold labels. */
  support: number;
  /** Every label that is gold or predicted at least once, sorted. */
  perLabel: LabelRates[];
}

/**
 * Scores any number of labels a text, as scikit-learn's micro average does.
 * @param gold one list a text, no label twice in one
 * @throws RootstockError `argument-invalid` when the lists are empty or of different lengths
 */
export function multiLabelReport(gold: readonly (readonly string[])[], predicted: readonly (readonly string[])[]): MultiLabelReport {
  if (gold.length === 0 || gold.length !== predicted.length) {
    throw new RootstockError("argument-invalid", `${gold.length} gold and ${predicted.length} predicted texts cannot be compared: give one list of each per text.`);
  }
  const counts = new LabelCounts();
  gold.forEach((labels, text) => {
    for (const label of labels) counts.of(label).gold++;
    for (const label of predicted[text]!) {
      counts.of(label).predicted++;
      if (labels.includes(label)) counts.of(label).correct++;
    }
  });
  return { ...rates(counts.total()), perLabel: counts.rows() };
}
