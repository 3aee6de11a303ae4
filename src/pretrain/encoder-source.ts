import { RootstockError } from "../errors.ts";
import { readEncoderConfig } from "../format/encoder-config.ts";
import { allModules } from "../format/encoder-modules.ts";
import { resolveEncoderTensors } from "../format/encoder-tensors.ts";
import { toFloat32 } from "../format/floats.ts";
import { MANIFEST_NAME, PIECE_BYTES, UNKNOWN_FINGERPRINT } from "../format/manifest.ts";
import { parseSafetensorsHeader } from "../format/safetensors.ts";
import type { EncoderConfig, Fingerprint, FloatDtype, TensorInfo } from "../format/types.ts";
import { MAX_CONFIG_BYTES, MAX_TOKENIZER_BYTES } from "../limits.ts";
import { canHash, sha256 } from "../load/byte-reader.ts";
import { toSource, type SourceLike } from "../load/source.ts";
import { finite } from "../model/finite.ts";
import { readFile, readOptionalFile } from "../runtime/files.ts";
import { fingerprintOf } from "../runtime/load-encoder.ts";
import { makeTokenizer } from "../runtime/read-tokenizer.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import type { TrainMachine } from "../train/machine.ts";
import { BACKBONE } from "../train/full-model.ts";
import { writeParameter, type Parameters } from "../train/parameters.ts";

/** Most bytes of an encoder's weights: more could not be trained in 2 GiB. */
const MAX_WEIGHT_BYTES = 2 ** 31;

/** Files of a tokenizer that transformers and this library read, copied as they are. */
const TOKENIZER_FILES = [
  "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt",
  "sentencepiece.bpe.model", "spiece.model",
];

/** An encoder to begin with: a Hugging Face folder in memory. */
export interface StartEncoder {
  readonly config: EncoderConfig;
  readonly tokenizer: TextTokenizer;
  /** `sha256:` and 64 digits, of the weights' file. */
  readonly fingerprint: string;
  /** config.json and the tokenizer's files. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** model.safetensors */
  readonly weights: Uint8Array;
  /** A tensor's values by its path in the bare model; null for a pooler that is not there. */
  read(path: string): Float32Array | null;
}

/**
 * Reads an encoder folder in Hugging Face's own form.
 * @throws RootstockError `argument-invalid` for a converted folder, `source-missing` (tokenizer.json too), and those of reading and checking its files.
 */
export async function readStartEncoder(given: SourceLike, signal: AbortSignal | undefined): Promise<StartEncoder> {
  const source = toSource(given);
  const small = { signal, limit: MAX_CONFIG_BYTES };
  if ((await readOptionalFile(source, MANIFEST_NAME, small)) !== null) {
    throw new RootstockError("argument-invalid", `${source.location} is a converted encoder, whose weights are rounded. Give the folder that it was converted from.`);
  }
  const files = new Map([["config.json", await readFile(source, "config.json", small)]]);
  for (const name of TOKENIZER_FILES) {
    const bytes = await readOptionalFile(source, name, { signal, limit: MAX_TOKENIZER_BYTES });
    if (bytes !== null) files.set(name, bytes);
  }
  const config = readEncoderConfig(files.get("config.json")!);
  const tokenizerJson = files.get("tokenizer.json");
  const tokenizer = makeTokenizer(tokenizerJson === undefined ? null : { tokenizer: tokenizerJson, config: files.get("tokenizer_config.json") ?? null }, config);
  if (tokenizer === null) throw new RootstockError("source-missing", `tokenizer.json is not in ${source.location}. Rows are texts, and need it.`);
  const weights = await readFile(source, "model.safetensors", { signal, limit: MAX_WEIGHT_BYTES });
  const tensors = tensorsByPath(config, weights);
  return {
    config, tokenizer, files, weights,
    fingerprint: await fingerprint(weights),
    read(path) {
      const tensor = tensors.get(path);
      return tensor === undefined ? null : finite(toFloat32(weights.subarray(tensor.start, tensor.end), tensor.dtype as FloatDtype), tensor);
    },
  };
}

/** Of a weights file, as `loadEncoder` takes it: SHA-256 over those of 4 MiB pieces. All zeros where nothing can hash. */
export async function fingerprint(weights: Uint8Array): Promise<Fingerprint> {
  if (!canHash()) return UNKNOWN_FINGERPRINT;
  const digests: string[] = [];
  for (let from = 0; from < weights.length; from += PIECE_BYTES) digests.push(await sha256(weights.slice(from, from + PIECE_BYTES)));
  return `sha256:${await fingerprintOf(digests)}`;
}

/** SHA-256 of the encoder's configuration and tokenizer: over names and SHA-256 of each file. Empty where nothing can hash. */
export async function digestOfFiles(files: StartEncoder["files"]): Promise<string> {
  if (!canHash()) return "";
  const lines = await Promise.all(Array.from(files, async ([name, bytes]) => `${await sha256(bytes.slice())}  ${name}\n`));
  return `sha256:${await sha256(new TextEncoder().encode(lines.join("")))}`;
}

function tensorsByPath(config: EncoderConfig, bytes: Uint8Array): Map<string, TensorInfo> {
  const file = parseSafetensorsHeader(bytes, bytes.length, "model.safetensors");
  const { tensors } = resolveEncoderTensors(config, file.tensors);
  const byPath = new Map<string, TensorInfo>();
  for (const { name, path } of allModules(config)) {
    for (const suffix of ["weight", "bias"]) {
      const tensor = tensors.get(`${name}.${suffix}`);
      if (tensor !== undefined) byPath.set(`${path}.${suffix}`, tensor);
    }
  }
  return byPath;
}

/** Writes the encoder's values to the backbone's tensors. */
export function fillBackbone(machine: TrainMachine, parameters: Parameters, encoder: StartEncoder): void {
  for (const parameter of parameters.all()) {
    if (!parameter.name.startsWith(`${BACKBONE}/`)) continue;
    writeParameter(machine, parameter, "value", encoder.read(parameter.name.slice(BACKBONE.length + 1))!);
  }
}
