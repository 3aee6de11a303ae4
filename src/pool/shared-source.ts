import { fileSystem } from "../load/builtin.ts";
import { parseUrl } from "../load/parse-url.ts";
import { beginReading, endReading, release, toSource, type FileMap, type OpenFile, type Source, type SourceLike } from "../load/source.ts";
import type { HostFunctions } from "./messages.ts";

/** An encoder's source as it crosses the border. */
export type PackedSource =
  | { readonly kind: "location"; readonly location: string }
  | { readonly kind: "files"; readonly files: ReadonlyMap<string, Uint8Array> }
  /** An object of the caller's; the worker asks the host for each file. */
  | { readonly kind: "host"; readonly location: string };

/** @throws RootstockError `argument-invalid`, as `loadEncoder`. */
export function packSource(given: SourceLike): PackedSource {
  const { location } = toSource(given);
  if (typeof given === "string" || given instanceof URL) return { kind: "location", location: absolute(String(given)) };
  if (typeof (given as Source).open === "function") return { kind: "host", location: String(location) };
  const files = given instanceof Map ? (given as ReadonlyMap<string, Uint8Array>) : new Map(Object.entries(given as Exclude<FileMap, ReadonlyMap<string, Uint8Array>>));
  return { kind: "files", files: new Map([...files].map(([name, bytes]) => [name, alone(bytes)])) };
}

/** In a worker of the web a relative URL would count from the worker's script. */
function absolute(text: string): string {
  if (fileSystem() !== undefined || typeof location === "undefined") return text;
  return parseUrl(text, location.href)?.href ?? text;
}

/** Cloning a view clones all of its buffer, which may be a large one; and shares it when it is shared memory. */
export function alone<T>(bytes: T): T {
  if (!(bytes instanceof Uint8Array)) return bytes;
  const isWhole = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  return isWhole ? bytes : (new Uint8Array(bytes) as Uint8Array & T);
}

/** The worker's side. */
export function unpackSource(packed: PackedSource, host: Pick<HostFunctions, "open" | "read" | "close">): SourceLike {
  if (packed.kind === "location") return packed.location;
  if (packed.kind === "files") return packed.files;
  return {
    location: packed.location,
    async open(file) {
      const { handle, size } = await host.open(file);
      return { size, chunks: chunksOf(handle, host), close: async () => host.close(handle) };
    },
  };
}

async function* chunksOf(handle: number, host: Pick<HostFunctions, "read" | "close">): AsyncGenerator<Uint8Array> {
  try {
    for (let bytes = await host.read(handle); bytes !== null; bytes = await host.read(handle)) yield bytes;
  } finally {
    host.close(handle);
  }
}

interface ServedFile {
  readonly file: OpenFile;
  readonly reading: AsyncIterator<Uint8Array>;
}

/** The host's side: serves files of the caller's source to one worker, and closes them when it goes. */
export class SourceServer {
  readonly #source: Source;
  readonly #files = new Map<number, ServedFile>();
  readonly #end = new AbortController();
  #last = 0;

  constructor(source: SourceLike) {
    this.#source = toSource(source);
  }

  async open(file: string): Promise<{ handle: number; size: number | null }> {
    const opened = await this.#source.open(file, { signal: this.#end.signal });
    const handle = ++this.#last;
    this.#files.set(handle, { file: opened, reading: beginReading(opened, file) });
    if (this.#end.signal.aborted) this.close(handle);
    return { handle, size: opened.size };
  }

  async read(handle: number): Promise<Uint8Array | null> {
    const { done, value } = (await this.#files.get(handle)?.reading.next()) ?? { done: true, value: undefined };
    return done === true ? null : alone(value);
  }

  close(handle: number): void {
    const served = this.#files.get(handle);
    this.#files.delete(handle);
    if (served === undefined) return;
    void endReading(served.reading);
    void release(served.file);
  }

  end(): void {
    this.#end.abort();
    for (const handle of this.#files.keys()) this.close(handle);
  }
}
