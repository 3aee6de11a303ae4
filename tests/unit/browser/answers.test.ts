import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cached, clearCache } from "../../../src/browser/index.ts";
import { parseRecord } from "../../../src/browser/piece-list.ts";
import type { Source } from "../../../src/load/source.ts";
import { convertedFolder, PIECE, weightBytes } from "./converted-folder.ts";
import { MemoryCaches } from "./memory-caches.ts";

const BASE = "https://a.example/model/";
const WEIGHTS = "model.safetensors";

let folder: Map<string, Uint8Array>;
let caches: MemoryCaches;
/** What the server says instead of the file; by its name. */
let answers: Map<string, (init: RequestInit) => Response | Promise<Response>>;

beforeEach(() => {
  folder = convertedFolder(weightBytes(3 * PIECE + 10));
  caches = new MemoryCaches();
  answers = new Map();
  vi.stubGlobal("fetch", async (url: URL, init: RequestInit) => {
    const name = url.pathname.split("/").at(-1)!;
    return answers.get(name)?.(init) ?? new Response(Buffer.from(folder.get(name)!), { headers: { etag: `"${createHash("sha256").update(folder.get(name)!).digest("hex")}"` } });
  });
});
afterEach(() => vi.unstubAllGlobals());

async function readAll(source: Source, file: string): Promise<Buffer> {
  const { chunks } = await source.open(file, { signal: undefined });
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(Uint8Array.from(chunk));
  return Buffer.concat(parts);
}

async function load(): Promise<Buffer> {
  const source = cached(BASE, { caches });
  await readAll(source, "rootstock.json");
  return readAll(source, WEIGHTS);
}

const refusal = (code: string): object => expect.objectContaining({ code }) as object;
const page = (): Response => new Response("<html></html>", { headers: { "content-type": "text/html" } });

describe("odd answers for a file with digests", () => {
  it.each<[string, string, () => Response]>([
    ["it is gone", "source-missing", () => new Response("", { status: 404 })],
    ["it is gone for good", "source-missing", () => new Response("", { status: 410 })],
    ["the server is in trouble", "source-unreadable", () => new Response("", { status: 500 })],
    ["a part that was not asked for", "source-unreadable", () => new Response("x", { status: 206 })],
    ["nothing at all", "source-unreadable", () => new Response(null, { status: 200 })],
    ["another length", "source-truncated", () => new Response("x", { headers: { "content-length": "1" } })],
    ["fewer bytes", "source-truncated", () => new Response(Buffer.from(folder.get(WEIGHTS)!.subarray(0, PIECE + 1)))],
    ["as many other bytes", "digest-mismatch", () => new Response(Buffer.alloc(3 * PIECE + 10))],
  ])("%s: %s", async (_what, code, answer) => {
    answers.set(WEIGHTS, answer);
    await expect(load()).rejects.toEqual(refusal(code));
    answers.clear();
    expect(await load()).toEqual(Buffer.from(folder.get(WEIGHTS)!));
  });

  it("a compressed answer tells no length, and none is missed", async () => {
    answers.set(WEIGHTS, () => new Response(Buffer.from(folder.get(WEIGHTS)!), { headers: { "content-encoding": "identity", "content-length": "7" } }));
    expect(await load()).toEqual(Buffer.from(folder.get(WEIGHTS)!));
  });

  it("a part may come without a word about where it starts, and not from elsewhere", async () => {
    await load();
    const [, , third] = caches.keysWith("?rootstock=piece-").filter((key) => caches.entries.get(key)!.length === PIECE);
    for (const [range, isRight] of [[undefined, true], ["bytes 0-999/3010", false]] as const) {
      caches.entries.delete(third!);
      const part = Buffer.from(folder.get(WEIGHTS)!.subarray(2 * PIECE, 3 * PIECE));
      answers.set(WEIGHTS, () => new Response(part, { status: 206, headers: range === undefined ? {} : { "content-range": range } }));
      if (isRight) expect(await load()).toEqual(Buffer.from(folder.get(WEIGHTS)!));
      else await expect(load()).rejects.toEqual(refusal("source-truncated"));
    }
  });

  it("a whole file that ends before the part that was asked for is cut short", async () => {
    await load();
    const [, , third] = caches.keysWith("?rootstock=piece-").filter((key) => caches.entries.get(key)!.length === PIECE);
    caches.entries.delete(third!);
    answers.set(WEIGHTS, () => new Response(Buffer.alloc(PIECE)));
    await expect(load()).rejects.toEqual(refusal("source-truncated"));
  });

  it("pieces longer than their file take no more memory than it, and pieces above 1 GiB are left to the loader", async () => {
    const claimed = (bytes: number, size: number): void => {
      const manifest = JSON.parse(Buffer.from(folder.get("rootstock.json")!).toString()) as { files: Record<string, object> };
      const sha256 = createHash("sha256").update(folder.get(WEIGHTS)!).digest("hex");
      manifest.files[WEIGHTS] = { size, sha256, pieces: { bytes, sha256: [sha256] } };
      folder.set("rootstock.json", Buffer.from(JSON.stringify(manifest)));
    };
    const { length } = folder.get(WEIGHTS)!;
    claimed(2 ** 50, length);
    expect(await load()).toEqual(Buffer.from(folder.get(WEIGHTS)!));
    claimed(2 ** 31, 2 ** 31);
    expect(await load()).toEqual(Buffer.from(folder.get(WEIGHTS)!)); // as it comes: the loader compares its size
  });
});

