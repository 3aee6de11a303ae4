import { RootstockError } from "../errors.ts";
import type { ProblemType } from "../format/types.ts";
import { scoreFunction, type ScoreFunction } from "../heads/classify.ts";
import { tagScheme, type TagScheme } from "../heads/tags.ts";
import type { Adapter } from "../model/adapter-store.ts";
import type { Head } from "../model/slot.ts";

/** An adapter with a name: what `run` is asked for. */
export interface Task {
  readonly name: string;
  readonly adapter: Adapter;
  readonly labels: readonly string[];
  readonly scheme: TagScheme;
  /** How logits become scores. */
  readonly score: ScoreFunction;
  /** Runs that use it now; its memory is freed when none is left after removal. */
  pins: number;
  removed: boolean;
}

export function makeTask(
  name: string,
  adapter: Adapter,
  labels: readonly string[],
  problemType: ProblemType | undefined,
): Task {
  const isToken = adapter.plan.head?.kind === "token";
  return { name, adapter, labels, scheme: tagScheme(labels), score: isToken ? "softmax" : scoreFunction(problemType, labels.length), pins: 0, removed: false };
}

/** Result kind of a task's head. @throws RootstockError `argument-invalid` for an adapter without a head. */
export function headOf(task: Task): Head {
  const { head } = task.adapter.plan;
  if (head !== null) return head;
  throw new RootstockError(
    "argument-invalid",
    `the adapter "${task.name}" has no head, so it gives no labels. Use embed() or hiddenStates() with it.`,
  );
}
