import { RootstockError } from "../errors.ts";
import { toFloat32 } from "../format/floats.ts";
import { readLabels, readLabelTable } from "../format/labels.ts";
import { readEncoderFingerprint } from "../format/manifest.ts";
import { readPeftConfig } from "../format/peft-config.ts";
import { resolveAdapter } from "../format/peft.ts";
import { parseSafetensorsHeader } from "../format/safetensors.ts";
import type { ProblemType, TensorInfo } from "../format/types.ts";
import { MAX_CONFIG_BYTES, MAX_HEADER_BYTES } from "../limits.ts";
import { toSource, type Source, type SourceLike } from "../load/source.ts";
import { adapterNumbers, type AdapterNumbers } from "../model/adapter.ts";
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

/** Reads a PEFT folder and checks it against the encoder; nothing of the encoder is touched. */
export async function loadAdapter(loaded: LoadedEncoder, given: SourceLike, options: AdapterOptions): Promise<ReadAdapter> {
  const { signal } = options;
  signal?.throwIfAborted();
  if (options.labels !== undefined) checkStrings(options.labels, "labels");
  const source = toSource(given);
  const small = { signal, limit: MAX_CONFIG_BYTES };
  const config = readPeftConfig(await readFile(source, "adapter_config.json", small));
  const labelFile = await readOptionalFile(source, "config.json", small);

  const bytes = await readWeights(source, loaded.pool.budget, signal);
  const { plan } = loaded.machine;
  const file = parseSafetensorsHeader(bytes, bytes.length, WEIGHTS);
  checkFingerprint(readEncoderFingerprint(file.metadata, WEIGHTS), loaded.fingerprint);
  const description = resolveAdapter(config, plan.config, file.tensors);
  const table = labelFile === null ? null : readLabelTable(labelFile);
  const labels = description.head === null ? [] : readLabels(options.labels, table, description.head.labels, source.location);
  const read = (tensor: TensorInfo): Float32Array =>
    toFloat32(bytes.subarray(tensor.start, tensor.end), tensor.dtype as "F32" | "F16" | "BF16");
  const { memory } = loaded.machine;
  return {
    numbers: adapterNumbers({ memory, plan, format: loaded.format }, description, read),
    labels,
    problemType: table?.problemType,
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
      `${WEIGHTS} of ${source.location} is larger than the whole adapter budget of ${budget} bytes. Load the encoder with a larger adapterBudget.`,
      { cause },
    );
  }
}

/** An adapter may name the encoder it was trained on (PEFT's own files name none). */
function checkFingerprint(wanted: string | null, own: string): void {
  if (wanted === null || wanted === own) return;
  throw new RootstockError(
    "adapter-mismatch",
    `the adapter was trained on the encoder ${wanted} and this one is ${own}. Load the encoder it was trained on, or train it again on this one.`,
  );
}
