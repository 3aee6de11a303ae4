import { MANIFEST_NAME, readManifest } from "../format/manifest.ts";
import type { Manifest } from "../format/types.ts";
import { MAX_CONFIG_BYTES, MAX_PIECE_BYTES } from "../limits.ts";
import { ByteReader, canHash } from "../load/byte-reader.ts";
import { arrivingChunks, lengthOf, missing, readBody, toSource, type OpenFile, type Source } from "../load/source.ts";
import { FolderStore, type CacheHost } from "./folder-store.ts";
import { listedPieces, type FileRecord, type PieceList, type StoredFile } from "./piece-list.ts";
import { readKnown, readNew, Storing, type KnownFile } from "./read-pieces.ts";
import { ask } from "./request.ts";

/** Options of `cached` and `clearCache`. */
export interface CacheOptions {
  /** Name of the cache that holds the files. Default "rootstock". */
  readonly cacheName?: string;
  /** Where caches come from. Default: the host's own `caches`; where there is none, files come from the server each time. */
  readonly caches?: CacheHost;
}

/** The last file that the loader reads: with it a version is whole. */
const WEIGHTS = "model.safetensors";
const DEFAULT_CACHE = "rootstock";

/**
 * A folder on a server, kept in the host's Cache API: a source for `loadEncoder` and `addAdapter`.
 *
 * A converted encoder is stored in the pieces of its rootstock.json, each checked by SHA-256 before it is stored and when it is read.
 * A later load asks the server for rootstock.json alone and goes on without it when there is no network. Files without
 * digests (adapters, encoders that were not converted) are confirmed by their ETag or date. A version that differs takes the
 * old one's place when all of it has arrived. Trouble with the cache never fails a load.
 *
 * @param url of a folder, relative ones to the page or worker. What is not HTTP is read without a cache.
 * @throws RootstockError `argument-invalid` for what is no URL. Reading throws `source-missing`, `source-unreadable`,
 *   `source-truncated`, `digest-mismatch`.
 */
export function cached(url: string | URL, options: CacheOptions = {}): Source {
  const plain = toSource(url);
  const base = folderUrl(url);
  const host = options.caches ?? ownCaches();
  if (base === null || host === undefined || !canHash()) return plain;
  return new CachedFolder(base, plain, host, options.cacheName ?? DEFAULT_CACHE);
}

/**
 * Deletes what `cached` stored: that of one folder, or all of it.
 * @returns was there anything?
 */
export async function clearCache(options: CacheOptions & { readonly url?: string | URL } = {}): Promise<boolean> {
  const { url, cacheName = DEFAULT_CACHE, caches: host = ownCaches() } = options;
  if (host === undefined) return false;
  if (url === undefined) return host.delete(cacheName);
  const base = folderUrl(url);
  const store = base === null ? null : await FolderStore.open(host, cacheName, base.href);
  return store === null ? false : store.clear();
}

