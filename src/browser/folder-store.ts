import { sha256 } from "../load/byte-reader.ts";
import { parseRecords, type FileRecord } from "./file-records.ts";

/** The part of the Cache API that is used, without its names: a program for Node need not have DOM's types. */
export interface CacheHost {
  open(name: string): Promise<CacheEntries>;
  delete(name: string): Promise<boolean>;
}

/** The part of a `Cache` that is used. */
export interface CacheEntries {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
  delete(url: string): Promise<boolean>;
  keys(): Promise<readonly { readonly url: string }[]>;
}

const KEY = "?rootstock=";
const PIECE = `${KEY}piece-`;
const RECORDS = `${KEY}records`;

/**
 * The entries of one folder in a cache: pieces under their SHA-256, so that versions of a model share what they have in
 * common, and one with the records of files. Nothing here throws: a cache that fails is a cache that has nothing.
 */
export class FolderStore {
  readonly #cache: CacheEntries;
  readonly #base: string;

  /** @param base the folder's URL, ending in "/" */
  constructor(cache: CacheEntries, base: string) {
    this.#cache = cache;
    this.#base = base;
  }

  /** null where the host has no cache or refuses it (private windows, sandboxed frames, a full disk). */
  static async open(host: CacheHost, cacheName: string, base: string): Promise<FolderStore | null> {
    try {
      return new FolderStore(await host.open(cacheName), base);
    } catch {
      return null;
    }
  }

  /** A piece whose bytes are the right ones, in memory of its own (`giveBack`); an entry with others is dropped. */
  async piece(digest: string, size: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const key = this.#base + PIECE + digest;
    try {
      const entry = await this.#cache.match(key);
      if (entry === undefined) return null;
      const bytes = new Uint8Array(await entry.arrayBuffer());
      if (bytes.length === size && (await sha256(bytes)) === digest) return bytes;
    } catch {
      // An entry that cannot be read is dropped as well.
    }
    await this.#delete(key);
    return null;
  }

  async hasPiece(digest: string): Promise<boolean> {
    return (await this.#match(PIECE + digest)) !== undefined;
  }

  async hasPieces(digests: readonly string[]): Promise<boolean> {
    const names = new Set(await this.#keys());
    return digests.every((digest) => names.has(PIECE + digest));
  }

  /** Was it stored? A full quota says no. */
  keepPiece(digest: string, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    return this.#put(PIECE + digest, new Response(bytes, { headers: { "content-type": "application/octet-stream" } }));
  }

  /** What is remembered of files, by name. */
  async records(): Promise<Map<string, FileRecord>> {
    const entry = await this.#match(RECORDS);
    return parseRecords((await entry?.text().catch(() => "")) ?? "");
  }

  /** In the place of those before, all at once: whatever ends the page meanwhile, those of two versions never come together. */
  keepRecords(records: ReadonlyMap<string, FileRecord>): Promise<boolean> {
    return this.#put(RECORDS, new Response(JSON.stringify([...records])));
  }

  /** Forgets all files; their pieces go with the next sweep. */
  dropRecords(): Promise<void> {
    return this.#delete(this.#base + RECORDS);
  }

  /** Deletes the pieces that are neither in `kept` nor in a record. */
  async sweep(kept: Iterable<string>): Promise<void> {
    const wanted = new Set(kept);
    for (const { pieces = [] } of (await this.records()).values()) for (const digest of pieces) wanted.add(digest);
    const stale = (await this.#keys()).filter((name) => name.startsWith(PIECE) && !wanted.has(name.slice(PIECE.length)));
    await Promise.all(stale.map((name) => this.#delete(this.#base + name)));
  }

  /**
   * Changes the version that is stored while no other page does, where the host has locks. Nobody waits: a page that hangs
   * would hang the others' loads. Was it done?
   */
  async alone(change: () => Promise<void>): Promise<boolean> {
    const done = async (): Promise<boolean> => change().then(() => true);
    const locks = (globalThis as { readonly navigator?: { readonly locks?: LockManager } }).navigator?.locks;
    if (locks === undefined) return done();
    return locks.request(`rootstock ${this.#base}`, { ifAvailable: true }, async (lock) => lock !== null && done()).catch(() => false);
  }

  /** Deletes every entry of the folder. */
  async clear(): Promise<boolean> {
    const keys = await this.#keys();
    await Promise.all(keys.map((name) => this.#delete(this.#base + name)));
    return keys.length > 0;
  }

  /** The folder's keys without its URL. */
  async #keys(): Promise<string[]> {
    try {
      const own = this.#base + KEY;
      return (await this.#cache.keys()).map(({ url }) => url).filter((url) => url.startsWith(own)).map((url) => url.slice(this.#base.length)); // prettier-ignore
    } catch {
      return [];
    }
  }

  async #match(name: string): Promise<Response | undefined> {
    try {
      return await this.#cache.match(this.#base + name);
    } catch {
      return undefined;
    }
  }

  async #put(name: string, response: Response): Promise<boolean> {
    try {
      await this.#cache.put(this.#base + name, response);
      return true;
    } catch {
      return false;
    }
  }

  async #delete(key: string): Promise<void> {
    await this.#cache.delete(key).catch(() => false);
  }
}
