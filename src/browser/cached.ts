import { RootstockError } from "../errors.ts";
import { MANIFEST_NAME, readManifest } from "../format/manifest.ts";
import type { Manifest } from "../format/types.ts";
import { MAX_CONFIG_BYTES, MAX_PIECE_BYTES } from "../limits.ts";
import { canHash, readWhole } from "../load/byte-reader.ts";
import { parseUrl } from "../load/parse-url.ts";
import { arrivingChunks, drop, fileUrl, heldFile, lengthOf, missing, readBody, toSource, unreadable, type OpenFile, type Source } from "../load/source.ts";
import { ownOptions, type OptionKinds } from "../own-options.ts";
import type { FileRecord } from "./file-records.ts";
import { FolderLoad } from "./folder-load.ts";
import { FolderStore, type CacheHost } from "./folder-store.ts";
import { findListed, listedPieces, wholeFile, type Extent } from "./piece-list.ts";
import { readKnown, readNew, Storing } from "./read-pieces.ts";
import { ask, canCarry } from "./request.ts";

/** Options of `cached` and `clearCache`. */
export interface CacheOptions {
  /** Name of the cache that holds the files. Default "rootstock". */
  readonly cacheName?: string;
  /** Where caches come from. Default: the host's own `caches`; where there is none, files come from the server each time. */
  readonly caches?: CacheHost;
}

const CACHE_OPTIONS: OptionKinds<CacheOptions> = { cacheName: "", caches: "" };
const CLEAR_OPTIONS: OptionKinds<NonNullable<Parameters<typeof clearCache>[0]>> = { ...CACHE_OPTIONS, url: "" };

/** The first files that loaders read, of an encoder and of an adapter. */
const FIRST = [MANIFEST_NAME, "adapter_config.json"];
/** The last ones: with either a version is whole. */
const LAST = ["model.safetensors", "adapter_model.safetensors"];
const DEFAULT_CACHE = "rootstock";

/**
 * A folder on a server, kept in the host's Cache API: a source for `loadEncoder` and `addAdapter`.
 *
 * A converted encoder is stored in the pieces of its rootstock.json, each checked by SHA-256 before it is stored and when it is read.
 * A later load asks the server for rootstock.json alone and goes on without it when there is no network. Files without
 * digests (adapters, encoders that were not converted) are confirmed by their ETag or date. A version that differs takes the
 * old one's place when all of it has arrived; a load reads the one or the other. Trouble with the cache never fails a load.
 *
 * @param url of a folder, relative ones to the page or worker. What is not HTTP is read without a cache.
 * @throws RootstockError `argument-invalid` for what is no URL. Reading throws `source-missing`, `source-unreadable`,
 *   `source-truncated`, `digest-mismatch`.
 */
export function cached(url: string | URL, options: CacheOptions = {}): Source {
  const { cacheName, caches } = ownOptions(options, CACHE_OPTIONS);
  const plain = toSource(url);
  const base = folderUrl(url);
  const host = caches ?? ownCaches();
  if (base === null || host === undefined || !canHash()) return plain;
  return new CachedFolder(base, plain, host, cacheName ?? DEFAULT_CACHE);
}

/**
 * Deletes what `cached` stored under `cacheName`: that of one folder, or all of it.
 * @returns was there anything?
 */
export async function clearCache(options: CacheOptions & { readonly url?: string | URL } = {}): Promise<boolean> {
  const { url, cacheName = DEFAULT_CACHE, caches: host = ownCaches() } = ownOptions(options, CLEAR_OPTIONS);
  if (host === undefined) return false;
  if (url === undefined) return host.delete(cacheName);
  const base = folderUrl(url);
  const store = base === null ? null : await FolderStore.open(host, cacheName, base.href);
  return store === null ? false : store.clear();
}

/** null for what is not HTTP: the Cache API refuses it. */
function folderUrl(given: string | URL): URL | null {
  const base = typeof location === "undefined" ? undefined : location.href;
  const url = parseUrl(given, base);
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  // As the plain source resolves files: without query and fragment.
  return new URL(".", url);
}

