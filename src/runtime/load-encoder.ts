import { RootstockError } from "../errors.ts";
import { readEncoderConfig } from "../format/encoder-config.ts";
import { resolveEncoderTensors } from "../format/encoder-tensors.ts";
import { MANIFEST_NAME, PIECE_BYTES, readManifest, UNKNOWN_FINGERPRINT } from "../format/manifest.ts";
import type { EncoderTensors, Fingerprint, Manifest, ManifestFile, SentenceConfig } from "../format/types.ts";
import { MAX_CONFIG_BYTES, MAX_LABELS, MAX_PIECE_BYTES } from "../limits.ts";
import { ByteReader, canHash, readWhole, sha256 } from "../load/byte-reader.ts";
import { heldFile, toSource, type OpenFile, type Source, type SourceLike } from "../load/source.ts";
import { int8Format } from "../model/int8.ts";
import { placements } from "../model/placements.ts";
import { planEncoder, type EncoderPlan } from "../model/plan.ts";
import { checkPlaces, copyTensors, quantizeTensors, readHeader } from "../model/read-weights.ts";
import type { WeightFormat } from "../model/weight-format.ts";
import { ownOptions } from "../own-options.ts";
import type { Machine } from "../run/forward.ts";
import { planWorkspace } from "../run/workspace.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import type { OwnBinary } from "../wasm/binaries.ts";
import { checksum } from "../wasm/checksum.ts";
import { engineLayout, startEngine, withFasterProduct, type Engine, type EngineOptions } from "../wasm/engine.ts";
import { heapFault } from "../wasm/fault.ts";
import type { Address } from "../wasm/kernels.ts";
import { LinearMemory } from "../wasm/memory.ts";
import { AdapterPool } from "../wasm/pool.ts";
import { checkSize, digestMismatch, orClose, readFile, readOptionalFile } from "./files.ts";
import { joinParts } from "./join-parts.ts";
import { checkChoice, checkInteger, DEFAULT_ADAPTER_BUDGET, DEFAULT_QUEUE_LIMIT, LOAD_OPTIONS, type LoadOptions } from "./options.ts";
import { readSentence } from "./read-sentence.ts";
import { makeTokenizer, readTokenizerFiles } from "./read-tokenizer.ts";

/** A pass holds at least this many token rows, so that short texts are batched and many adapters fan out at once. */
const MIN_PASS_ROWS = 768;

/** The most that one WebAssembly memory can hold beside an encoder. */
const MAX_ADAPTER_BUDGET = 2 ** 32 - 2 ** 26;

/** An encoder in memory: what `Encoder` wraps. */
export interface LoadedEncoder {
  readonly machine: Machine;
  readonly engine: Engine;
  readonly format: WeightFormat;
  readonly pool: AdapterPool;
  /** null when the folder has no tokenizer.json: input ids work, text does not. */
  readonly tokenizer: TextTokenizer | null;
  /** How the folder says that sentence vectors are made; null where it does not. */
  readonly sentence: SentenceConfig | null;
  readonly fingerprint: Fingerprint;
  /** Was the folder in the converted form? */
  readonly converted: boolean;
  /** Where the weights lie in linear memory, and what they were when they were loaded. */
  readonly weights: { readonly start: Address; readonly bytes: number; readonly checksum: number };
  /** Bytes of the forward pass's buffers. */
  readonly workspaceBytes: number;
  readonly queueLimit: number;
  readonly trunkCacheBytes: number;
}

/** Parts that tests replace: how weights are stored, and the kernels that go with it. */
export interface LoadParts {
  readonly format: WeightFormat;
  /** Bytes of one activation code as the widest `quantizeRows` writes it: relaxed 1, fixed 2. */
  readonly codeBytes: number;
  start(memory: LinearMemory, scratch: Address, options: EngineOptions): Promise<Engine>;
}