describe("odd answers for a file without digests", () => {
  const read = (): Promise<Buffer> => readAll(cached(BASE, { caches }), "config.json");

  it("a page in its place is read by whoever can say what is wrong with it, when nothing is stored", async () => {
    answers.set("config.json", page);
    expect((await read()).toString()).toBe("<html></html>");
  });

  it("no bytes are a file too", async () => {
    folder.set("config.json", new Uint8Array(0));
    for (let i = 0; i < 2; i++) expect((await read()).length).toBe(0);
  });

  it("304 to a question without conditions is no file", async () => {
    answers.set("config.json", () => new Response(null, { status: 304 }));
    await expect(read()).rejects.toEqual(refusal("source-unreadable"));
  });

  it("the same ETag, date or neither decide whether the stored one is right, where 304 cannot be had", async () => {
    for (const headers of [{ etag: '"1"' }, { "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" }] as const) {
      answers.set("config.json", () => new Response('{"a":1}', { headers: { ...headers, "content-length": "7" } }));
      expect((await read()).toString()).toBe('{"a":1}');
      answers.set("config.json", () => new Response('{"b":2}', { headers: { ...headers, "content-length": "7" } }));
      expect((await read()).toString()).toBe('{"a":1}');
      caches.entries.clear();
    }
    answers.set("config.json", () => new Response('{"c":3}', { headers: { "content-length": "8" } }));
    expect((await read()).toString()).toBe('{"c":3}');
    expect(caches.keysWith("record-")).toEqual([]); // it was cut short
  });

  it("conditions are sent to the page's own origin alone", async () => {
    const sent: unknown[] = [];
    const answer = (headers: Record<string, string>) => (init: RequestInit): Response => (sent.push(init.headers), new Response("{}", { headers }));
    for (const origin of ["https://a.example", "https://b.example"]) {
      vi.stubGlobal("location", { href: `${origin}/`, origin });
      for (const headers of [{ etag: '"1"' }, { "last-modified": "x" }, {}]) {
        answers.set("config.json", answer(headers as Record<string, string>));
        await read();
        await read();
        caches.entries.clear();
      }
    }
    expect(sent).toEqual([{}, { "if-none-match": '"1"' }, {}, { "if-modified-since": "x" }, {}, {}, {}, {}, {}, {}, {}, {}]);
  });

  it("a page that fails when it is thrown away changes nothing", async () => {
    await read();
    answers.set("config.json", () => new Response(new ReadableStream({ cancel: () => Promise.reject(new Error("no")) }), { status: 503 }));
    expect((await read()).toString()).toBe('{"a":1}');
  });

  it("an ordinary stream's chunks stay its maker's", async () => {
    const chunk = new Uint8Array(Buffer.from('{"a":1}'));
    answers.set("config.json", () => new Response(new ReadableStream({ start: (controller) => (controller.enqueue(chunk), controller.close()) })));
    expect((await read()).toString()).toBe('{"a":1}');
    expect(chunk.length).toBe(7);
  });
});

describe("records", () => {
  const record = { size: 5, pieceBytes: 5, pieces: ["0".repeat(64)], etag: null, modified: null };

  it("are read as they were written, and not at all when they are none", () => {
    expect(parseRecord(JSON.stringify(record))).toEqual(record);
    expect(parseRecord('{"missing":true}')).toEqual({ missing: true });
    const wrong: object[] = [{ size: -1 }, { size: 1.5 }, { pieceBytes: 0 }, { pieceBytes: 2 ** 40 }, { pieces: [] }, { pieces: "x" }, { pieces: ["x"] }, { pieces: [7] }, { etag: 1 }, { modified: 1 }];
    for (const fields of wrong) expect(parseRecord(JSON.stringify({ ...record, ...fields }))).toBeNull();
    for (const text of ["", "{", "null", "7", '"x"', "[]"]) expect(parseRecord(text)).toBeNull();
  });

  it("of other files keep their pieces when one is swept", async () => {
    const source = cached(BASE, { caches });
    for (const name of ["config.json", WEIGHTS]) await readAll(source, name);
    caches.entries.set(`${BASE}?rootstock=record-gone.json`, Buffer.from('{"missing":true}') as never);
    caches.entries.set(`${BASE}?rootstock=record-bad.json`, Buffer.from("bad") as never);
    folder.set("config.json", Buffer.from('{"changed":true}'));
    await readAll(source, "config.json");
    expect(caches.keysWith("?rootstock=piece-")).toHaveLength(2);
  });
});

it("addresses: relative ones to the page, other protocols without a cache, nothing to clear where there is none", async () => {
  expect(await clearCache({ caches, url: "ftp://a.example/" })).toBe(false);
  expect(await clearCache({ caches, url: "no address" })).toBe(false);
  expect(await clearCache({ caches: { open: () => Promise.reject(new Error("denied")), delete: async () => false }, url: BASE })).toBe(false);
  vi.stubGlobal("location", { href: "https://a.example/", origin: "https://a.example" });
  expect(await clearCache({ caches, url: "model" })).toBe(false);
  expect(cached(`${BASE}x/`, { caches }).location).toBe(`${BASE}x/`);
  vi.stubGlobal("caches", caches);
  expect(await clearCache({ url: BASE })).toBe(false);
});
