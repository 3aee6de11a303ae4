import { RootstockError } from "../errors.ts";
import { argmax } from "./scores.ts";

/** One label of a text. */
export interface Classification {
  label: string;
  /** Probability in [0, 1]; for a regression head its number as it is. */
  score: number;
}

export interface ClassifyOptions {
  /** How many labels to return, the likeliest first: a whole number from 1 up, or `null` for all. Default 1. */
  readonly topK?: number | null;
}

/** What turns the logits of a text classifier into probabilities. */
export type ScoreFunction = "softmax" | "sigmoid";

/**
 * Chooses as the `problem_type` of config.json says: `multi_label_classification`, or a head with one class, is a
 * sigmoid of each logit; anything else is a softmax over them.
 *
 * @param problemType `problem_type`, or `null` where the configuration has none
 * @param classes rows of the head
 * @throws RootstockError `config-invalid` for `regression` (its numbers are not probabilities of labels) and unknown types
 */
export function scoreFunction(problemType: string | null, classes: number): ScoreFunction {
  switch (problemType) {
    case "multi_label_classification":
      return "sigmoid";
    case "single_label_classification":
    case null:
      return classes === 1 ? "sigmoid" : "softmax";
    default:
      throw new RootstockError(
        "config-invalid",
        `problem_type is ${JSON.stringify(problemType)}; text classification reads single_label_classification and ` +
          "multi_label_classification. Correct it in config.json, or use logits().",
      );
  }
}

/**
 * The labels of one text, the likeliest first; equal scores keep the order of the labels.
 *
 * @param probabilities one per label, from softmax or sigmoid (sigmoids need not sum to 1)
 * @param labels in the order of the head's classes
 * @throws RootstockError `labels-mismatch` when the two lengths differ, `argument-invalid` for a wrong `topK`,
 *   `engine-fault` when a probability is NaN
 */
export function classify(
  probabilities: Float32Array,
  labels: readonly string[],
  options: ClassifyOptions = {},
): Classification[] {
  const { topK = 1 } = options;
  if (probabilities.length !== labels.length) {
    throw new RootstockError(
      "labels-mismatch",
      `The head gave ${probabilities.length} scores for ${labels.length} labels. Give one label per class, in order.`,
    );
  }
  if (topK !== null && (!Number.isInteger(topK) || topK < 1)) {
    throw new RootstockError(
      "argument-invalid",
      `topK is ${String(topK)}; give a whole number from 1 up, or null for all labels.`,
    );
  }
  if (labels.length === 0) return [];
  const best = argmax(probabilities, 0, labels.length);
  if (topK === 1) return [{ label: labels[best]!, score: probabilities[best]! }];
  const order = labels.map((_, index) => index);
  order.sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  return order
    .slice(0, topK ?? order.length)
    .map((index) => ({ label: labels[index]!, score: probabilities[index]! }));
}
