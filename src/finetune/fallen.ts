import type { TrainingHistory } from "./types.ts";

const ADVICE = "Learning may have fallen to one answer: try a lower learningRate and headLearningRate, or more epochs where there were few updates.";

/**
 * What learning leaves on dev where it fell to one answer: one label for all rows, or not one entity or label found. Rates that are too high do
 * that to small sets, and so do too few updates.
 * @returns warnings: one, or none where the best evaluation told rows apart or dev has nothing to tell
 */
export function fallenWarnings({ kind, best, perEntity = [] }: Pick<TrainingHistory, "kind" | "best" | "perEntity">): string[] {
  const there = perEntity.filter(({ support }) => support > 0);
  const found = there.filter(({ recall }) => recall > 0);
  const count = there.reduce((sum, { support }) => sum + support, 0);
  if (kind !== "classification") {
    const what = kind === "ner" ? "entities was found" : "labels was given";
    return count > 0 && found.length === 0 ? [`dev: not one of its ${count} ${what}. ${ADVICE}`] : [];
  }
  const [only] = found;
  // Its precision is the accuracy where it was given to every row.
  if (there.length < 2 || found.length !== 1 || only!.precision !== best?.metric) return [];
  return [`dev: every row was given ${JSON.stringify(only!.label)}, and ${count - only!.support} of ${count} have another label. ${ADVICE}`];
}
