/**
 * rootstock.json of a converted encoder: what its files must be, and which source weights they came from. An adapter names the
 * same fingerprint in its safetensors metadata when it was trained here.
 */

import { quote, RootstockError } from "../errors.ts";
import {
  field, parseJson, place, readBoolean, readChoice, readInteger, readList, readNumber, readObject, readString, type Place,
} from "./json.ts";
import { readSentenceConfig } from "./sentence-config.ts";
import { add, multiply } from "./sizes.ts";
import type { Fingerprint, Manifest, ManifestFile, ManifestPieces, QuantizationValue } from "./types.ts";

export const MANIFEST_NAME = "rootstock.json";
export const MANIFEST_FORMAT = 1;
/** Bytes of one hashed piece: small enough to check while the next one downloads. */
export const PIECE_BYTES = 4 << 20;
/** The key of an adapter's safetensors metadata that names the encoder it was trained on. */
export const ENCODER_FINGERPRINT_KEY = "rootstock_encoder";

const MAX_FILES = 64;
/** Of one file, and the most parts that it may lie in: 16 GiB in pieces of 4 MiB. */
export const MAX_PIECES = 4096;
/**
 * A plain name in the folder itself, on every system: no separators, no drive letter, no dot at either end (Windows drops the
 * last one), and none of the names that are devices there.
 */