/** The int8 encoder. Where its kernels come from is all that the entries of the package differ in. */
export function int8Parts(own: OwnBinary): LoadParts {
  return { format: int8Format, codeBytes: 2, start: (memory, scratch, options) => startEngine(memory, scratch, options, own) };
}

/**
 * Reads an encoder folder, Hugging Face's own form (quantised while it is read) or a converted one (copied).
 * The weights go from the source into linear memory in chunks; nothing is ever held twice.
 */
export async function loadParts(
  place: SourceLike,
  given: LoadOptions,
  parts: LoadParts,
): Promise<LoadedEncoder> {
  const options = ownOptions(given, LOAD_OPTIONS);
  const { signal } = options;
  signal?.throwIfAborted();
  const folder = toSource(place);
  if (options.kernel !== undefined) checkChoice(options.kernel, "kernel", ["rel2", "rel1", "fixed"]);
  const budget = checkInteger(options.adapterBudget ?? DEFAULT_ADAPTER_BUDGET, "adapterBudget", 0, MAX_ADAPTER_BUDGET);
  const queueLimit = checkInteger(options.queueLimit ?? DEFAULT_QUEUE_LIMIT, "queueLimit", 1, 2 ** 20);
  const trunkCacheBytes = checkInteger(options.trunkCacheBytes ?? 0, "trunkCacheBytes", 0, Number.MAX_SAFE_INTEGER);
  const manifest = await openManifest(folder, signal);
  const source = manifest === null ? folder : joinParts(folder, manifest);
  const checked = options.verify === false ? null : manifest;
  const config = readEncoderConfig(await readFile(source, "config.json", { signal, limit: MAX_CONFIG_BYTES, manifest: checked }));
  const tokenizerFiles = await readTokenizerFiles(source, signal, checked);
  const sentence = manifest === null ? await readSentence(source, config.family, tokenizerFiles?.config ?? null, signal) : (manifest.sentence ?? null);

  const weights = await openWeights(source, manifest, options);
  try {
    const file = await readHeader(weights.reader, weights.size, "model.safetensors");
    const tensors = manifest === null ? resolveEncoderTensors(config, file.tensors) : null;
    const hasPooler = tensors?.pooler ?? file.tensors.has("pooler.panels");

    const { layout, scratch } = engineLayout();
    const work = planWorkspace(config, Math.max(config.maxPositions, MIN_PASS_ROWS), parts.codeBytes, MAX_LABELS, layout);
    const workspaceEnd = layout.end;
    const plan = planEncoder(config, hasPooler, parts.format, layout);
    if (tensors === null) checkPlaces(file, placements(plan));
    const memory = new LinearMemory(layout.end, layout.end + budget);
    const started = await parts.start(memory, scratch, { wasm: options.wasm, product: options.kernel, signal });

    await fillWeights(weights.reader, file, tensors, memory, plan, parts.format);
    // While the last pieces are hashed on other threads.
    const tokenizer = makeTokenizer(tokenizerFiles, config);
    const [start, bytes] = [workspaceEnd, layout.end - workspaceEnd];
    const sum = checksum(memory, start, bytes);
    const fingerprint = await weights.finish();
    const engine = withFasterProduct(started, scratch);
    return {
      machine: { kernels: engine.kernels, memory, plan, work },
      engine,
      format: parts.format,
      pool: new AdapterPool(memory, layout.end, budget),
      tokenizer,
      sentence,
      fingerprint,
      converted: manifest !== null,
      weights: { start, bytes, checksum: sum },
      workspaceBytes: workspaceEnd - scratch,
      queueLimit,
      trunkCacheBytes,
    };
  } catch (error) {
    throw heapFault(await weights.explain(error));
  } finally {
    await weights.reader.close();
  }
}

async function fillWeights(
  reader: ByteReader,
  file: Awaited<ReturnType<typeof readHeader>>,
  tensors: EncoderTensors | null,
  memory: LinearMemory,
  plan: EncoderPlan,
  format: WeightFormat,
): Promise<void> {
  if (tensors === null) await copyTensors(reader, file, memory, placements(plan));
  else await quantizeTensors(reader, file, tensors, memory, plan, format);
  await reader.expectEnd();
}

