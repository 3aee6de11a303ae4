import { RootstockError } from "../errors.ts";
import { toFloat32 } from "../format/floats.ts";
import { readLabels, readLabelTable } from "../format/labels.ts";
import { readEncoderFingerprint } from "../format/manifest.ts";
import { readPeftConfig } from "../format/peft-config.ts";
import { resolveAdapter } from "../format/peft.ts";
import { parseSafetensorsHeader } from "../format/safetensors.ts";
import type { ProblemType, TensorInfo } from "../format/types.ts";
import { MAX_CONFIG_BYTES, MAX_HEADER_BYTES } from "../limits.ts";
import { toSource, type SourceLike } from "../load/source.ts";
import { placeAdapter, type PlacedAdapter } from "../model/adapter.ts";
import { readFile, readOptionalFile } from "./files.ts";
import type { LoadedEncoder } from "./load-encoder.ts";
import type { AdapterOptions } from "./options.ts";

/** An adapter that was read and checked; `place` puts it into the pool. */
export interface ReadAdapter {
  readonly place: () => PlacedAdapter;
  /** Empty for an adapter without a head. */
  readonly labels: readonly string[];
  readonly problemType: ProblemType | undefined;
}

const WEIGHTS = "adapter_model.safetensors";

/** Reads a PEFT folder and checks it against the encoder; nothing of the encoder is touched before `place`. */
export async function loadAdapter(loaded: LoadedEncoder, given: SourceLike, options: AdapterOptions): Promise<ReadAdapter> {
  const { signal } = options;
  signal?.throwIfAborted();
  const source = toSource(given);
  const small = { signal, limit: MAX_CONFIG_BYTES };
  const config = readPeftConfig(await readFile(source, "adapter_config.json", small));
  const labelFile = await readOptionalFile(source, "config.json", small);

  // An adapter in F32 is at most twice its size in the file's F16, so a file over the budget cannot fit.
  const bytes = await readFile(source, WEIGHTS, { signal, limit: loaded.pool.budget + MAX_HEADER_BYTES });
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
    place: () => placeAdapter({ memory, pool: loaded.pool, plan, format: loaded.format }, description, read),
    labels,
    problemType: table?.problemType,
  };
}

/** An adapter may name the encoder it was trained on (PEFT's own files name none). */
function checkFingerprint(wanted: string | null, own: string): void {
  if (wanted === null || wanted === own) return;
  throw new RootstockError(
    "adapter-mismatch",
    `the adapter was trained on the encoder ${wanted} and this one is ${own}. Load the encoder it was trained on, or train it again on this one.`,
  );
}
