import { RootstockError } from "../errors.ts";
import { readEncoderConfig } from "../format/encoder-config.ts";
import { PIECE_BYTES, readManifest, MANIFEST_NAME } from "../format/manifest.ts";
import { writeSafetensors } from "../format/safetensors-writer.ts";
import type { Manifest, ManifestFile, QuantizationValue, SentenceConfig } from "../format/types.ts";
import { MAX_CONFIG_BYTES, MAX_TOKENIZER_BYTES } from "../limits.ts";
import { sha256 } from "../load/byte-reader.ts";
import { toSource, type Source, type SourceLike } from "../load/source.ts";
import { placements } from "../model/placements.ts";
import { readFile, readOptionalFile } from "../runtime/files.ts";
import { INT8_PARTS } from "../runtime/load.ts";
import { readSentence } from "../runtime/read-sentence.ts";
import { loadParts, type LoadedEncoder } from "../runtime/load-encoder.ts";
import { checkInteger } from "../runtime/options.ts";
import { calibrate } from "./calibrate.ts";
import { MAX_WEIGHTS_BYTES, recut, withManifest } from "./parts.ts";
import { BLOCK_ALIGNMENT } from "../wasm/pool.ts";
import { floatLinearBytes } from "./streams.ts";
import { checkEmptyTarget, writeFolder, type FileToWrite } from "./write-folder.ts";

export interface ConvertProgress {
  readonly stage: "read" | "calibrate" | "write";
  readonly done: number;
  readonly total: number;
}

export interface ConvertOptions {
  /** Texts like those the encoder will meet, for error-compensated rounding; 250 to 1,000 are enough. */
  readonly calibrate?: readonly string[];
  /**
   * Cut the weights file into parts of this many bytes (static assets of Workers: at most 25 MiB each). With it alone, a
   * converted folder may be the source: it is copied, and its weights cut.
   */
  readonly partBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ConvertProgress) => void;
}

const WEIGHTS = "model.safetensors";
/** Files that go along unchanged where the source has them. */
const COMPANIONS = ["config.json", "tokenizer.json", "tokenizer_config.json"];

/**
 * Writes an encoder folder's converted form: weights rounded and in the kernels' order, so that loading copies bytes;
 * config.json and the tokenizer as they are; rootstock.json with sizes, SHA-256, and what files of sentence-transformers say.
 *
 * @throws RootstockError those of loading; `argument-invalid` when the source is converted already or the target is
 *   not empty; `target-unwritable`. The target is whole or untouched.
 */
export async function convertEncoder(given: SourceLike, target: string, options: ConvertOptions = {}): Promise<void> {
  const { signal, onProgress } = options;
  checkEmptyTarget(target); // calibration takes minutes
  const source = toSource(given);
  const { partBytes } = options;
  if (partBytes !== undefined) checkInteger(partBytes, "partBytes", 1, MAX_WEIGHTS_BYTES);
  const manifest = await readOptionalFile(source, MANIFEST_NAME, { signal, limit: MAX_CONFIG_BYTES });
  if (manifest !== null) {
    if (partBytes === undefined || options.calibrate !== undefined) {
      throw new RootstockError("argument-invalid", `${source.location} is converted already. Give the original folder.`);
    }
    return writeFolder(target, await recut(source, readManifest(manifest), WEIGHTS, partBytes, signal));
  }
  const folder = new Map<string, Uint8Array>();
  for (const name of COMPANIONS) {
    const bytes = await readOptionalFile(source, name, { signal, limit: MAX_TOKENIZER_BYTES });
    if (bytes !== null) folder.set(name, bytes);
  }
  if (options.calibrate !== undefined) folder.set(WEIGHTS, await readWeights(source, signal));
  const adapterBudget = options.calibrate === undefined ? 0 : calibrationBytes(folder.get("config.json"));
  const loaded = await loadParts(withWeights(folder, source), { ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}), adapterBudget }, INT8_PARTS);
  const sentence = await readSentence(source, loaded.machine.plan.config.family, folder.get("tokenizer_config.json") ?? null, signal);
  const report = options.calibrate === undefined
    ? new Map<string, QuantizationValue>([["method", "plain"]])
    : await calibrate(loaded, folder.get(WEIGHTS)!, options.calibrate, options); // prettier-ignore
  signal?.throwIfAborted();
  onProgress?.({ stage: "write", done: 0, total: 1 });
  folder.delete(WEIGHTS);
  writeFolder(target, await convertedFiles(loaded, folder, sentence, report, partBytes));
  onProgress?.({ stage: "write", done: 1, total: 1 });
}

/** Room for the largest linear layer in float32, which calibration has beside the encoder one at a time; each has `hidden` at one side. */
function calibrationBytes(configJson: Uint8Array | undefined): number {
  if (configJson === undefined) return 0; // loading says that it is not there
  const { hidden, intermediate, embeddingSize } = readEncoderConfig(configJson);
  return Math.max(...[hidden, intermediate, embeddingSize].flatMap((width) => [floatLinearBytes(hidden, width), floatLinearBytes(width, hidden)])) + BLOCK_ALIGNMENT;
}

/** The files in memory; weights that are not among them come from the source as they are read. */
function withWeights(folder: ReadonlyMap<string, Uint8Array>, source: Source): Source {
  const held = toSource(folder);
  return { location: source.location, open: (name, options) => (name === WEIGHTS && !folder.has(name) ? source : held).open(name, options) };
}

/** Calibration reads tensors in its own order, again and again. */
async function readWeights(source: Source, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    return await readFile(source, WEIGHTS, { signal, limit: MAX_WEIGHTS_BYTES });
  } catch (cause) {
    if (!(cause instanceof RootstockError) || cause.code !== "limit-exceeded") throw cause;
    throw new RootstockError(
      "limit-exceeded",
      `${WEIGHTS} of ${source.location} is larger than ${MAX_WEIGHTS_BYTES} bytes, the most that are calibrated. Save it in F16, or convert it without calibration.`,
      { cause },
    );
  }
}

async function convertedFiles(
  loaded: LoadedEncoder,
  companions: ReadonlyMap<string, Uint8Array>,
  sentence: SentenceConfig | null,
  quantization: ReadonlyMap<string, QuantizationValue>,
  partBytes: number | undefined,
): Promise<FileToWrite[]> {
  const { memory, plan } = loaded.machine;
  const tensors = placements(plan).map(({ name, dtype, shape, address, bytes }) => ({ name, dtype, shape, data: memory.octets(address, bytes) }));
  const { header, parts } = writeSafetensors(tensors, new Map([["format", "rootstock"]]));
  const files: FileToWrite[] = [...companions].map(([name, bytes]) => ({ name, parts: [bytes] }));
  files.push({ name: WEIGHTS, parts: [header, ...parts] });
  const listed = new Map<string, ManifestFile>();
  for (const { name, parts } of files) listed.set(name, await describe(parts));
  const manifest: Manifest = { format: 1, fingerprint: loaded.fingerprint, files: listed, ...(sentence === null ? {} : { sentence }), quantization };
  return withManifest(files, manifest, WEIGHTS, partBytes);
}

/** Size and SHA-256 of a file, and of its pieces where it has more than one. */
async function describe(parts: readonly Uint8Array[]): Promise<ManifestFile> {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  const digest = await sha256(whole);
  if (size <= PIECE_BYTES) return { size, sha256: digest };
  const pieces: string[] = [];
  for (let from = 0; from < size; from += PIECE_BYTES) pieces.push(await sha256(whole.subarray(from, from + PIECE_BYTES)));
  return { size, sha256: digest, pieces: { bytes: PIECE_BYTES, sha256: pieces } };
}