/** Reading the property throws in a sandboxed frame. */
function ownCaches(): CacheHost | undefined {
  try {
    return (globalThis as { caches?: CacheHost }).caches;
  } catch {
    return undefined;
  }
}

/** A file that is asked of a folder, and what for. */
interface Opening {
  readonly file: string;
  readonly load: FolderLoad;
  readonly store: FolderStore;
  readonly signal: AbortSignal | undefined;
}

class CachedFolder implements Source {
  readonly location: string;
  readonly #base: URL;
  readonly #plain: Source;
  readonly #host: CacheHost;
  readonly #cacheName: string;
  /** Of the version that is being read; null for a folder without one. */
  #manifest: Manifest | null = null;
  /** Has rootstock.json changed in the life of this source? Loads at the same time may then be of different versions. */
  #hasChanged = false;
  #load: FolderLoad | null = null;

  constructor(base: URL, plain: Source, host: CacheHost, cacheName: string) {
    this.#base = base;
    this.location = base.href;
    this.#plain = plain;
    this.#host = host;
    this.#cacheName = cacheName;
  }

  async open(file: string, { signal }: { signal: AbortSignal | undefined }): Promise<OpenFile> {
    const store = await FolderStore.open(this.#host, this.#cacheName, this.#base.href);
    if (store === null) return this.#plain.open(file, { signal });
    if (this.#load === null || FIRST.includes(file)) this.#load = this.#begin(store);
    const opening = { file, load: this.#load, store, signal };
    if (file === MANIFEST_NAME) return this.#openManifest(opening);
    const listed = this.#manifest === null ? null : findListed(this.#manifest, file);
    if (listed === null) return this.#openUnlisted(opening);
    // The loader refuses such a piece, and says why.
    if (listed.list.pieceBytes > MAX_PIECE_BYTES) return this.#plain.open(file, { signal });
    return { ...this.#openKnown(opening, listed), isChecked: !this.#hasChanged };
  }

  #begin(store: FolderStore): FolderLoad {
    const load: FolderLoad = new FolderLoad(store.records(), new Storing(store, () => this.#dropOldVersion(load, store)));
    return load;
  }

  /** A file, or a part of one, whose pieces have known digests. */
  #openKnown({ load, store, signal }: Opening, extent: Extent): OpenFile {
    const { name, list, from, to } = extent;
    for (const digest of list.pieces) load.known.add(digest);
    const isLast = LAST.includes(name) && to === list.size;
    const onEnd = async (): Promise<void> => void (isLast && (await this.#settle(load, store)));
    return { size: to - from, chunks: readKnown({ ...extent, url: this.#url(name), store, storing: load.storing, seam: load.seam, signal, onEnd }) };
  }

  async #openManifest(opening: Opening): Promise<OpenFile> {
    let manifest: Manifest | null = null;
    try {
      const bytes = await readWhole(await this.#openUnlisted(opening), MANIFEST_NAME, MAX_CONFIG_BYTES, opening.signal);
      manifest = parseManifest(bytes);
      // Nothing is kept of what the loader will refuse.
      if (manifest === null) opening.load.found.set(MANIFEST_NAME, null);
      return heldFile(bytes);
    } finally {
      this.#hasChanged ||= this.#manifest !== null && JSON.stringify(piecesOf(this.#manifest)) !== JSON.stringify(piecesOf(manifest));
      this.#manifest = manifest;
    }
  }

  /** A file without known digests: the stored one if the server confirms it or cannot be reached. */
  async #openUnlisted(opening: Opening): Promise<OpenFile> {
    const { file, load, signal } = opening;
    const url = this.#url(file);
    const records = await load.stored;
    const record = records.get(file);
    if (load.isOffline) {
      if (record !== undefined) return this.#openStored(opening, record);
      throw unreadable(url.href, new Error("it is not stored, and the server did not answer for the files before it. Load again"));
    }
    const answer = await ask(url, record === undefined || record.missing ? null : record, signal);
    if (answer.kind === "missing") {
      load.found.set(file, { missing: true });
      throw missing(file, this.location);
    }
    if (answer.kind === "file") return this.#openNew(opening, url, answer.response);
    if (answer.kind === "unchanged") return this.#openStored(opening, answer.stored);
    const { error, page } = answer;
    if (record === undefined) {
      if (page === undefined) throw error;
      // Hosts of single-page applications answer so for what is not there. Where the file is needed, the load comes to no end that is stored.
      if (file !== MANIFEST_NAME) load.found.set(file, { missing: true });
      // Whoever reads it says best what is wrong with it.
      return { size: null, chunks: readBody(arrivingChunks(page.body!), url.href, signal), close: () => drop(page) };
    }
    if (page !== undefined) await drop(page);
    if (page !== undefined && record.missing) {
      load.found.set(file, record);
      throw missing(file, this.location);
    }
    if (load.differs(records)) {
      throw new RootstockError("source-unreadable", `${error.message}. Other files of the folder have changed, so the stored one may not fit them. Load again; until all has arrived the stored version stays as it is.`, { cause: error });
    }
    load.isOffline = true;
    return this.#openStored(opening, record);
  }

  /** A file as it was stored; pieces that are damaged come from the server. */
  #openStored(opening: Opening, record: FileRecord): OpenFile {
    if (record.missing) throw missing(opening.file, this.location);
    return this.#openKnown(opening, wholeFile(opening.file, record));
  }

  #openNew({ file, load, store, signal }: Opening, url: URL, response: Response): OpenFile {
    const { headers, body } = response;
    const validators = { etag: headers.get("etag"), modified: headers.get("last-modified") };
    load.found.set(file, null);
    const chunks = readNew(url, body!, store, signal, async (list) => {
      // Firefox ends a body that was cut short as if it were whole.
      if (list !== null && canCarry(response, list.size)) load.found.set(file, { ...list, ...validators });
      if (LAST.includes(file)) await this.#settle(load, store);
    });
    return { size: lengthOf(headers), chunks, close: () => drop(response) };
  }

  /** The last file of a load has ended: if all was stored, it is what is read without a network from now on. */
  async #settle(load: FolderLoad, store: FolderStore): Promise<void> {
    if (await load.storing.end()) await store.alone(() => this.#keepVersion(load, store));
  }

  async #keepVersion(load: FolderLoad, store: FolderStore): Promise<void> {
    const old = await load.stored;
    const records = load.over(old);
    // Of a form of the folder before it was converted. An adapter beside has its own names, but for one.
    for (const name of this.#manifest?.files.keys() ?? []) if (name !== "config.json") records?.delete(name);
    if (records === null || JSON.stringify([...records]) === JSON.stringify([...old])) return;
    // Another page that has stored its version meanwhile swept the pieces of this one, which no record names yet.
    if (!(await store.hasPieces(load.digests())) || !(await store.keepRecords(records))) return;
    load.stored = Promise.resolve(records);
    // A converted encoder may lie in an adapter's folder. Its pieces are known to whoever has read its rootstock.json alone.
    const knowsAll = this.#manifest !== null || records.get(MANIFEST_NAME)?.pieces === undefined;
    // What abandoned versions left goes, too.
    if (knowsAll) await store.sweep(this.#digests(load));
  }

  /** The stored version gives way to the one that is arriving, where both do not fit. */
  async #dropOldVersion(load: FolderLoad, store: FolderStore): Promise<boolean> {
    if (load.found.get(MANIFEST_NAME)?.pieces === undefined || (await load.stored).size === 0) return false;
    return store.alone(async () => {
      load.stored = Promise.resolve(new Map());
      await store.dropRecords();
      await store.sweep(this.#digests(load));
    });
  }

  /** Digests of the version that is being read. */
  #digests(load: FolderLoad): string[] {
    return [...piecesOf(this.#manifest), ...load.digests()];
  }

  #url(file: string): URL {
    return fileUrl(file, this.#base);
  }
}

/** Digests of all pieces of a version. */
function piecesOf(manifest: Manifest | null): string[] {
  return [...(manifest?.files.values() ?? [])].flatMap((file) => listedPieces(file).pieces);
}

/** null for what the loader will refuse: nothing is kept of it. */
function parseManifest(bytes: Uint8Array): Manifest | null {
  try {
    return readManifest(bytes);
  } catch {
    return null;
  }
}