/** null for what is not HTTP: the Cache API refuses it. */
function folderUrl(given: string | URL): URL | null {
  const base = typeof location === "undefined" ? undefined : location.href;
  if (!URL.canParse(String(given), base)) return null;
  const url = new URL(String(given), base);
  if (!/^https?:$/.test(url.protocol)) return null;
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

class CachedFolder implements Source {
  readonly location: string;
  readonly #base: URL;
  readonly #plain: Source;
  readonly #host: CacheHost;
  readonly #cacheName: string;
  /** Of the version that is being read; null for a folder without one. */
  #manifest: Manifest | null = null;
  /** Pieces of its rootstock.json, which has no record before the version is whole. */
  #manifestPieces: readonly string[] = [];
  /** Has rootstock.json changed in the life of this source? Loads at the same time may then be of different versions. */
  #hasChanged = false;
  /** Its pieces on their way into the store. */
  #storing: Storing | null = null;
  /** Writes down that the version is stored; null when it was before. */
  #settle: ((store: FolderStore) => Promise<void>) | null = null;

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
    if (file === MANIFEST_NAME) return this.#openManifest(store, signal);
    const listed = this.#manifest?.files.get(file);
    const list = listed === undefined ? null : listedPieces(listed);
    // The loader refuses such a piece, and says why.
    if (list !== null && list.pieceBytes > MAX_PIECE_BYTES) return this.#plain.open(file, { signal });
    if (list === null) return this.#openUnlisted(file, store, signal, (record) => this.#replace(store, file, record));
    return this.#known(file, list, store, signal);
  }

  /** The pieces of a file; after those of the weights the version is whole. */
  #known(file: string, list: PieceList, store: FolderStore, signal: AbortSignal | undefined): OpenFile {
    const storing = (this.#storing ??= new Storing(store, () => this.#dropOldVersion(store)));
    const known: KnownFile = {
      url: this.#url(file),
      list,
      store,
      storing,
      signal,
      onEnd: async () => {
        if (file !== WEIGHTS || !(await storing.end())) return;
        await this.#settle?.(store);
        this.#settle = null;
      },
    };
    return { size: list.size, chunks: readKnown(known), isChecked: !this.#hasChanged };
  }

  async #openManifest(store: FolderStore, signal: AbortSignal | undefined): Promise<OpenFile> {
    const fresh: { record: StoredFile | null } = { record: null };
    try {
      const file = await this.#openUnlisted(MANIFEST_NAME, store, signal, async (record) => void (fresh.record = record));
      const bytes = await readSmall(file, MANIFEST_NAME, signal);
      this.#begin(parseManifest(bytes), fresh.record);
      return { size: bytes.length, chunks: (async function* () { yield bytes; })() }; // prettier-ignore
    } catch (error) {
      this.#begin(null, null);
      throw error;
    }
  }

  /** A load begins, of this version. @param record of its rootstock.json, where the stored one is another */
  #begin(manifest: Manifest | null, record: StoredFile | null): void {
    this.#hasChanged ||= this.#manifest !== null && JSON.stringify(piecesOf(this.#manifest)) !== JSON.stringify(piecesOf(manifest));
    this.#manifest = manifest;
    this.#manifestPieces = record?.pieces ?? [];
    this.#storing = null;
    // Until all of the new version has arrived, the old one is what works without a network.
    this.#settle = manifest === null || record === null ? null : (store) => this.#replace(store, MANIFEST_NAME, record);
  }

  /** A file without known digests: the stored one if the server confirms it or cannot be reached. */
  async #openUnlisted(file: string, store: FolderStore, signal: AbortSignal | undefined, keep: (record: StoredFile) => Promise<void>): Promise<OpenFile> {
    const record = await store.record(file);
    const stored = record === null || record.missing ? null : record;
    const url = this.#url(file);
    const answer = await ask(url, stored, signal);
    if (answer.kind === "missing" || (answer.kind === "unreachable" && record?.missing)) {
      if (answer.kind === "missing") await this.#replace(store, file, { missing: true });
      throw missing(file, this.location);
    }
    if (answer.kind === "file") return this.#openNew(url, answer.response, store, signal, keep);
    if (answer.kind === "unchanged") return openStored(url, answer.stored, store, signal);
    if (stored !== null) {
      await answer.page?.body?.cancel();
      return openStored(url, stored, store, signal);
    }
    if (answer.page === undefined) throw answer.error;
    // Whoever reads it says best what is wrong with it.
    return { size: null, chunks: readBody(arrivingChunks(answer.page.body!), url.href, signal) };
  }

  #openNew(url: URL, response: Response, store: FolderStore, signal: AbortSignal | undefined, keep: (record: StoredFile) => Promise<void>): OpenFile {
    const { headers, body } = response;
    const validators = { etag: headers.get("etag"), modified: headers.get("last-modified") };
    const size = lengthOf(headers);
    const chunks = readNew(url, body!, store, signal, async (list) => {
      // Firefox ends a body that was cut short as if it were whole.
      if (list !== null && (size === null || size === list.size)) await keep({ ...list, ...validators });
    });
    return { size, chunks };
  }

  /** Writes a record down; what the old one had is deleted. */
  async #replace(store: FolderStore, file: string, record: FileRecord): Promise<void> {
    const old = await store.record(file);
    if (JSON.stringify(old) === JSON.stringify(record)) return;
    const isKept = await store.keepRecord(file, record);
    // What an abandoned version left goes with the next one that is whole.
    if (isKept && (old !== null || file === MANIFEST_NAME)) await store.sweep(this.#digests());
  }

  /** The stored version gives way to the one that is arriving, where both do not fit. */
  async #dropOldVersion(store: FolderStore): Promise<boolean> {
    if (this.#settle === null || (await store.record(MANIFEST_NAME)) === null) return false;
    await store.dropRecord(MANIFEST_NAME);
    await store.sweep(this.#digests());
    return true;
  }

  /** Digests of the version that is being read. */
  #digests(): string[] {
    return [...piecesOf(this.#manifest), ...this.#manifestPieces];
  }

  #url(file: string): URL {
    return new URL(encodeURIComponent(file), this.#base);
  }
}

/** A stored file; pieces that are damaged come from the server. */
function openStored(url: URL, list: StoredFile, store: FolderStore, signal: AbortSignal | undefined): OpenFile {
  const storing = new Storing(store, async () => false);
  return { size: list.size, chunks: readKnown({ url, list, store, storing, signal, onEnd: async () => void (await storing.end()) }) };
}

async function readSmall(file: OpenFile, name: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const reader = new ByteReader(file, { name, signal });
  try {
    return await reader.readRest(MAX_CONFIG_BYTES);
  } finally {
    await reader.close();
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
