import { RootstockError } from "../errors.ts";
import type { Encoder } from "../runtime/encoder.ts";
import { checkPipelineOptions, type PipelineOptions } from "./construction-options.ts";
import { extractFeatures, type FeatureExtractionPipeline } from "./feature-extraction.ts";
import { makePipeline, requireLive, type Pipeline } from "./made-pipeline.ts";
import { addAdapter, modelOf, nameOf, residenceFor, type LoadEncoder, type Model, type ModelLike } from "./model.ts";
import { ProgressReport } from "./progress.ts";
import type { Residence } from "./residence.ts";
import { HEAD_OF_TASK, taskNamed, type PipelineType, type TaskName } from "./tasks.ts";
import { classifyTexts, type TextClassificationPipeline } from "./text-classification.ts";
import { classifyTokens, type TokenClassificationPipeline } from "./token-classification.ts";

/** The pipeline of each task name. */
export interface PipelineOf {
  "token-classification": TokenClassificationPipeline;
  ner: TokenClassificationPipeline;
  "text-classification": TextClassificationPipeline;
  "sentiment-analysis": TextClassificationPipeline;
  "feature-extraction": FeatureExtractionPipeline;
  embeddings: FeatureExtractionPipeline;
}

/** `pipeline` of the package's entries, which differ in how they load an encoder. */
export async function makePipelineOf<Task extends PipelineType>(load: LoadEncoder, task: Task, model: ModelLike, options: PipelineOptions | null): Promise<PipelineOf[Task]> {
  const name = taskNamed(task);
  const given = options ?? {};
  checkPipelineOptions(given);
  const wanted = modelOf(model, given);
  checkAdapter(name, wanted);
  const report = given.progress_callback == null ? null : new ProgressReport(given.progress_callback);
  const residence = await residenceFor(load, wanted.encoder, given, report);
  // From here on the encoder has one user more, whether what follows goes well or not.
  residence.enter();
  try {
    requireLive(residence.encoder);
    const adapter = wanted.adapter === null ? null : await addAdapter(residence.encoder, wanted.adapter, given, report);
    if (adapter !== null) await checkHead(residence.encoder, adapter, name);
    const made = make(name, residence, adapter);
    try {
      report?.ready(name, nameOf(wanted));
    } catch (error) {
      // The callback's: its caller gets no pipeline that could be disposed of.
      await made.dispose();
      throw error;
    }
    return made as Pipeline as PipelineOf[Task];
  } finally {
    residence.leave();
  }
}

function make(task: TaskName, residence: Residence, adapter: string | null): Pipeline {
  switch (task) {
    case "token-classification":
      return makePipeline(task, residence, adapter, (texts, options) => classifyTokens(residence, adapter!, texts, options));
    case "text-classification":
      return makePipeline(task, residence, adapter, (texts, options) => classifyTexts(residence, adapter!, texts, options));
    case "feature-extraction":
      return makePipeline(task, residence, adapter, (texts, options) => extractFeatures(residence, adapter, texts, options));
  }
}

function checkAdapter(task: TaskName, { adapter }: Model): void {
  if (adapter !== null || !HEAD_OF_TASK.has(task)) return;
  throw new RootstockError("argument-invalid", `"${task}" needs an adapter with a head: pipeline("${task}", encoderFolder, { adapter: adapterFolder }).`);
}

/** Takes an adapter off again whose head is for another task. */
async function checkHead(encoder: Encoder, adapter: string, task: TaskName): Promise<void> {
  const wanted = HEAD_OF_TASK.get(task);
  const kind = encoder.info.tasks.find(({ name }) => name === adapter)?.kind ?? null;
  if (wanted === undefined || kind === wanted) return;
  await encoder.removeAdapter(adapter);
  const fit = [...HEAD_OF_TASK].find(([, head]) => head === kind)?.[0] ?? "feature-extraction";
  throw new RootstockError("argument-invalid", `the adapter's head is not for "${task}"; use pipeline("${fit}", …) with it.`);
}
