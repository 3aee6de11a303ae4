import { readdirSync, readFileSync } from "node:fs";
import { safetensorsFile, type TensorToWrite } from "../../src/format/safetensors-writer.ts";
import { parseSafetensorsHeader } from "../../src/format/safetensors.ts";

/** A folder's files in memory, to be changed by a test. */
export function readFolder(folder: string): Map<string, Uint8Array> {
  return new Map(readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(`${folder}/${name}`))]));
}

/** Replaces a JSON file's fields. */
export function editJson(files: Map<string, Uint8Array>, name: string, fields: object): Map<string, Uint8Array> {
  const json = JSON.parse(new TextDecoder().decode(files.get(name))) as object;
  return new Map(files).set(name, new TextEncoder().encode(JSON.stringify({ ...json, ...fields })));
}

/** Rewrites a safetensors file with its tensors changed, left out (null) or added. */
export function editTensors(
  files: Map<string, Uint8Array>,
  name: string,
  edit: (tensor: TensorToWrite) => TensorToWrite | null,
  added: TensorToWrite[] = [],
  metadata: ReadonlyMap<string, string> = new Map(),
): Map<string, Uint8Array> {
  const bytes = files.get(name)!;
  const { tensors } = parseSafetensorsHeader(bytes, bytes.length, name);
  const kept = [...tensors.values()]
    .map(({ name, dtype, shape, start, end }) => edit({ name, dtype, shape, data: bytes.subarray(start, end) }))
    .filter((tensor) => tensor !== null);
  return new Map(files).set(name, safetensorsFile([...kept, ...added], metadata));
}