async function openManifest(source: Source, signal: AbortSignal | undefined): Promise<Manifest | null> {
  const bytes = await readOptionalFile(source, MANIFEST_NAME, { signal, limit: MAX_CONFIG_BYTES });
  return bytes === null ? null : readManifest(bytes);
}

/** Of errors that the bytes of a file can be the reason of. */
const CONTENT_CODES = /^(not-a-model|json-invalid|header-invalid|limit-exceeded|tensor-.+)$/;

interface OpenWeights {
  readonly reader: ByteReader;
  readonly size: number;
  /** Checks what was read against the manifest, or hashes it, and returns the encoder's fingerprint. */
  finish(): Promise<Fingerprint>;
  /** Of bytes that are refused for what they say: `digest-mismatch` when they are not those of the manifest, which is the reason then. */
  explain(error: unknown): Promise<unknown>;
}

async function openWeights(source: Source, manifest: Manifest | null, options: LoadOptions): Promise<OpenWeights> {
  const name = "model.safetensors";
  const { signal, onProgress } = options;
  const expected = manifest?.files.get(name);
  if (manifest !== null && expected === undefined) {
    throw new RootstockError("tensor-missing", `rootstock.json does not list ${name}. Convert the encoder again.`);
  }
  let file: OpenFile = await source.open(name, { signal });
  if (file.size === null && expected === undefined) {
    // The size is needed to check the header; a server that does not tell it makes us read first.
    file = heldFile(await readWhole(file, name, 2 ** 31, signal));
  }
  const size = file.size ?? expected!.size;
  const hashes = canHash() && (manifest === null || (options.verify !== false && !file.isChecked));
  if (expected !== undefined) await orClose(file, () => checkSize(name, size, expected.size));
  const pieceBytes = hashes ? await orClose(file, () => pieceBytesOf(name, size, expected)) : undefined;
  const reader = new ByteReader(file, {
    name,
    signal,
    pieceBytes,
    onBytes: onProgress && ((done) => onProgress({ stage: "read", done, total: size })),
  });
  const known = expected === undefined ? [] : (expected.pieces?.sha256 ?? [expected.sha256]);
  const differs = (digests: readonly string[]): boolean => digests.some((digest, i) => digest !== known[i]);
  return {
    reader,
    size,
    async finish() {
      const digests = await reader.digests();
      if (manifest === null) return hashes ? `sha256:${await fingerprintOf(digests)}` : UNKNOWN_FINGERPRINT;
      if (hashes && (digests.length !== known.length || differs(digests))) throw digestMismatch(name);
      return manifest.fingerprint;
    },
    async explain(error) {
      if (manifest === null || !hashes || !(error instanceof RootstockError) || !CONTENT_CODES.test(error.code)) return error;
      try {
        return differs(await reader.digestsSoFar()) ? digestMismatch(name) : error;
      } catch {
        return signal?.aborted ? signal.reason : error;
      }
    },
  };
}

/** A file is one piece unless its manifest says otherwise; no piece is longer than the file, whatever it says. */
function pieceBytesOf(name: string, size: number, expected: ManifestFile | undefined): number {
  const pieceBytes = Math.max(1, Math.min(expected === undefined ? PIECE_BYTES : (expected.pieces?.bytes ?? size), size));
  if (pieceBytes <= MAX_PIECE_BYTES) return pieceBytes;
  throw new RootstockError("limit-exceeded", `rootstock.json: ${name} in pieces of ${pieceBytes} bytes; at most ${MAX_PIECE_BYTES} are hashed at once. Convert the encoder again.`);
}

/** An encoder's fingerprint: SHA-256 over the hexadecimal SHA-256 of each 4 MiB piece of its source weights file. */
export async function fingerprintOf(pieces: readonly string[]): Promise<string> {
  return sha256(new TextEncoder().encode(pieces.join("")));
}
