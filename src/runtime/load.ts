import { Encoder } from "./encoder.ts";
import { readBeside } from "../wasm/beside.ts";
import { int8Parts, loadParts } from "./load-encoder.ts";
import type { LoadOptions, SourceLike } from "./options.ts";

/** Kernels from the files beside the package's code. */
export const INT8_PARTS = int8Parts(readBeside);

/**
 * Loads an encoder folder: Hugging Face's own form (BERT, DistilBERT, RoBERTa, XLM-R, ALBERT, ELECTRA in F32, F16 or
 * BF16, quantised while it is read), or the form that `rootstock convert` writes (copied as it is).
 *
 * @param source a path, a URL, a map of file names to bytes, or an object with `open(file)`
 * @throws RootstockError `argument-invalid`; `source-missing`, `source-unreadable`, `source-truncated`,
 *   `digest-mismatch`, `not-a-model`, `json-invalid`, `header-invalid`, `limit-exceeded`, `format-version`,
 *   `config-invalid`, `family-unsupported`, the `tensor-…` codes, `tokenizer-invalid` for the files (docs/format.md);
 *   `simd-unsupported`, `engine-fault`, `no-memory-left` for the engine
 */
export async function loadEncoder(source: SourceLike, options: LoadOptions = {}): Promise<Encoder> {
  return new Encoder(await loadParts(source, options, INT8_PARTS));
}