const FILE_NAME = /^(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[a-z0-9](?:[a-z0-9._-]{0,126}[a-z0-9_-])?$/i;
const DIGEST = /^[0-9a-f]{64}$/;

type ValueReader = (value: unknown, at: Place) => QuantizationValue;
const readCount: ValueReader = (value, at) => readInteger(value, at, 0, Number.MAX_SAFE_INTEGER);
const readFigure: ValueReader = (value, at) => readNumber(value, at, -1e9, 1e9);

/** What the report on the rounding of the weights may say; other fields are left out. */
const QUANTIZATION_FIELDS: ReadonlyMap<string, ValueReader> = new Map<string, ValueReader>([
  ["method", (value, at) => readChoice(value, at, ["plain", "gptq"])],
  ["weightBits", readCount],
  ["activationBits", readCount],
  ["embeddingBits", readCount],
  ["calibrationTexts", readCount],
  ["calibrationTokens", readCount],
  ["calibrationDigest", readDigest],
  ["damping", readFigure],
  ["activationOrder", readBoolean],
  ["cosineMean", readFigure],
  ["cosineWorst", readFigure],
  ["relativeError", readFigure],
  ["converter", (value, at) => readString(value, at, 64)],
]);

function readDigest(value: unknown, at: Place): string {
  const digest = readString(value, at);
  if (!DIGEST.test(digest)) {
    throw new RootstockError(
      at.code,
      `${at.path}: expected 64 hexadecimal digits (lower case), found ${quote(digest)}.`,
    );
  }
  return digest;
}

/** `sha256:` and 64 hexadecimal digits. Throws `at.code`. */
export function readFingerprint(value: unknown, at: Place): Fingerprint {
  const text = readString(value, at);
  if (!text.startsWith("sha256:")) throw new RootstockError(at.code, `${at.path}: expected "sha256:…", found ${quote(text)}.`);
  return `sha256:${readDigest(text.slice("sha256:".length), at)}`;
}

/** Of an encoder that was loaded where nothing can hash (a page without a secure context): it names none, and is compared with none. */
export const UNKNOWN_FINGERPRINT: Fingerprint = `sha256:${"0".repeat(64)}`;

/** What an adapter's file says of the encoder that it was trained on. */
export function encoderMetadata(fingerprint: Fingerprint): readonly (readonly [string, string])[] {
  return fingerprint === UNKNOWN_FINGERPRINT ? [] : [[ENCODER_FINGERPRINT_KEY, fingerprint]];
}

/** The encoder that an adapter's file names; null when it names none. Throws `header-invalid`. */
export function readEncoderFingerprint(metadata: ReadonlyMap<string, string>, where: string): Fingerprint | null {
  const text = metadata.get(ENCODER_FINGERPRINT_KEY);
  return text === undefined ? null : readFingerprint(text, place(`${where}: __metadata__: ${ENCODER_FINGERPRINT_KEY}`, "header-invalid"));
}

function readPieces(value: unknown, size: number, at: Place): ManifestPieces {
  const fields = readObject(value, at);
  const bytes = readInteger(fields.get("bytes"), field(at, "bytes"), 1, Number.MAX_SAFE_INTEGER);
  const sha256 = readList(fields.get("sha256"), field(at, "sha256"), MAX_PIECES, readDigest);
  const covered = multiply(bytes, sha256.length, at.path);
  if (covered < size || covered >= add(size, bytes, at.path)) {
    throw new RootstockError(at.code, `${at.path}: ${sha256.length} pieces of ${bytes} bytes do not make ${size} bytes.`);
  }
  return { bytes, sha256 };
}

function readPartBytes(value: unknown, size: number, at: Place): number {
  return readInteger(value, at, Math.max(1, Math.ceil(size / MAX_PIECES)), Number.MAX_SAFE_INTEGER);
}

function readFile(value: unknown, at: Place): ManifestFile {
  const fields = readObject(value, at);
  const size = readInteger(fields.get("size"), field(at, "size"), 0, Number.MAX_SAFE_INTEGER);
  const sha256 = readDigest(fields.get("sha256"), field(at, "sha256"));
  const pieces = fields.get("pieces");
  const partBytes = fields.get("partBytes");
  return {
    size,
    sha256,
    ...(pieces === undefined ? {} : { pieces: readPieces(pieces, size, field(at, "pieces")) }),
    ...(partBytes === undefined ? {} : { partBytes: readPartBytes(partBytes, size, field(at, "partBytes")) }),
  };
}

function readFiles(value: unknown, at: Place): Map<string, ManifestFile> {
  const entries = readObject(value, at);
  if (entries.size > MAX_FILES) {
    throw new RootstockError(
      "limit-exceeded",
      `${at.path}: ${entries.size} files; at most ${MAX_FILES} are read.`,
    );
  }
  const files = new Map<string, ManifestFile>();
  for (const [name, entry] of entries) {
    if (!FILE_NAME.test(name)) {
      throw new RootstockError(
        at.code,
        `${at.path}: ${quote(name)} is not the name of a file in the folder itself.`,
      );
    }
    files.set(name, readFile(entry, field(at, name)));
  }
  return files;
}

function readQuantization(value: unknown, at: Place): Map<string, QuantizationValue> {
  const report = new Map<string, QuantizationValue>();
  const fields = value === undefined ? new Map<string, unknown>() : readObject(value, at);
  for (const [name, read] of QUANTIZATION_FIELDS) {
    if (fields.has(name)) report.set(name, read(fields.get(name), field(at, name)));
  }
  return report;
}

/** Reads rootstock.json. Throws `json-invalid`, `limit-exceeded`, `format-version`. */
export function readManifest(source: Uint8Array | string): Manifest {
  const at = place(MANIFEST_NAME);
  const fields = readObject(parseJson(source, { where: MANIFEST_NAME }), at);
  const format = readInteger(fields.get("format"), field(at, "format"), 1, Number.MAX_SAFE_INTEGER);
  if (format !== MANIFEST_FORMAT) {
    throw new RootstockError(
      "format-version",
      `${MANIFEST_NAME}: format ${format} is newer than the ${MANIFEST_FORMAT} that this version reads; update rootstock or convert the ` +
        `encoder again.`,
    );
  }
  const sentence = fields.get("sentence");
  return {
    format: MANIFEST_FORMAT,
    fingerprint: readFingerprint(fields.get("fingerprint"), field(at, "fingerprint")),
    files: readFiles(fields.get("files"), field(at, "files")),
    ...(sentence === undefined ? {} : { sentence: readSentenceConfig(sentence, field(at, "sentence")) }),
    quantization: readQuantization(fields.get("quantization"), field(at, "quantization")),
  };
}

/** The text of rootstock.json, two spaces deep, ending in a line break. What it writes, `readManifest` reads back; else it throws. */
export function writeManifest(manifest: Manifest): string {
  const text = JSON.stringify(
    { ...manifest, files: Object.fromEntries(manifest.files), quantization: Object.fromEntries(manifest.quantization) },
    null,
    2,
  );
  const back = readManifest(text);
  const lost = [...manifest.quantization.keys()].find((name) => !back.quantization.has(name));
  if (lost !== undefined) {
    throw new RootstockError(
      "argument-invalid",
      `${MANIFEST_NAME}: quantization: ${quote(lost)} is not a field of the report.`,
    );
  }
  return `${text}\n`;
}
