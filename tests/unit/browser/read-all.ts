import type { Source } from "../../../src/load/source.ts";

/** A file of a source, read to its end. */
export async function readAll(source: Source, file: string, signal?: AbortSignal): Promise<Buffer> {
  const { chunks } = await source.open(file, { signal });
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(Uint8Array.from(chunk));
  return Buffer.concat(parts);
}
