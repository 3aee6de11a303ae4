import { RootstockError } from "../errors.ts";
import { toSource, type Source, type SourceLike } from "../load/source.ts";
import { Encoder } from "../runtime/encoder.ts";
import type { LoadOptions } from "../runtime/options.ts";
import { signalOption } from "./call-options.ts";
import { checkLocal, type PipelineOptions } from "./construction-options.ts";
import { notDownloaded } from "./hub-name.ts";
import type { Pipeline } from "./made-pipeline.ts";
import type { ProgressReport } from "./progress.ts";
import { Residence, residenceOf } from "./residence.ts";

/** An encoder's folder; or an encoder that is in memory already: one that `loadEncoder` gave, or another pipeline's. */
export type EncoderLike = SourceLike | Encoder | Pipeline;

/** What `pipeline` takes as its model: an encoder, alone or with the adapter's folder. */
export type ModelLike = EncoderLike | EncoderWithAdapter;

export interface EncoderWithAdapter {
  readonly encoder: EncoderLike;
  readonly adapter?: SourceLike | null | undefined;
}

/** `loadEncoder` of one of the package's entries. */
export type LoadEncoder = (source: SourceLike, options: LoadOptions) => Promise<Encoder>;

/** What is to be loaded, checked as far as it can be before anything is read. */
export interface Model {
  readonly encoder: EncoderLike;
  readonly adapter: SourceLike | null;
}

/** @throws RootstockError `argument-invalid`. */
export function modelOf(given: ModelLike | null | undefined, options: PipelineOptions): Model {
  if (given == null || given === "") throw new RootstockError("argument-invalid", "give a model: the path or URL of an encoder's folder. There is no default one.");
  const model: EncoderWithAdapter = isPair(given) ? given : { encoder: given };
  if (model.adapter != null && options.adapter != null) throw new RootstockError("argument-invalid", "the adapter is given twice, in the model and in the options. Give it once.");
  const adapter = model.adapter ?? options.adapter ?? null;
  for (const source of [model.encoder, adapter]) checkLocal(source, options);
  if (isInMemory(model.encoder) && options.load != null) {
    throw new RootstockError("argument-invalid", "load is for an encoder that this pipeline loads, and it is in memory already. Leave it out.");
  }
  return { encoder: model.encoder, adapter };
}

/** An encoder in memory: the one that was given, or a new one. */
export async function residenceFor(load: LoadEncoder, encoder: EncoderLike, options: PipelineOptions, report: ProgressReport | null): Promise<Residence> {
  const shared = residenceOf(encoder);
  if (shared !== undefined) return shared;
  if (encoder instanceof Encoder) return new Residence(encoder, false);
  const source = watched(encoder as SourceLike, "", report);
  try {
    return new Residence(await load(source, { ...options.load, ...signalOption(options.signal) }), true);
  } catch (error) {
    throw notDownloaded(error, encoder);
  }
}

/** Adds an adapter under the first name that is free, and gives the name. */
export async function addAdapter(encoder: Encoder, adapter: SourceLike, options: PipelineOptions, report: ProgressReport | null): Promise<string> {
  const source = watched(adapter, "adapter/", report);
  for (let number = 1; ; number++) {
    const name = `pipeline-${number}`;
    try {
      await encoder.addAdapter(name, source, { ...signalOption(options.signal), ...(options.labels == null ? {} : { labels: options.labels }) });
      return name;
    } catch (error) {
      // It says so before it reads anything. Others may be adding theirs at this moment, so there is no asking first.
      if (!(error instanceof RootstockError && error.code === "task-exists")) throw notDownloaded(error, adapter);
    }
  }
}

/** How messages and progress name a model. */
export function nameOf({ encoder }: Model): string {
  return isInMemory(encoder) ? "the given encoder" : toSource(encoder).location;
}

function isInMemory(encoder: EncoderLike): encoder is Encoder | Pipeline {
  return encoder instanceof Encoder || residenceOf(encoder) !== undefined;
}

/** A map of files has bytes under its names, and a source has `open`. */
function isPair(given: ModelLike): given is EncoderWithAdapter {
  if (typeof given !== "object" || given instanceof Map || given instanceof URL || !("encoder" in given)) return false;
  return !(given.encoder instanceof Uint8Array) && typeof (given as Partial<Source>).open !== "function";
}

function watched(given: SourceLike, prefix: string, report: ProgressReport | null): Source {
  const source = toSource(given);
  return report === null ? source : report.watch(source, prefix);
}
