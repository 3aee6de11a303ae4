import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cached, clearCache } from "../../../src/browser/index.ts";
import { parseRecords } from "../../../src/browser/file-records.ts";
import { convertedFolder, PIECE, weightBytes } from "./converted-folder.ts";
import { MemoryCaches } from "./memory-caches.ts";
import { readAll } from "./read-all.ts";

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

it("nothing is kept of a folder whose rootstock.json is none", async () => {
  folder.set("rootstock.json", Buffer.from("{}"));
  expect(await load()).toEqual(Buffer.from(folder.get(WEIGHTS)!));
  expect(caches.keysWith("?rootstock=records")).toEqual([]);
});

describe("odd answers for a file without digests", () => {
  /** The last one of an adapter: with it what was read is stored. */
  const FILE = "adapter_model.safetensors";
  beforeEach(() => void folder.set(FILE, Buffer.from('{"a":1}')));
  const read = (): Promise<Buffer> => readAll(cached(BASE, { caches }), FILE);

  it("a page in its place is read by whoever can say what is wrong with it, when nothing is stored", async () => {
    answers.set(FILE, page);
    expect((await read()).toString()).toBe("<html></html>");
  });

  it("no bytes are a file too", async () => {
    folder.set(FILE, new Uint8Array(0));
    for (let i = 0; i < 2; i++) expect((await read()).length).toBe(0);
  });

  it("304 to a question without conditions is no file", async () => {
    answers.set(FILE, () => new Response(null, { status: 304 }));
    await expect(read()).rejects.toEqual(refusal("source-unreadable"));
  });

  it("the same ETag, date or neither decide whether the stored one is right, where 304 cannot be had", async () => {
    for (const headers of [{ etag: '"1"' }, { "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" }] as const) {
      answers.set(FILE, () => new Response('{"a":1}', { headers: { ...headers, "content-length": "7" } }));
      expect((await read()).toString()).toBe('{"a":1}');
      answers.set(FILE, () => new Response('{"b":2}', { headers: { ...headers, "content-length": "7" } }));
      expect((await read()).toString()).toBe('{"a":1}');
      caches.entries.clear();
    }
    answers.set(FILE, () => new Response('{"c":3}', { headers: { "content-length": "8" } }));
    expect((await read()).toString()).toBe('{"c":3}');
    expect(caches.keysWith("records")).toEqual([]); // it was cut short
  });

  it("conditions are sent to the page's own origin alone", async () => {
    const sent: unknown[] = [];
    const answer = (headers: Record<string, string>) => (init: RequestInit): Response => (sent.push(init.headers), new Response("{}", { headers }));
    for (const origin of ["https://a.example", "https://b.example"]) {
      vi.stubGlobal("location", { href: `${origin}/`, origin });
      for (const headers of [{ etag: '"1"' }, { "last-modified": "x" }, {}]) {
        answers.set(FILE, answer(headers as Record<string, string>));
        await read();
        await read();
        caches.entries.clear();
      }
    }
    expect(sent).toEqual([{}, { "if-none-match": '"1"' }, {}, { "if-modified-since": "x" }, {}, {}, {}, {}, {}, {}, {}, {}]);
  });

  it("a page that fails when it is thrown away changes nothing", async () => {
    await read();
    answers.set(FILE, () => new Response(new ReadableStream({ cancel: () => Promise.reject(new Error("no")) }), { status: 503 }));
    expect((await read()).toString()).toBe('{"a":1}');
  });

  it("an ordinary stream's chunks stay its maker's", async () => {
    const chunk = new Uint8Array(Buffer.from('{"a":1}'));
    answers.set(FILE, () => new Response(new ReadableStream({ start: (controller) => (controller.enqueue(chunk), controller.close()) })));
    expect((await read()).toString()).toBe('{"a":1}');
    expect(chunk.length).toBe(7);
  });
});

