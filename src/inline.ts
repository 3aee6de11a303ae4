/** `rootstock/inline`: the same, with the kernels inside the code, for bundlers that lose files and for single files. */
import { Encoder } from "./runtime/encoder.ts";
import { int8Parts, loadParts } from "./runtime/load-encoder.ts";
import type { LoadOptions, SourceLike } from "./runtime/options.ts";
import { readInline } from "./wasm/inline.ts";

export * from "./api.ts";
export { assetSource } from "./load/asset-source.ts";
export type { Fetcher } from "./load/asset-source.ts";

/** As `loadEncoder` of `rootstock`, and its errors. */
export async function loadEncoder(source: SourceLike, options: LoadOptions = {}): Promise<Encoder> {
  return new Encoder(await loadParts(source, options, int8Parts(readInline)));
}
