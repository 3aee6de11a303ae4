import { createHash } from "node:crypto";
import { createReadStream, existsSync, openSync, readdirSync, readFileSync, readSync, closeSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { RootstockError } from "../index.ts";
import { LENGTH_BYTES, parseSafetensorsHeader, readHeaderLength } from "../format/safetensors.ts";
import type { Manifest, SafetensorsFile } from "../format/types.ts";

export interface FolderFile {
  readonly name: string;
  readonly bytes: number;
  /** Whether it was compared with the size and SHA-256 in rootstock.json. */
  readonly checked: boolean;
}

/**
 * The files of a folder, each compared with the manifest where it lists them.
 * @throws RootstockError `source-missing`, `source-truncated`, `digest-mismatch`
 */
export async function checkFiles(folder: string, manifest: Manifest | null, signal: AbortSignal): Promise<FolderFile[]> {
  const files: FolderFile[] = [];
  for (const [name] of manifest?.files ?? []) {
    if (!existsSync(join(folder, name))) throw new RootstockError("source-missing", `${name} is not in ${folder}, and rootstock.json lists it. Copy the whole folder again.`);
  }
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(folder, entry.name);
    const bytes = statSync(path).size;
    const expected = manifest?.files.get(entry.name);
    if (expected !== undefined) {
      if (bytes !== expected.size) {
        throw new RootstockError("source-truncated", `${path} has ${bytes} bytes and rootstock.json says ${expected.size}. Copy the folder again.`);
      }
      if ((await digest(path, signal)) !== expected.sha256) {
        throw new RootstockError("digest-mismatch", `${path} is not the file that rootstock.json describes (SHA-256 differs). Copy the folder again.`);
      }
    }
    files.push({ name: entry.name, bytes, checked: expected !== undefined });
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function digest(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest("hex");
}

/** A small file of the folder, or null. */
export function readSmallFile(folder: string, name: string): Uint8Array | null {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path) : null;
}

export interface TensorSummary {
  readonly tensors: number;
  /** Numbers in all tensors. */
  readonly values: number;
  readonly dtypes: readonly string[];
}

/** The header of a safetensors file, without its data. @throws RootstockError as `parseSafetensorsHeader` */
export function readTensors(folder: string, name: string): SafetensorsFile {
  const path = join(folder, name);
  if (!existsSync(path)) throw new RootstockError("source-missing", `${name} is not in ${folder}. Check that the whole folder was copied.`);
  const { size } = statSync(path);
  const descriptor = openSync(path, "r");
  try {
    const first = new Uint8Array(LENGTH_BYTES);
    const got = readSync(descriptor, first, 0, LENGTH_BYTES, 0);
    const length = LENGTH_BYTES + readHeaderLength(first.subarray(0, got), size, name);
    const header = new Uint8Array(Math.min(length, size));
    readSync(descriptor, header, 0, header.length, 0);
    return parseSafetensorsHeader(header, size, name);
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
