import { RootstockError } from "../errors.ts";
import { LabelCounts, type LabelRates } from "./rates.ts";

export interface ClassificationReport {
  /** Share of texts with the right label, in [0, 1]. */
  accuracy: number;
  /** Unweighted mean of the labels' F1, in [0, 1]. */
  macroF1: number;
  /** Texts. */
  support: number;
  /** Every label that is gold or predicted at least once, sorted. */
  perLabel: LabelRates[];
}

/**
 * Scores one predicted label a text. As scikit-learn's `classification_report` with `zero_division=0`: the macro
 * mean is over the labels that occur in either list, so one that is only ever predicted counts with F1 = 0.
 *
 * @throws RootstockError `argument-invalid` when the lists are empty or of different lengths
 */
export function classificationReport(gold: readonly string[], predicted: readonly string[]): ClassificationReport {
  if (gold.length === 0 || gold.length !== predicted.length) {
    throw new RootstockError(
      "argument-invalid",
      `${gold.length} gold labels and ${predicted.length} predicted ones cannot be compared: give one of each per text.`,
    );
  }
  const counts = new LabelCounts();
  gold.forEach((label, index) => {
    const other = predicted[index]!;
    counts.of(label).gold++;
    counts.of(other).predicted++;
    if (label === other) counts.of(label).correct++;
  });
  const perLabel = counts.rows();
  const sumF1 = perLabel.reduce((sum, { f1 }) => sum + f1, 0);
  return {
    accuracy: counts.total().correct / gold.length,
    macroF1: sumF1 / perLabel.length,
    support: gold.length,
    perLabel,
  };
}
