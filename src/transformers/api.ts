/** What both entries of `rootstock/transformers` share. */
export { env } from "./env.ts";
export type { Environment } from "./env.ts";
export { Tensor } from "./tensor.ts";
export { cos_sim, dot } from "./similarity.ts";
export type { PipelineOf } from "./pipeline.ts";
export type { PipelineOptions } from "./construction-options.ts";
export type { EncoderLike, EncoderWithAdapter, ModelLike } from "./model.ts";
export type { Pipeline } from "./made-pipeline.ts";
export type { PipelineType, TaskName } from "./tasks.ts";
export type { FileProgress, ProgressCallback, ProgressInfo } from "./progress.ts";
export type { TensorData } from "./tensor.ts";
export type { TokenEntity, TokenEntityGroup, TokenClassificationOptions, TokenClassificationOutput, TokenClassificationPipeline } from "./token-classification.ts";
export type { TextClassificationOptions, TextClassificationOutput, TextClassificationPipeline } from "./text-classification.ts";
export type { FeatureExtractionOptions, FeatureExtractionOutput, FeatureExtractionPipeline } from "./feature-extraction.ts";
export { RootstockError } from "../errors.ts";
export type { ErrorCode } from "../errors.ts";
