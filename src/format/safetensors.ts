/**
 * The safetensors header: 8 bytes of little-endian length N, N bytes of JSON, then the data.
 * https://huggingface.co/docs/safetensors/index#format. What is checked: the caps of limits.ts, every size, and that the
 * tensors cover the data section exactly (no hole, no overlap, no byte after the last). What is not: the values.
 */

import { quote, RootstockError } from "../errors.ts";
import { MAX_DIMENSION, MAX_HEADER_BYTES, MAX_METADATA_BYTES, MAX_NAME_BYTES, MAX_TENSOR_RANK, MAX_TENSORS } from "../limits.ts";
import { field, parseJson, place, readInteger, readList, readObject, readString, type Place } from "./json.ts";
import { add, elementCount, multiply } from "./sizes.ts";
import type { Dtype, SafetensorsFile, TensorInfo } from "./types.ts";

/** Bytes of the length field in front of the header. */
export const LENGTH_BYTES = 8;

/** Header, tensor, shape: no valid header nests deeper. */
const HEADER_DEPTH = 4;

const ELEMENT_BYTES: ReadonlyMap<string, readonly [Dtype, number]> = new Map(
  (
    [
      ["BOOL", 1], ["U8", 1], ["I8", 1], ["F8_E5M2", 1], ["F8_E4M3", 1], ["I16", 2], ["U16", 2], ["F16", 2], ["BF16", 2],
      ["I32", 4], ["U32", 4], ["F32", 4], ["F64", 8], ["I64", 8], ["U64", 8],
    ] as const
  ).map(([dtype, bytes]) => [dtype, [dtype, bytes]] as const),
);

/** Bytes of one element. */
export function elementBytes(dtype: Dtype): number {
  return (ELEMENT_BYTES.get(dtype) as readonly [Dtype, number])[1];
}

/** What a file that is no safetensors file most often is, by its first bytes. */
function guessKind(first: Uint8Array): string {
  const text = String.fromCharCode(...first.subarray(0, LENGTH_BYTES));
  if (text.startsWith("version ")) return "a Git LFS pointer; fetch the file itself (git lfs pull)";
  if (text.trimStart().startsWith("<")) return "an HTML page; check the address it was fetched from";
  if (text.startsWith("PK\u0003\u0004") || text.startsWith("\u0080")) return "a pickle (.bin, .pt); save it as safetensors";
  if (text.startsWith("GGUF")) return "a GGUF file; use the safetensors form";
  return "of another format; model.safetensors and adapter_model.safetensors are read";
}

/**
 * Length of the JSON header in bytes, so that the caller knows how much to read: LENGTH_BYTES + this.
 * `first` holds at least the first 8 bytes, or the whole file if that is shorter. Throws `source-truncated`,
 * `not-a-model`, `limit-exceeded`.
 */
export function readHeaderLength(first: Uint8Array, fileSize: number, where: string): number {
  if (first.length < LENGTH_BYTES || fileSize < LENGTH_BYTES) {
    throw new RootstockError("source-truncated", `${where}: ${fileSize} bytes are too few for a safetensors file; fetch it again.`);
  }
  const view = new DataView(first.buffer, first.byteOffset, LENGTH_BYTES);
  const length = view.getUint32(0, true);
  // A header of 4 GiB is never meant: these are the first letters of something else.
  if (view.getUint32(4, true) !== 0) {
    throw new RootstockError("not-a-model", `${where}: not a safetensors file but ${guessKind(first)}.`);
  }
  if (length > MAX_HEADER_BYTES) {
    throw new RootstockError("limit-exceeded", `${where}: a header of ${length} bytes; at most ${MAX_HEADER_BYTES} are read.`);
  }
  if (add(LENGTH_BYTES, length, where) > fileSize) {
    throw new RootstockError(
      "source-truncated",
      `${where}: the header alone needs ${LENGTH_BYTES + length} bytes, the file has ${fileSize}; fetch it again.`,
    );
  }
  return length;
}

