import { RootstockError } from "../errors.ts";

/** Tasks by their own names; `pipe.task` is one of these. */
export type TaskName = "token-classification" | "text-classification" | "feature-extraction";

/** Every name that `pipeline` takes: a task's own, or another that it goes by. */
export type PipelineType = TaskName | "ner" | "sentiment-analysis" | "embeddings";

const TASKS: ReadonlyMap<string, TaskName> = new Map([
  ["token-classification", "token-classification"],
  ["ner", "token-classification"],
  ["text-classification", "text-classification"],
  ["sentiment-analysis", "text-classification"],
  ["feature-extraction", "feature-extraction"],
  ["embeddings", "feature-extraction"],
]);

/** What an adapter's head must be for a task; a task that is not here reads no head. */
export const HEAD_OF_TASK: ReadonlyMap<TaskName, "token" | "sequence"> = new Map([
  ["token-classification", "token"],
  ["text-classification", "sequence"],
]);

/** @throws RootstockError `argument-invalid` for a task that is not served. */
export function taskNamed(name: unknown): TaskName {
  const task = TASKS.get(String(name));
  if (task !== undefined) return task;
  throw new RootstockError("argument-invalid", `pipeline "${String(name).slice(0, 80)}" is not served; give one of ${[...TASKS.keys()].map((key) => `"${key}"`).join(", ")}.`);
}
