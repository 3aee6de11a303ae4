/**
 * `rootstock` in workerd (Cloudflare Workers), which compiles no WebAssembly at run time: both kernels are imported as
 * modules, and the engine takes the one it can run.
 */
import fixed from "../build/wasm/fixed.wasm";
import relaxed from "../build/wasm/relaxed.wasm";
import { Encoder } from "./runtime/encoder.ts";
import { int8Parts, loadParts } from "./runtime/load-encoder.ts";
import type { LoadOptions, SourceLike } from "./runtime/options.ts";
import type { OwnBinary } from "./wasm/binaries.ts";

export * from "./api.ts";
export { assetSource } from "./load/asset-source.ts";
export type { Fetcher } from "./load/asset-source.ts";

const MODULES = { fixed, relaxed };
const importedModule: OwnBinary = async (name) => MODULES[name];

/** As `loadEncoder` of `rootstock`, and its errors. Call it within a request: Workers do no reading outside of one. */
export async function loadEncoder(source: SourceLike, options: LoadOptions = {}): Promise<Encoder> {
  return new Encoder(await loadParts(source, options, int8Parts(importedModule)));
}
