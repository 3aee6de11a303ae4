import { createHash } from "node:crypto";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export const PIECE = 1000;

/** Files of a folder with a rootstock.json, as far as a source is concerned: weights in pieces of 1,000 bytes, and in files of `partBytes`. */
export function convertedFolder(weights: Uint8Array, config = '{"a":1}', partBytes?: number): Map<string, Uint8Array> {
  const configBytes = new TextEncoder().encode(config);
  const pieces = Array.from({ length: Math.ceil(weights.length / PIECE) }, (_, i) => sha256(weights.subarray(i * PIECE, (i + 1) * PIECE)));
  const manifest = {
    format: 1,
    fingerprint: `sha256:${"0".repeat(64)}`,
    files: {
      "config.json": { size: configBytes.length, sha256: sha256(configBytes) },
      "model.safetensors": { size: weights.length, sha256: sha256(weights), pieces: { bytes: PIECE, sha256: pieces }, partBytes },
    },
  };
  const parts = Array.from({ length: Math.ceil(weights.length / (partBytes ?? Infinity)) }, (_, i): [string, Uint8Array] => [`model.safetensors.part${i}`, weights.slice(i * partBytes!, (i + 1) * partBytes!)]);
  return new Map([
    ["rootstock.json", new TextEncoder().encode(JSON.stringify(manifest))],
    ["config.json", configBytes],
    ...(partBytes === undefined ? [["model.safetensors", weights] as const] : parts),
  ]);
}

/** Bytes that no two pieces share; `seed` makes other ones, `from` on. */
export function weightBytes(length: number, seed = 0, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) + (i >= from ? seed : 0));
}
