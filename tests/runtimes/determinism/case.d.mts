import type { Encoder, LoadOptions, SourceLike } from "../../../src/index.ts";
import type { CaseResult, Hashes } from "./golden.ts";

/** An entry of texts.json. */
export interface CaseText {
  readonly text: string;
  readonly ids: readonly number[];
}

export interface CaseHost {
  readonly loadEncoder: (source: SourceLike, options?: LoadOptions) => Promise<Encoder>;
  /** What to load for a folder of the project, as "models/mtpf-minilm-l6". */
  readonly source: (folder: string) => SourceLike;
  readonly load?: LoadOptions;
}

export interface ProductRun {
  add(texts: readonly CaseText[]): Promise<void>;
  end(): Promise<Hashes>;
  dispose(): void;
}

export const ADAPTERS: readonly string[];
export const KERNELS: readonly string[];
export function runCase(given: CaseHost & { readonly texts: readonly CaseText[]; readonly kernels?: readonly string[] }): Promise<CaseResult>;
export function openProduct(given: CaseHost): Promise<ProductRun | null>;
