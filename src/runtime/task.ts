import { RootstockError } from "../errors.ts";
import type { ProblemType } from "../format/types.ts";
import { tagScheme, type TagScheme } from "../heads/tags.ts";
import type { PlacedAdapter } from "../model/adapter.ts";
import type { ScoreFunction } from "../run/forward.ts";

/** An adapter with a name: what `run` is asked for. */
export interface Task {
  readonly name: string;
  readonly adapter: PlacedAdapter;
  readonly labels: readonly string[];
  readonly scheme: TagScheme;
  readonly problemType: ProblemType;
  /** Runs that use it now; its memory is freed when none is left after removal. */
  pins: number;
  removed: boolean;
}

export function makeTask(
  name: string,
  adapter: PlacedAdapter,
  labels: readonly string[],
  problemType: ProblemType | undefined,
): Task {
  // transformers: a head with one class is a regression unless the configuration says otherwise, and its pipeline then
  // takes a sigmoid.
  const problem = problemType ?? (labels.length === 1 ? "multi" : "single");
  return { name, adapter, labels, scheme: tagScheme(labels), problemType: problem, pins: 0, removed: false };
}

/** How logits become scores (transformers: softmax, or a sigmoid each for multi-label heads). */
export function scoreFunction(task: Task): ScoreFunction {
  if (task.adapter.plan.head?.kind === "token") return "softmax";
  switch (task.problemType) {
    case "single":
      return "softmax";
    case "multi":
      return "sigmoid";
    case "regression":
      return "none";
  }
}

/** Result kind of a task's head. @throws RootstockError `argument-invalid` for an adapter without a head. */
export function headOf(task: Task): NonNullable<PlacedAdapter["plan"]["head"]> {
  const { head } = task.adapter.plan;
  if (head !== null) return head;
  throw new RootstockError(
    "argument-invalid",
    `the adapter "${task.name}" has no head, so it gives no labels. Use embed() or hiddenStates() with it.`,
  );
}
