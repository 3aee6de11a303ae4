import { sha256 } from "../load/byte-reader.ts";
import { parseRecord, type FileRecord } from "./piece-list.ts";

/** The part of the Cache API that is used. */
export type CacheHost = Pick<CacheStorage, "open" | "delete">;

const KEY = "?rootstock=";
const PIECE = `${KEY}piece-`;
const RECORD = `${KEY}record-`;

/**
 * The entries of one folder in a cache: pieces under their SHA-256, so that versions of a model share what they have in
 * common, and records under the names of files. Nothing here throws: a cache that fails is a cache that has nothing.
 */
export class FolderStore {
  readonly #cache: Cache;
  readonly #base: string;

  /** @param base the folder's URL, ending in "/" */
  constructor(cache: Cache, base: string) {
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

  /** Was it stored? A full quota says no. */
  keepPiece(digest: string, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    return this.#put(PIECE + digest, new Response(bytes, { headers: { "content-type": "application/octet-stream" } }));
  }

  async record(file: string): Promise<FileRecord | null> {
    const entry = await this.#match(RECORD + encodeURIComponent(file));
    try {
      return entry === undefined ? null : parseRecord(await entry.text());
    } catch {
      return null;
    }
  }

  keepRecord(file: string, record: FileRecord): Promise<boolean> {
    return this.#put(RECORD + encodeURIComponent(file), new Response(JSON.stringify(record)));
  }

  /** Forgets a file; its pieces go with the next sweep. */
  dropRecord(file: string): Promise<void> {
    return this.#delete(this.#base + RECORD + encodeURIComponent(file));
  }

  /** Deletes the pieces that are neither in `kept` nor in a record. */
  async sweep(kept: Iterable<string>): Promise<void> {
    const keys = await this.#keys();
    const wanted = new Set(kept);
    for (const key of keys.filter((name) => name.startsWith(RECORD))) {
      const record = await this.record(decodeURIComponent(key.slice(RECORD.length)));
      if (record !== null && !record.missing) for (const digest of record.pieces) wanted.add(digest);
    }
    const stale = keys.filter((name) => name.startsWith(PIECE) && !wanted.has(name.slice(PIECE.length)));
    await Promise.all(stale.map((name) => this.#delete(this.#base + name)));
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
