/** What every entry of the package exports; each adds its own `loadEncoder`. */
export { Encoder } from "./runtime/encoder.ts";
export type { EncoderInfo, TaskInfo } from "./runtime/info.ts";
export type { Results, TaskResult } from "./runtime/results.ts";
export type { Trunk } from "./runtime/trunk.ts";
export type { AdapterOptions, EmbedOptions, IdOptions, LoadOptions, Progress, RunOptions, TextOptions, TextRequest, TrunkOptions } from "./runtime/options.ts";
export type { FileMap, OpenFile, Source, SourceLike } from "./load/source.ts";
export type { KernelBinaries, KernelBinary } from "./wasm/binaries.ts";
export type { ProductKernel } from "./wasm/kernels.ts";
export type { Aggregation, Entity, EntityGroup } from "./heads/entities.ts";
export type { Classification } from "./heads/classify.ts";
export { RootstockError } from "./errors.ts";
export type { ErrorCode } from "./errors.ts";
