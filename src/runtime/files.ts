import { RootstockError } from "../errors.ts";
import { canHash, readWhole, sha256 } from "../load/byte-reader.ts";
import type { OpenFile, Source } from "../load/source.ts";
import type { Manifest } from "../format/types.ts";

interface ReadOptions {
  readonly signal: AbortSignal | undefined;
  /** Cap on the file's size. */
  readonly limit: number;
  /** Size and SHA-256 that the file must have. */
  readonly manifest?: Manifest | null;
}

/** A whole small file. @throws RootstockError as the source, `limit-exceeded`, `source-truncated`, `digest-mismatch`. */
export async function readFile(source: Source, name: string, options: ReadOptions): Promise<Uint8Array> {
  const bytes = await readWhole(await source.open(name, { signal: options.signal }), name, options.limit, options.signal);
  const expected = options.manifest?.files.get(name);
  if (expected !== undefined) {
    checkSize(name, bytes.length, expected.size);
    if (canHash() && (await sha256(bytes as Uint8Array<ArrayBuffer>)) !== expected.sha256) throw digestMismatch(name);
  }
  return bytes;
}

/** The same as `readFile`, or null when the folder does not have it and its manifest does not list it. */
export async function readOptionalFile(source: Source, name: string, options: ReadOptions): Promise<Uint8Array | null> {
  try {
    return await readFile(source, name, options);
  } catch (error) {
    const isListed = options.manifest?.files.has(name) ?? false;
    if (error instanceof RootstockError && error.code === "source-missing" && !isListed) return null;
    throw error;
  }
}

/** Checks a file that was opened. One that is refused is closed, for nobody will read it. */
export async function orClose<T>(file: OpenFile, check: () => T): Promise<T> {
  try {
    return check();
  } catch (error) {
    // Whatever closing says, this is why.
    await Promise.resolve(file.close?.()).catch(() => undefined);
    throw error;
  }
}

export function checkSize(name: string, size: number, expected: number): void {
  if (size === expected) return;
  throw new RootstockError("source-truncated", `${name} has ${size} bytes and rootstock.json says ${expected}. Copy or download the folder again.`);
}

export function digestMismatch(name: string): RootstockError {
  return new RootstockError("digest-mismatch", `${name} is not the file that rootstock.json describes (SHA-256 differs). Copy or download the folder again.`);
}
