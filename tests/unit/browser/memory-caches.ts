import type { CacheHost } from "../../../src/browser/folder-store.ts";

/** The Cache API in memory, as far as it is used, with a quota. */
export class MemoryCaches implements CacheHost {
  readonly entries = new Map<string, Uint8Array<ArrayBuffer>>();
  /** Bytes that fit. */
  quota = Infinity;
  readonly #name: string;

  constructor(name = "rootstock") {
    this.#name = name;
  }

  async open(name: string): Promise<Cache> {
    if (name !== this.#name) throw new Error(`no cache ${name} in this test`);
    const { entries } = this;
    const cache = {
      match: async (key: string) => (entries.has(key) ? new Response(entries.get(key)!) : undefined),
      put: async (key: string, response: Response) => {
        const bytes = new Uint8Array(await response.arrayBuffer());
        if (this.bytes + bytes.length > this.quota) throw new DOMException("full", "QuotaExceededError");
        entries.set(key, bytes);
      },
      delete: async (key: string) => entries.delete(key),
      keys: async () => [...entries.keys()].map((url) => ({ url })),
    };
    return cache as unknown as Cache;
  }

  async delete(name: string): Promise<boolean> {
    const had = name === this.#name && this.entries.size > 0;
    this.entries.clear();
    return had;
  }

  get bytes(): number {
    return [...this.entries.values()].reduce((sum, { length }) => sum + length, 0);
  }

  keysWith(part: string): string[] {
    return [...this.entries.keys()].filter((key) => key.includes(part));
  }
}
