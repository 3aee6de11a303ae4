import { describe, RootstockError } from "../errors.ts";
import { fileSystem, urls } from "./builtin.ts";
import { parseUrl } from "./parse-url.ts";

/** A file being read, front to back. */
export interface OpenFile {
  /** Bytes, when known before reading; null when not. */
  readonly size: number | null;
  /** The file's bytes in order, in pieces of any size. A piece may be reused once the next one is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The source has compared all of it with the SHA-256 in rootstock.json: weights are not hashed a second time. */
  readonly isChecked?: boolean;
  /** Frees what the file holds when it is refused before `chunks` is read. May come after reading, too, and changes nothing then. */
  close?(): Promise<void>;
}

/**
 * Where a model or adapter folder comes from. Strings and URLs are read by the library; anything else (an archive, a
 * database, IndexedDB) can be given as an object of this form.
 */
export interface Source {
  /** For messages: a path or URL. */
  readonly location: string;
  /**
   * Opens a file of the folder by its plain name (`config.json`; `1_Pooling/config.json` where modules.json names it). Aborting `signal` should end the reading.
   * @throws RootstockError `source-missing` when it is not there, `source-unreadable` when reading fails.
   */
  open(file: string, options: { signal: AbortSignal | undefined }): Promise<OpenFile>;
}

/** Folder contents held in memory, by file name. */
export type FileMap = Readonly<Record<string, Uint8Array>> | ReadonlyMap<string, Uint8Array>;

/** What `loadEncoder` and `addAdapter` take: a path or URL of a folder, its files, or an own `Source`. */
export type SourceLike = string | URL | FileMap | Source;

/** Bytes read from a file at a time: a hashed piece of a converted encoder, which then needs no copy of its own. */
const READ_BYTES = 4 << 20;

/** @throws RootstockError `argument-invalid`. */
export function toSource(given: SourceLike): Source {
  if ((typeof given === "string" && given !== "") || given instanceof URL) return locationSource(given);
  if (given instanceof Map) return mapSource(given);
  if (typeof given === "object" && given !== null) {
    if (typeof (given as Source).open === "function") return given as Source;
    if (isRecord(given)) return mapSource(new Map(Object.entries(given as Record<string, Uint8Array>)));
  }
  const found = typeof (given as { addAdapter?: unknown } | null)?.addAdapter === "function" ? "an encoder or pool, which is loaded" : describe(given);
  throw new RootstockError("argument-invalid", `a source must be a path, a URL, a map of files, or an object with open(); got ${found}.`);
}

/** A plain object, of any realm: what a class made, a list or a date has no files under its names. */
function isRecord(given: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function locationSource(given: string | URL): Source {
  const text = String(given);
  const isWeb = /^(https?|blob|data):/i.test(text);
  const fs = isWeb ? undefined : fileSystem();
  if (fs !== undefined) return directorySource(text, fs);
  const base = typeof location === "undefined" ? undefined : location.href;
  const url = parseUrl(text, base);
  if (url === null) throw new RootstockError("argument-invalid", `"${text}" is neither a URL nor, here, a path that can be read.`);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  // A data: or blob: URL is one file and has nothing below it.
  if (parseUrl("config.json", url) === null) throw new RootstockError("argument-invalid", `"${text.slice(0, 80)}" is not the URL of a folder.`);
  return urlSource(url, fetch, arrivingChunks);
}

function mapSource(files: ReadonlyMap<string, Uint8Array>): Source {
  return {
    location: "the given files",
    async open(file) {
      const bytes = files.get(file);
      if (bytes === undefined) throw missing(file, "the given files");
      if (!(bytes instanceof Uint8Array)) {
        throw new RootstockError("argument-invalid", `${file}: the given files must be Uint8Arrays.`);
      }
      return heldFile(bytes);
    },
  };
}

/** Closes a file that nobody reads any more. Whatever closing says, its reader has what was wanted, or the reason why not. */
export async function release(file: OpenFile): Promise<void> {
  try {
    await file.close?.();
  } catch {}
}

/** Begins a file's reading. @throws RootstockError `argument-invalid` where an own source gave no file */
export function beginReading(file: OpenFile, name: string): AsyncIterator<Uint8Array> {
  const chunks = (file as OpenFile | undefined)?.chunks;
  if (typeof chunks?.[Symbol.asyncIterator] !== "function") throw noBytes(name, chunks);
  return chunks[Symbol.asyncIterator]();
}

export function noBytes(name: string, given: unknown): RootstockError {
  return new RootstockError("argument-invalid", `${name}: the source gave ${typeof given} in place of bytes. Its chunks must be Uint8Arrays.`);
}

/** Ends a file's reading early, or after its end, as `release` frees the file. */
export async function endReading(chunks: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    await chunks.return?.();
  } catch {}
}

