import { RootstockError } from "../errors.ts";
import { toFloat32 } from "../format/floats.ts";
import { readLabels, readLabelTable, type LabelTable } from "../format/labels.ts";
import { readEncoderFingerprint, UNKNOWN_FINGERPRINT } from "../format/manifest.ts";
import { readPeftConfig, type PeftConfig } from "../format/peft-config.ts";
import { resolveAdapter } from "../format/peft.ts";
import { parseSafetensorsHeader } from "../format/safetensors.ts";
import type { AdapterDescription, FloatDtype, ProblemType, TensorInfo } from "../format/types.ts";
import { MAX_CONFIG_BYTES, MAX_HEADER_BYTES, MAX_LABEL_FILE_BYTES } from "../limits.ts";
import { toSource, type Source, type SourceLike } from "../load/source.ts";
import { adapterNumbers, type AdapterNumbers } from "../model/adapter.ts";
import { overBudget } from "../model/adapter-store.ts";
import type { Pace } from "./event-loop.ts";
import { readFile, readOptionalFile } from "./files.ts";
import type { LoadedEncoder } from "./load-encoder.ts";
import { checkStrings, type AdapterOptions } from "./options.ts";

/** An adapter that was read and checked. */
export interface ReadAdapter {
  readonly numbers: AdapterNumbers;
  /** Empty for an adapter without a head. */
  readonly labels: readonly string[];
  readonly problemType: ProblemType | undefined;
}

const WEIGHTS = "adapter_model.safetensors";

/** A PEFT folder that fits the encoder, and its tensors. */
export interface PeftFolder {
  readonly location: string;
  readonly config: PeftConfig;
  readonly description: AdapterDescription;
  /** What config.json says of the labels, as far as the head uses it; null without one. */
  readonly table: LabelTable | null;
  /** adapter_model.safetensors, and where its tensors lie in it. */
  readonly bytes: Uint8Array;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** A tensor of the file as f32. */
  read(tensor: TensorInfo): Float32Array;
}

/** Reads a PEFT folder and checks it against the encoder; nothing of the encoder is touched. The event loop has its turns, as `pace` says. */
export async function loadAdapter(loaded: LoadedEncoder, given: SourceLike, options: AdapterOptions, pace: Pace): Promise<ReadAdapter> {
  const { signal } = options;
  signal?.throwIfAborted();
  if (options.labels !== undefined) checkStrings(options.labels, "labels");
  const { description, table, location, read } = await readPeftFolder(loaded, given, signal, options.labels !== undefined);
  const labels = description.head === null ? [] : readLabels(options.labels, table, description.head.labels, location);
  const { memory, plan } = loaded.machine;
  const steps = adapterNumbers({ memory, plan, format: loaded.format }, description, read);
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) {
    if (!pace.isDue) continue;
    await pace.turn();
    signal?.throwIfAborted();
  }
  return { numbers: step.value, labels, problemType: table?.problemType };
}

/**
 * @param hasLabels labels are given, so those of config.json are not read
 * @throws RootstockError as `loadAdapter`, but for the number of labels.
 */
export async function readPeftFolder(loaded: LoadedEncoder, given: SourceLike, signal: AbortSignal | undefined, hasLabels = false): Promise<PeftFolder> {
  const source = toSource(given);
  const small = { signal, limit: MAX_CONFIG_BYTES };
  const config = readPeftConfig(await readFile(source, "adapter_config.json", small));
  const labelFile = await readOptionalFile(source, "config.json", { signal, limit: MAX_LABEL_FILE_BYTES });

  const bytes = await readWeights(source, loaded.pool.budget, signal);
  const { plan } = loaded.machine;
  const file = parseSafetensorsHeader(bytes, bytes.length, WEIGHTS);
  checkFingerprint(readEncoderFingerprint(file.metadata, WEIGHTS), loaded.fingerprint);
  const description = resolveAdapter(config, plan.config, file.tensors);
  // Before anything is computed: what its tensors take as F32 is the least that it takes in the pool.
  let least = 0;
  for (const { shape } of file.tensors.values()) least += 4 * shape.reduce((count, size) => count * size, 1);
  if (least > loaded.pool.budget) throw overBudget(least, loaded.pool.budget);
  const { head } = description;
  return {
    location: source.location,
    config,
    description,
    table: labelFile === null || head === null ? null : readLabelTable(labelFile, { labels: !hasLabels, problemType: head.kind === "sequence" }),
    bytes,
    tensors: file.tensors,
    read: (tensor) => toFloat32(bytes.subarray(tensor.start, tensor.end), tensor.dtype as FloatDtype),
  };
}

/** The pool holds F32, at least what an adapter takes in its file: a file over the budget cannot fit and is not read to its end. */
async function readWeights(source: Source, budget: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    return await readFile(source, WEIGHTS, { signal, limit: budget + MAX_HEADER_BYTES });
  } catch (cause) {
    if (!(cause instanceof RootstockError) || cause.code !== "limit-exceeded") throw cause;
    throw new RootstockError(
      "no-memory-left",
      `${WEIGHTS} of ${source.location} has more than the whole adapter budget of ${budget}. Load the encoder with a larger adapterBudget.`,
      { cause },
    );
  }
}

/** An adapter may name the encoder it was trained on (PEFT's own files name none). Where nothing can hash, nobody knows this one's. */
function checkFingerprint(wanted: string | null, own: string): void {
  if (wanted === null || wanted === own || own === UNKNOWN_FINGERPRINT) return;
  throw new RootstockError(
    "adapter-mismatch",
    `the adapter was trained on the encoder ${wanted} and this one is ${own}. Load the encoder it was trained on, or train it again on this one.`,
  );
}
