/** Writes safetensors as a header and a list of parts, so that a converter streams weights without a second copy. */

import { RootstockError } from "../errors.ts";
import { align, add, elementCount, multiply } from "./sizes.ts";
import { elementBytes, LENGTH_BYTES } from "./safetensors.ts";
import type { Dtype } from "./types.ts";

export interface TensorToPlace {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

export interface TensorToWrite extends TensorToPlace {
  /** Little-endian, row-major, exactly the bytes of the shape. */
  readonly data: Uint8Array;
}

export interface SafetensorsToWrite {
  /** Length field and padded JSON. */
  readonly header: Uint8Array;
  /** The tensors' own bytes, in file order; not copied. */
  readonly parts: readonly Uint8Array[];
  /** Of the whole file. */
  readonly size: number;
}

/** The data section starts at a multiple of this: a cache line, and enough for any typed array on the file's buffer. */
const DATA_ALIGNMENT = 64;

/** Header and parts of a file. @throws RootstockError `argument-invalid` for names and data that do not fit. */
export function writeSafetensors(tensors: readonly TensorToWrite[], metadata: ReadonlyMap<string, string> = new Map()): SafetensorsToWrite {
  const { header, ordered, size } = placeSafetensors(tensors, metadata);
  for (const { name, dtype, shape, data } of ordered) {
    const wanted = multiply(elementCount(shape, name), elementBytes(dtype), name);
    if (data.length === wanted) continue;
    throw new RootstockError("argument-invalid", `${name}: ${dtype} [${shape.join(", ")}] needs ${wanted} bytes, ${data.length} were given.`);
  }
  return { header, parts: ordered.map((tensor) => tensor.data), size };
}

/** The same as one file. @throws RootstockError as `writeSafetensors` */
export function safetensorsFile(tensors: readonly TensorToWrite[], metadata?: ReadonlyMap<string, string>): Uint8Array {
  const { header, parts, size } = writeSafetensors(tensors, metadata);
  const file = new Uint8Array(size);
  let at = 0;
  for (const part of [header, ...parts]) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/**
 * Lays the tensors out with wider elements first (the given order is kept within one width), so that each starts at a
 * multiple of its element size although the format allows no holes.
 *
 * @returns the header, the tensors in file order, and the size of the whole file
 * @throws RootstockError `argument-invalid` for a name that is empty, reserved or used twice.
 */
export function placeSafetensors<Tensor extends TensorToPlace>(
  tensors: readonly Tensor[],
  metadata: ReadonlyMap<string, string> = new Map(),
): { readonly header: Uint8Array; readonly ordered: readonly Tensor[]; readonly size: number } {
  const ordered = tensors.toSorted((a, b) => elementBytes(b.dtype) - elementBytes(a.dtype));
  const entries: [string, unknown][] = [];
  if (metadata.size > 0) entries.push(["__metadata__", Object.fromEntries(metadata)]);
  const names = new Set(["__metadata__", ""]);
  let position = 0;
  for (const { name, dtype, shape } of ordered) {
    if (names.has(name)) throw new RootstockError("argument-invalid", `the tensor name "${name}" is empty, reserved or used twice.`);
    names.add(name);
    const end = add(position, multiply(elementCount(shape, name), elementBytes(dtype), name), name);
    entries.push([name, { dtype, shape, data_offsets: [position, end] }]);
    position = end;
  }
  // Object.fromEntries defines own properties, so "__proto__" stays a name; integer-like names move to the front, which is harmless.
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const header = new Uint8Array(align(add(LENGTH_BYTES, json.length, "header"), DATA_ALIGNMENT, "header")).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - LENGTH_BYTES), true);
  header.set(json, LENGTH_BYTES);
  return { header, ordered, size: add(header.length, position, "file") };
}
