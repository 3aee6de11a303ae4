/** `rootstock/transformers`: pipelines with the calls and results of transformers.js. */
import { loadEncoder } from "../runtime/load.ts";
import type { PipelineOptions } from "./construction-options.ts";
import type { ModelLike } from "./model.ts";
import { makePipelineOf, type PipelineOf } from "./pipeline.ts";
import type { PipelineType } from "./tasks.ts";

export * from "./api.ts";

/**
 * A pipeline as transformers.js makes it, over an encoder and an adapter: call it with a text or a list of texts.
 *
 * @param task what it does
 * @param model an encoder's folder (path, URL, files, source), with the adapter's in `options.adapter` or as
 *   `{ encoder, adapter }`. An `Encoder` or another pipeline instead of the folder shares the encoder in memory.
 * @throws RootstockError `argument-invalid` for a task, model or option that is not served (by name); those of
 *   `loadEncoder` and `addAdapter`; `disposed` when a shared encoder is gone. Nothing stays in memory then.
 */
export function pipeline<Task extends PipelineType>(task: Task, model: ModelLike, options: PipelineOptions | null = {}): Promise<PipelineOf[Task]> {
  return makePipelineOf(loadEncoder, task, model, options);
}
