import { readFileSync } from "node:fs";
import { toFloat32 } from "../../src/format/floats.ts";
import { parseSafetensorsHeader } from "../../src/format/safetensors.ts";

/** All tensors of a safetensors file as f32. */
export function readTensors(path: string): Map<string, Float32Array> {
  return readTensorsOf(new Uint8Array(readFileSync(path)), path);
}

/** The same of its bytes. */
export function readTensorsOf(bytes: Uint8Array, path = "the file"): Map<string, Float32Array> {
  const { tensors } = parseSafetensorsHeader(bytes, bytes.length, path);
  return new Map(
    [...tensors].map(([name, { start, end, dtype }]) => [name, toFloat32(bytes.subarray(start, end), dtype as "F32")]),
  );
}