function readMetadata(value: unknown, at: Place): Map<string, string> {
  const metadata = new Map<string, string>();
  let bytes = 0;
  for (const [key, text] of readObject(value, at)) {
    const value = readString(text, field(at, key), MAX_METADATA_BYTES);
    bytes += utf8Length(key) + utf8Length(value);
    if (bytes > MAX_METADATA_BYTES) {
      throw new RootstockError("limit-exceeded", `${at.path}: more than ${MAX_METADATA_BYTES} bytes.`);
    }
    metadata.set(key, value);
  }
  return metadata;
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

function checkName(name: string, at: Place): void {
  readString(name, at, MAX_HEADER_BYTES);
  if (name === "") throw new RootstockError(at.code, `${at.path}: a tensor has an empty name.`);
  if (utf8Length(name) > MAX_NAME_BYTES) {
    throw new RootstockError("limit-exceeded", `${at.path}: the name ${quote(name)} has more than ${MAX_NAME_BYTES} bytes.`);
  }
}

function readSize(value: unknown, at: Place): number {
  return readInteger(value, at, 0, Number.MAX_SAFE_INTEGER);
}

function readShape(value: unknown, at: Place): number[] {
  const shape = readList(value, at, MAX_HEADER_BYTES, readSize);
  if (shape.length > MAX_TENSOR_RANK) {
    throw new RootstockError("limit-exceeded", `${at.path}: ${shape.length} dimensions; at most ${MAX_TENSOR_RANK} are read.`);
  }
  const large = shape.find((dimension) => dimension > MAX_DIMENSION);
  if (large !== undefined) {
    throw new RootstockError("limit-exceeded", `${at.path}: a dimension of ${large}; at most ${MAX_DIMENSION} are read.`);
  }
  return shape;
}

/** One entry of the header. Offsets become absolute. */
function readTensor(name: string, value: unknown, headerBytes: number, at: Place): TensorInfo {
  const fields = readObject(value, at);
  for (const key of fields.keys()) {
    if (key !== "dtype" && key !== "shape" && key !== "data_offsets") {
      throw new RootstockError(at.code, `${at.path}: a field ${quote(key)} that the format does not have.`);
    }
  }
  const dtypeName = readString(fields.get("dtype"), field(at, "dtype"));
  const known = ELEMENT_BYTES.get(dtypeName);
  if (known === undefined) {
    throw new RootstockError(
      "tensor-dtype",
      `${at.path}: the dtype ${quote(dtypeName)} is not read; save the weights as F32, F16 or BF16.`,
    );
  }
  const [dtype, bytes] = known;
  const shape = readShape(fields.get("shape"), field(at, "shape"));
  const offsetsAt = field(at, "data_offsets");
  const [from, to] = readList(fields.get("data_offsets"), offsetsAt, 2, readSize);
  if (from === undefined || to === undefined || from > to) {
    throw new RootstockError(at.code, `${offsetsAt.path}: expected [start, end] with start <= end.`);
  }
  const size = multiply(elementCount(shape, at.path), bytes, at.path);
  if (to - from !== size) {
    throw new RootstockError(at.code, `${at.path}: ${dtype} [${shape.join(", ")}] needs ${size} bytes, the offsets span ${to - from}.`);
  }
  return { name, dtype, shape, start: add(headerBytes, from, at.path), end: add(headerBytes, to, at.path) };
}

/** Sorts by position and checks that the tensors tile the data section to the end of the file. */
function layOut(tensors: TensorInfo[], headerBytes: number, fileSize: number, at: Place): Map<string, TensorInfo> {
  // Empty tensors share their start with the next one: ordering by the end as well puts them first.
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  let position = headerBytes;
  for (const { name, start, end } of tensors) {
    if (start !== position) {
      const fault = start > position ? "a hole before" : "an overlap at";
      throw new RootstockError(
        at.code,
        `${at.path}: ${fault} the tensor ${quote(name)}: data ought to go on at byte ${position}, it starts at ${start}.`,
      );
    }
    position = end;
  }
  if (position !== fileSize) {
    const fault = position > fileSize ? "it was cut short" : "there are bytes after the last tensor";
    throw new RootstockError(
      "source-truncated",
      `${at.path}: the tensors end at byte ${position}, the file at ${fileSize}: ${fault}; fetch it again.`,
    );
  }
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}

/**
 * Reads and checks the header. `bytes` holds the file from its first byte to the end of the header at least;
 * `fileSize` is the size of the whole file. Throws `source-truncated`, `not-a-model`, `header-invalid`, `limit-exceeded`,
 * `tensor-dtype`.
 */
export function parseSafetensorsHeader(bytes: Uint8Array, fileSize: number, where = "model.safetensors"): SafetensorsFile {
  const length = readHeaderLength(bytes, fileSize, where);
  const headerBytes = LENGTH_BYTES + length;
  if (bytes.length < headerBytes) {
    throw new RootstockError("source-truncated", `${where}: ${bytes.length} bytes of the ${headerBytes} of the header were read.`);
  }
  const at = place(where, "header-invalid");
  if (bytes[LENGTH_BYTES] !== 0x7b) {
    throw new RootstockError("header-invalid", `${where}: the header does not start with "{"; this is not a safetensors file.`);
  }
  const limits = { where, maxBytes: MAX_HEADER_BYTES, maxDepth: HEADER_DEPTH, code: at.code };
  const header = readObject(parseJson(bytes.subarray(LENGTH_BYTES, headerBytes), limits), at);
  const metadata = readMetadata(header.get("__metadata__") ?? {}, field(at, "__metadata__"));
  header.delete("__metadata__");
  if (header.size > MAX_TENSORS) {
    throw new RootstockError("limit-exceeded", `${where}: ${header.size} tensors; at most ${MAX_TENSORS} are read.`);
  }
  const tensors: TensorInfo[] = [];
  for (const [name, entry] of header) {
    const tensorAt = field(at, name);
    checkName(name, tensorAt);
    tensors.push(readTensor(name, entry, headerBytes, tensorAt));
  }
  return { headerBytes, tensors: layOut(tensors, headerBytes, fileSize, at), metadata };
}