/** A file whose bytes are at hand. */
export function heldFile(bytes: Uint8Array): OpenFile {
  return { size: bytes.byteLength, chunks: once(bytes) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function directorySource(text: string, fs: typeof import("node:fs")): Source {
  const folder = /^file:/i.test(text) ? filePath(text) : text;
  return {
    location: folder,
    async open(file, { signal }) {
      const path = `${folder}/${file}`;
      let size: number;
      try {
        const stat = fs.statSync(path);
        if (!stat.isFile()) throw missing(file, absolute(folder));
        size = stat.size;
      } catch (cause) {
        if (cause instanceof RootstockError) throw cause;
        if ((cause as { code?: string }).code === "ENOENT" || (cause as { code?: string }).code === "ENOTDIR") {
          throw missing(file, absolute(folder));
        }
        throw unreadable(path, cause);
      }
      return { size, chunks: readPath(path, fs, signal) };
    },
  };
}

/** A path as this process understands it: where a relative one leads is what goes wrong most. */
function absolute(path: string): string {
  const { fileURLToPath, pathToFileURL } = urls()!;
  return fileURLToPath(pathToFileURL(path));
}

/** The path of a file: URL, as the system writes it; a URL with a host or with a separator in a name has none. */
function filePath(text: string): string {
  try {
    return urls()!.fileURLToPath(text);
  } catch (cause) {
    throw new RootstockError("argument-invalid", `"${text}" is not a file URL. Give the folder's path, or a URL as pathToFileURL makes it.`, { cause });
  }
}

async function* readPath(
  path: string,
  fs: typeof import("node:fs"),
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, "r");
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      signal?.throwIfAborted();
      const count = await new Promise<number>((resolve, reject) => {
        fs.read(descriptor, buffer, 0, READ_BYTES, null, (error, bytes) =>
          error ? reject(unreadable(path, error)) : resolve(bytes),
        );
      });
      if (count === 0) return;
      yield buffer.subarray(0, count);
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Where a file of the folder at `base` is; its name may begin with a folder. */
export function fileUrl(file: string, base: URL): URL {
  return new URL(file.split("/").map(encodeURIComponent).join("/"), base);
}

/** Answers requests as `fetch` does. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/** The bytes of a response in order. A chunk may be reused once the next one is asked for. */
export type BodyReader = (body: ReadableStream<Uint8Array>) => AsyncIterable<Uint8Array>;

/** The folder at `base`, whose path ends in a slash. */
export function urlSource(base: URL, get: Fetch, read: BodyReader): Source {
  return {
    location: base.href,
    async open(file, { signal }) {
      const url = fileUrl(file, base);
      let response: Response;
      try {
        response = await get(url, signal === undefined ? {} : { signal });
      } catch (cause) {
        signal?.throwIfAborted();
        throw unreadable(url.href, cause);
      }
      const { status, ok, body, headers } = response;
      if (!ok || body === null) {
        await drop(response);
        throw status === 404 || status === 410 ? missing(file, base.href) : unreadable(url.href, new Error(`HTTP status ${status}`));
      }
      return { size: lengthOf(headers), chunks: readBody(read(body), url.href, signal), close: () => drop(response) };
    },
  };
}

/** An unread body would keep its connection. */
export async function drop({ body }: Response): Promise<void> {
  await body?.cancel().catch(() => undefined);
}

/** Bytes of the file that a response carries; null where it does not say. A compressed response's length is not the file's. */
export function lengthOf(headers: Headers): number | null {
  const length = headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) && headers.get("content-encoding") === null ? Number(length) : null;
}

export async function* readBody(chunks: AsyncIterable<Uint8Array>, location: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    signal?.throwIfAborted();
    throw unreadable(location, cause);
  }
}

export async function* arrivingChunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

export function missing(file: string, folder: string): RootstockError {
  return new RootstockError("source-missing", `${file} is not in ${folder}. Check the path, or that the whole folder was copied.`);
}

export function unreadable(path: string, cause: unknown): RootstockError {
  // fetch says that it failed, and its cause why.
  const told = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = told instanceof Error ? told.message : String(told);
  return new RootstockError("source-unreadable", `${path} could not be read: ${reason}`, { cause });
}
