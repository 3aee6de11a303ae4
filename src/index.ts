/** Rootstock's public names. */
export { loadEncoder } from "./runtime/load.ts";
export { Encoder } from "./runtime/encoder.ts";
export type { EncoderInfo, Results, TaskInfo, TaskResult } from "./runtime/encoder.ts";
export type { AdapterOptions, EmbedOptions, IdOptions, LoadOptions, Progress, RunOptions, TextRequest } from "./runtime/options.ts";
export type { FileMap, OpenFile, Source, SourceLike } from "./load/source.ts";
export type { KernelBinaries, KernelBinary } from "./wasm/binaries.ts";
export type { ProductKernel } from "./wasm/kernels.ts";
export type { Aggregation, Entity, EntityGroup } from "./heads/entities.ts";
export type { Classification } from "./heads/classify.ts";
export { RootstockError } from "./errors.ts";
export type { ErrorCode } from "./errors.ts";
