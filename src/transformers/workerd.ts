/** `rootstock/transformers` in workerd (Cloudflare Workers): the same, with the kernels of `rootstock/workerd`. */
import { loadEncoder } from "../workerd.ts";
import type { PipelineOptions } from "./construction-options.ts";
import type { ModelLike } from "./model.ts";
import { makePipelineOf, type PipelineOf } from "./pipeline.ts";
import type { PipelineType } from "./tasks.ts";

export * from "./api.ts";

/** As `pipeline` of `rootstock/transformers`, and its errors. Call it within a request: Workers do no reading outside of one. */
export function pipeline<Task extends PipelineType>(task: Task, model: ModelLike, options: PipelineOptions | null = {}): Promise<PipelineOf[Task]> {
  return makePipelineOf(loadEncoder, task, model, options);
}