describe("records", () => {
  const record = { size: 5, pieceBytes: 5, pieces: ["0".repeat(64)], etag: null, modified: null };

  it("are read as they were written, and none when one of them is no record", () => {
    const records = [["a", record], ["b", { missing: true }]] as const;
    expect([...parseRecords(JSON.stringify(records))]).toEqual(records);
    const wrong: object[] = [{ size: -1 }, { size: 1.5 }, { pieceBytes: 0 }, { pieceBytes: 2 ** 40 }, { pieces: [] }, { pieces: "x" }, { pieces: ["x"] }, { pieces: [7] }, { etag: 1 }, { modified: 1 }];
    for (const fields of wrong) expect(parseRecords(JSON.stringify([["a", record], ["b", { ...record, ...fields }]])).size).toBe(0);
    for (const text of ["", "{", "null", "7", '"x"', "{}", "[7]", "[null]", '[["a"]]', '[["a",null]]', '[["a",7]]', '[[7,{"missing":true}]]']) expect(parseRecords(text).size, text).toBe(0);
    expect(parseRecords("[]").size).toBe(0);
  });

  it("that cannot be read are none", async () => {
    await load();
    const cache = await caches.open("rootstock");
    const broken = (key: string): Promise<Response | undefined> =>
      key.endsWith("records") ? Promise.resolve(new Response(new ReadableStream({ start: (controller) => controller.error(new Error("gone")) }))) : cache.match(key);
    const host = { open: async () => ({ ...cache, match: broken }) as unknown as Cache, delete: async () => false };
    vi.stubGlobal("fetch", () => Promise.reject(new Error("offline")));
    await expect(readAll(cached(BASE, { caches: host }), "rootstock.json")).rejects.toEqual(refusal("source-unreadable"));
    expect((await readAll(cached(BASE, { caches }), "rootstock.json")).length).toBeGreaterThan(0);
  });

  it("of files that were not read keep their pieces when another has changed", async () => {
    const read = async (names: string[]): Promise<void> => {
      const source = cached(BASE, { caches });
      for (const name of names) await readAll(source, name);
    };
    await read(["config.json", WEIGHTS]);
    folder.set(WEIGHTS, weightBytes(PIECE, 1));
    await read([WEIGHTS]);
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

/** As a page of another origin sees it: the length of what was sent, and not that it was compressed. */
function hidden(bytes: Uint8Array, length: number): Response {
  const response = new Response(Buffer.from(bytes), { headers: { "content-length": String(length), etag: `"${length}"` } });
  return Object.defineProperty(response, "type", { value: "cors" });
}

it("what another origin compresses is loaded, stored, and there without a network", async () => {
  for (const name of ["rootstock.json", WEIGHTS]) answers.set(name, () => hidden(folder.get(name)!, 7));
  expect(await load()).toEqual(Buffer.from(folder.get(WEIGHTS)!));
  for (const name of folder.keys()) answers.set(name, () => Promise.reject(new TypeError("no network")));
  expect(await load()).toEqual(Buffer.from(folder.get(WEIGHTS)!));
  // More bytes than are expected are never it.
  caches.entries.clear();
  answers.clear();
  answers.set(WEIGHTS, () => hidden(folder.get(WEIGHTS)!, 1e6));
  await expect(load()).rejects.toEqual(refusal("source-truncated"));
});

it("a server that answers no conditional requests is asked without a condition, and its new version is seen", async () => {
  const refused = vi.fn();
  const only = (name: string) => (init: RequestInit): Response => {
    if (Object.keys(init.headers ?? {}).some((header) => header.startsWith("if-"))) {
      refused();
      throw new TypeError("a preflight was refused");
    }
    return new Response(Buffer.from(folder.get(name)!), { headers: { etag: `"${createHash("sha256").update(folder.get(name)!).digest("hex")}"` } });
  };
  for (const name of folder.keys()) answers.set(name, only(name));
  await load();
  expect(await load()).toEqual(Buffer.from(folder.get(WEIGHTS)!));
  expect(refused).toHaveBeenCalled();
  folder = convertedFolder(weightBytes(2 * PIECE));
  expect(await load()).toEqual(Buffer.from(folder.get(WEIGHTS)!));
});

describe("a host that answers with its page for what is not there", () => {
  const ADAPTER = ["adapter_config.json", "config.json", "adapter_model.safetensors"] as const;

  beforeEach(() => {
    folder = new Map(ADAPTER.filter((name) => name !== "config.json").map((name) => [name, Buffer.from(`${name}, first`)]));
  });

  /** As the loader: a page, or nothing, stands for no labels. */
  async function loadAdapter(): Promise<string> {
    const source = cached(BASE, { caches });
    const [config, labels, weights] = [await readAll(source, ADAPTER[0]), await readAll(source, ADAPTER[1]).catch((error: { code: string }) => error.code), await readAll(source, ADAPTER[2])];
    return [config, labels, weights].map(String).join(" | ");
  }

  it("serves an adapter without labels that is there without a network, too", async () => {
    answers.set("config.json", page);
    expect(await loadAdapter()).toBe("adapter_config.json, first | <html></html> | adapter_model.safetensors, first");
    for (const name of ADAPTER) answers.set(name, () => Promise.reject(new TypeError("no network")));
    expect(await loadAdapter()).toBe("adapter_config.json, first | source-missing | adapter_model.safetensors, first");
  });

  it("does not keep an old version for ever that was stored before it answered so", async () => {
    answers.set("config.json", () => new Response("", { status: 404 }));
    expect(await loadAdapter()).toContain("source-missing");
    answers.set("config.json", page);
    folder.set(ADAPTER[2], Buffer.from("retrained"));
    expect(await loadAdapter()).toBe("adapter_config.json, first | source-missing | retrained");
  });
});

it("a folder that is converted where it lies leaves nothing of its old weights", async () => {
  const converted = folder;
  folder = new Map([["config.json", converted.get("config.json")!], [WEIGHTS, weightBytes(5 * PIECE)]]);
  answers.set("rootstock.json", () => new Response("", { status: 404 }));
  const plain = cached(BASE, { caches });
  await readAll(plain, "rootstock.json").catch(() => undefined);
  for (const name of ["config.json", WEIGHTS]) await readAll(plain, name);
  const old = caches.keysWith("?rootstock=piece-");
  expect(old.length).toBeGreaterThan(1);
  folder = converted;
  answers.clear();
  await load();
  const digest = createHash("sha256").update(weightBytes(5 * PIECE)).digest("hex");
  expect(caches.keysWith("?rootstock=piece-").filter((key) => key.includes(digest))).toEqual([]);
  const [records] = caches.keysWith("records");
  expect([...parseRecords(Buffer.from(caches.entries.get(records!)!).toString()).keys()]).not.toContain(WEIGHTS);
});
