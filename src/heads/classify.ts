import { RootstockError } from "../errors.ts";
import type { ProblemType } from "../format/types.ts";
import { argmax } from "./scores.ts";

/** One label of a text. */
export interface Classification {
  label: string;
  /** Probability in [0, 1]; for a regression head its number as it is. */
  score: number;
}

/** What turns a text classifier's logits into scores: a softmax over them, a sigmoid of each, or nothing. */
export type ScoreFunction = "softmax" | "sigmoid" | "none";

/**
 * Chooses as the text-classification pipeline of transformers does.
 *
 * @param problemType `problem_type` of config.json; undefined where it has none
 * @param classes rows of the head
 */
export function scoreFunction(problemType: ProblemType | undefined, classes: number): ScoreFunction {
  if (problemType === "regression") return "none";
  return problemType === "multi" || classes === 1 ? "sigmoid" : "softmax";
}

/**
 * The labels of one text, the likeliest first; equal scores keep the order of the labels.
 *
 * @param probabilities one per label, from softmax or sigmoid (sigmoids need not sum to 1)
 * @param labels in the order of the head's classes
 * @param topK how many labels to return, the likeliest first: a whole number from 1 up, or `null` for all; checked by the caller
 * @throws RootstockError `labels-mismatch` when the two lengths differ, `engine-fault` when a probability is NaN
 */
export function classify(probabilities: Float32Array, labels: readonly string[], topK: number | null = 1): Classification[] {
  if (probabilities.length !== labels.length) {
    throw new RootstockError(
      "labels-mismatch",
      `The head gave ${probabilities.length} scores for ${labels.length} labels. Give one label per class, in order.`,
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
