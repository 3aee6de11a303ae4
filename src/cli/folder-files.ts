import { createHash } from "node:crypto";
import { createReadStream, openSync, readdirSync, readFileSync, readSync, closeSync } from "node:fs";
import { basename, join } from "node:path";
import { RootstockError } from "../index.ts";
import { LENGTH_BYTES, parseSafetensorsHeader, readHeaderLength } from "../format/safetensors.ts";
import type { Manifest, SafetensorsFile } from "../format/types.ts";
import { partsOf } from "../runtime/join-parts.ts";
import { fileSize, reading, unreadable } from "./disk.ts";
import { byteSize } from "./print-table.ts";

export interface FolderFile {
  readonly name: string;
  readonly bytes: number;
  /** Whether it was compared with the size and SHA-256 in rootstock.json. */
  readonly checked: boolean;
}

/**
 * The files of a folder, each compared with the manifest where it lists them; a file in parts is compared as a whole.
 * @throws RootstockError `source-missing`, `source-truncated`, `digest-mismatch`
 */
export async function checkFiles(folder: string, manifest: Manifest | null, signal: AbortSignal): Promise<FolderFile[]> {
  const checked = new Set<string>();
  for (const [name, file] of manifest?.files ?? []) {
    const parts = partsOf(name, file);
    for (const part of parts) checkPart(folder, part);
    if ((await digest(parts.map((part) => join(folder, part.name)), signal)) !== file.sha256) {
      throw new RootstockError("digest-mismatch", `${join(folder, name)} is not the file that rootstock.json describes (SHA-256 differs). Copy the folder again.`);
    }
    for (const part of parts) checked.add(part.name);
  }
  // Links are followed: folders in caches of downloaded models are made of them.
  return readdirSync(folder)
    .map((name) => ({ name, bytes: fileSize(join(folder, name)), checked: checked.has(name) }))
    .filter((file): file is FolderFile => file.bytes !== null)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The files of a folder with their sizes, a line each, for people. */
export async function listFiles(folder: string, signal: AbortSignal): Promise<string> {
  const files = await checkFiles(folder, null, signal);
  return files.map(({ name, bytes }) => `  ${byteSize(bytes).padStart(9)}  ${name}\n`).join("");
}

function checkPart(folder: string, part: { readonly name: string; readonly size: number }): void {
  const path = join(folder, part.name);
  const size = fileSize(path);
  if (size === null) throw new RootstockError("source-missing", `${part.name} is not in ${folder}, and rootstock.json lists it. Copy the whole folder again.`);
  if (size !== part.size) {
    throw new RootstockError("source-truncated", `${path} has ${size} bytes and rootstock.json says ${part.size}. Copy the folder again.`);
  }
}

async function digest(paths: readonly string[], signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    try {
      for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Uint8Array);
    } catch (cause) {
      signal.throwIfAborted();
      throw unreadable(path, cause);
    }
  }
  return hash.digest("hex");
}

/** A file of at most `limit` bytes, or null. @throws RootstockError `limit-exceeded` */
export function readSmallFile(folder: string, name: string, limit: number): Uint8Array | null {
  const path = join(folder, name);
  const size = fileSize(path);
  if (size === null) return null;
  if (size > limit) throw new RootstockError("limit-exceeded", `${path} is larger than ${limit} bytes, the most that is read.`);
  return reading(path, () => readFileSync(path));
}

export interface TensorSummary {
  readonly tensors: number;
  /** Numbers in all tensors. */
  readonly values: number;
  readonly dtypes: readonly string[];
}

/** The header of a safetensors file, without its data; of a file in parts as `manifest` says. @throws RootstockError as `parseSafetensorsHeader` */
export function readTensors(folder: string, name: string, manifest: Manifest | null): SafetensorsFile {
  const listed = manifest?.files.get(name);
  const parts = listed === undefined ? [name] : partsOf(name, listed).map((part) => part.name);
  const paths = parts.map((part) => join(folder, part));
  const sizes = paths.map(fileSize);
  const absent = sizes.indexOf(null);
  if (absent >= 0) throw new RootstockError("source-missing", `${basename(paths[absent]!)} is not in ${folder}. Check that the whole folder was copied.`);
  const size = sizes.reduce<number>((sum, bytes) => sum + bytes!, 0);
  const length = LENGTH_BYTES + readHeaderLength(readFront(paths, LENGTH_BYTES), size, name);
  return parseSafetensorsHeader(readFront(paths, Math.min(length, size)), size, name);
}

/** The first bytes of files that follow one another; fewer where they end before. */
function readFront(paths: readonly string[], bytes: number): Uint8Array {
  const front = new Uint8Array(bytes);
  let filled = 0;
  for (const path of paths) {
    if (filled === bytes) break;
    filled += reading(path, () => readAt(path, front.subarray(filled)));
  }
  return front.subarray(0, filled);
}

/** @returns how many bytes there were */
function readAt(path: string, target: Uint8Array): number {
  const descriptor = openSync(path, "r");
  try {
    return readSync(descriptor, target, 0, target.length, 0);
  } finally {
    closeSync(descriptor);
  }
}

export function summarize({ tensors }: SafetensorsFile): TensorSummary {
  const all = [...tensors.values()];
  return {
    tensors: all.length,
    values: all.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
    dtypes: [...new Set(all.map(({ dtype }) => dtype))].sort(),
  };
}
