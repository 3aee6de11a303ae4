import { RootstockError } from "../errors.ts";
import { canHash, readWhole, sha256 } from "../load/byte-reader.ts";
import { release, type OpenFile, type Source } from "../load/source.ts";
import type { Manifest } from "../format/types.ts";

export const TOKENIZER_NAME = "tokenizer.json";

interface ReadOptions {
  readonly signal: AbortSignal | undefined;
  /** Cap on the file's size. */
  readonly limit: number;
  /** Size and SHA-256 that the file must have. */
  readonly manifest?: Manifest | null;
}

/** A whole small file. @throws RootstockError as the source, `limit-exceeded`, `not-a-model` (a page), `source-truncated`, `digest-mismatch`. */
export async function readFile(source: Source, name: string, options: ReadOptions): Promise<Uint8Array> {
  const bytes = await readWhole(await source.open(name, { signal: options.signal }), name, options.limit, options.signal);
  if (name.endsWith(".json") && isPage(bytes)) {
    throw new RootstockError("not-a-model", `${name} of ${source.location} is an HTML page: some servers answer so for a file that is not there, or ask to sign in. Check the path.`);
  }
  const expected = options.manifest?.files.get(name);
  if (expected !== undefined) {
    checkSize(name, bytes.length, expected.size);
    if (canHash() && (await sha256(bytes as Uint8Array<ArrayBuffer>)) !== expected.sha256) throw digestMismatch(name);
  }
  return bytes;
}

/** Does it begin as HTML does, and as no JSON? */
function isPage(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, 64)).trimStart().startsWith("<");
}

/**
 * The same as `readFile`, or null when the folder does not have it and its manifest does not list it. The hosts of single-page applications have a page
 * for every path, so what is a page is not there, either; but for tokenizer.json, without which few mean to have an encoder.
 */
export async function readOptionalFile(source: Source, name: string, options: ReadOptions): Promise<Uint8Array | null> {
  try {
    return await readFile(source, name, options);
  } catch (error) {
    const isListed = options.manifest?.files.has(name) ?? false;
    if (!isListed && isAbsence(error) && !(name === TOKENIZER_NAME && error.code === "not-a-model")) return null;
    throw error;
  }
}

/** Does the error of a file say that there is none? */
export function isAbsence(error: unknown): error is RootstockError {
  return error instanceof RootstockError && (error.code === "source-missing" || error.code === "not-a-model");
}

/** Checks a file that was opened. One that is refused is closed, for nobody will read it. */
export async function orClose<T>(file: OpenFile, check: () => T): Promise<T> {
  try {
    return check();
  } catch (error) {
    await release(file);
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
