import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cached, clearCache } from "../../../src/browser/index.ts";
import { eventually } from "../../eventually.ts";
import { FileServer, type Fault } from "../../runtimes/browser/server.ts";
import { convertedFolder, PIECE, weightBytes } from "./converted-folder.ts";
import { MemoryCaches } from "./memory-caches.ts";
import { readAll } from "./read-all.ts";

const NAMES = ["rootstock.json", "config.json", "model.safetensors"];
const WEIGHTS = weightBytes(5 * PIECE + 300);

let folder: Map<string, Uint8Array>;
let server: FileServer;
let base: string;
let caches: MemoryCaches;

beforeEach(async () => {
  folder = convertedFolder(WEIGHTS);
  server = new FileServer((path) => folder.get(path.slice("/model/".length)) ?? null);
  base = `${await server.start()}model`;
  caches = new MemoryCaches();
});

afterEach(() => server.stop().catch(() => undefined));

/** The weights' connection is cut after so many bytes, once the pieces that were whole by then are kept. */
function cutAfter(bytes: number): Fault {
  const kept = (): Buffer[] => [...caches.entries.values()].map((entry) => Buffer.from(entry));
  const pieces = Array.from({ length: Math.floor(bytes / PIECE) }, (_, i) => folder.get("model.safetensors")!.slice(i * PIECE, (i + 1) * PIECE));
  return { cut: { after: bytes, when: () => eventually(() => expect(pieces.every((piece) => kept().some((entry) => entry.equals(piece)))).toBe(true)) } };
}

/** Reads the folder as the loader does. */
async function load(names = NAMES, signal?: AbortSignal): Promise<Uint8Array[]> {
  const source = cached(base, { caches });
  const files: Uint8Array[] = [];
  for (const name of names) files.push(await readAll(source, name, signal));
  return files;
}

async function expectWhole(): Promise<void> {
  const files = await load();
  for (const [index, name] of NAMES.entries()) expect(Buffer.compare(files[index]!, folder.get(name)!), name).toBe(0);
}

describe("a converted folder", () => {
  it("comes from the server once; later loads ask for rootstock.json alone", async () => {
    await expectWhole();
    expect(server.requests.map(({ path, status }) => `${path} ${status}`)).toEqual(NAMES.map((name) => `/model/${name} 200`));
    expect(caches.keysWith("?rootstock=piece-")).toHaveLength(1 + 1 + 6);
    server.requests.length = 0;
    await expectWhole();
    expect(server.requests.map(({ path, status, bytes }) => [path, status, bytes])).toEqual([["/model/rootstock.json", 304, 0]]);
  });

  it("is read without a network after the first load", async () => {
    await load();
    await server.stop();
    await expectWhole();
  });

  it("is not there without a network before it was whole", async () => {
    server.faults.set("model.safetensors", cutAfter(2 * PIECE + 1));
    await expect(load()).rejects.toMatchObject({ code: "source-unreadable" });
    await server.stop();
    await expect(load()).rejects.toMatchObject({ code: "source-unreadable" });
  });

  it("goes on after a cut connection with the first piece that is missing", async () => {
    server.faults.set("model.safetensors", cutAfter(2 * PIECE + 1));
    await expect(load()).rejects.toMatchObject({ code: "source-unreadable" });
    server.faults.clear();
    server.requests.length = 0;
    await expectWhole();
    expect(server.requests.at(-1)).toEqual({ path: "/model/model.safetensors", range: "bytes=2000-5299", status: 206, bytes: 3300 });
  });

  it("comes whole from a server without Range", async () => {
    await load();
    caches.entries.delete(caches.keysWith("?rootstock=piece-")[4]!);
    server.faults.set("model.safetensors", { noRange: true });
    await expectWhole();
    expect(caches.keysWith("?rootstock=piece-")).toHaveLength(8);
  });

  it("fetches pieces that were changed or cut in the cache again, and only those", async () => {
    await load();
    const pieces = caches.keysWith("?rootstock=piece-").filter((key) => caches.entries.get(key)!.length === PIECE);
    caches.entries.get(pieces[1]!)![7]! ^= 1;
    caches.entries.set(pieces[3]!, caches.entries.get(pieces[3]!)!.slice(0, 5));
    server.requests.length = 0;
    await expectWhole();
    expect(server.requests.slice(1).map(({ range }) => range)).toEqual(["bytes=1000-1999", "bytes=3000-3999"]);
    expect(caches.entries.get(pieces[1]!)!.length).toBe(PIECE);
  });

  it("stores no piece that is wrong", async () => {
    server.faults.set("model.safetensors", { wrongByteAt: 2 * PIECE });
    await expect(load()).rejects.toMatchObject({ code: "digest-mismatch" });
    expect(caches.keysWith("?rootstock=records")).toEqual([]);
    server.faults.clear();
    await expectWhole();
  });

  it("refuses a file of another length or a page in its place", async () => {
    server.faults.set("model.safetensors", { html: true });
    await expect(load()).rejects.toMatchObject({ code: "source-truncated" });
    server.faults.clear();
    await expectWhole();
  });

  it("gives the stored version while the server is in trouble or a sign-in page answers", async () => {
    await load();
    for (const fault of [{ status: 503 }, { html: true }]) {
      server.faults.set("", fault);
      await expectWhole();
    }
  });

  it("keeps a file of no bytes, and one that is listed without pieces", async () => {
    folder = convertedFolder(new Uint8Array(0));
    await expectWhole();
    await server.stop();
    await expectWhole();
  });
});

describe("a new version", () => {
  it("replaces the old one; pieces that both have are not fetched again", async () => {
    await load();
    const old = new Set(caches.entries.keys());
    folder = convertedFolder(weightBytes(5 * PIECE + 300, 1, 4 * PIECE));
    server.requests.length = 0;
    await expectWhole();
    expect(server.requests.map(({ path, range }) => [path, range])).toEqual([["/model/rootstock.json", undefined], ["/model/model.safetensors", "bytes=4000-5299"]]);
    expect(caches.keysWith("?rootstock=piece-")).toHaveLength(8);
    expect([...old].filter((key) => caches.entries.has(key))).toHaveLength(old.size - 3);
  });

  it("leaves the old one in place until it is whole", async () => {
    await load();
    const older = folder;
    folder = convertedFolder(weightBytes(5 * PIECE + 300, 1));
    server.faults.set("model.safetensors", cutAfter(3 * PIECE));
    await expect(load()).rejects.toMatchObject({ code: "source-unreadable" });
    await server.stop();
    folder = older;
    await expectWhole();
  });

  it("leaves the loader to check what two loads of one source may have mixed", async () => {
    const source = cached(base, { caches });
    const isChecked = async (): Promise<boolean | undefined> => (await source.open("model.safetensors", { signal: undefined })).isChecked;
    await readAll(source, "rootstock.json");
    expect(await isChecked()).toBe(true);
    folder = convertedFolder(weightBytes(5 * PIECE + 300, 1));
    await readAll(source, "rootstock.json");
    expect(await isChecked()).toBe(false);
  });

  it("sweeps what an abandoned download left", async () => {
    server.faults.set("model.safetensors", cutAfter(3 * PIECE));
    await expect(load()).rejects.toThrow();
    server.faults.clear();
    folder = convertedFolder(weightBytes(5 * PIECE + 300, 1));
    await expectWhole();
    expect(caches.keysWith("?rootstock=piece-")).toHaveLength(8);
  });

  it("takes the old one's room where the quota does not hold both", async () => {
    await load();
    folder = convertedFolder(weightBytes(5 * PIECE + 300, 1));
    caches.quota = caches.bytes + 2 * PIECE;
    await expectWhole();
    server.requests.length = 0;
    await expectWhole();
    expect(server.bytesOf("model.safetensors")).toBe(PIECE);
    await server.stop();
    await expectWhole();
  });
});

describe("a full quota", () => {
  it.each([0, 1500, 4000])("of %i bytes leaves loading as it is", async (quota) => {
    caches.quota = quota;
    await expectWhole();
    await expectWhole();
    expect(caches.keysWith("?rootstock=records")).toEqual([]);
  });

  it("that holds all but the records leaves loading as it is", async () => {
    caches.quota = [...folder.values()].reduce((sum, { length }) => sum + length, 0);
    await expectWhole();
    expect(caches.bytes).toBe(caches.quota);
    server.requests.length = 0;
    await expectWhole();
    expect(server.requests.map(({ path, status }) => [path, status])).toEqual([["/model/rootstock.json", 200]]);
  });

  it("and a cache that cannot be opened leave loading as it is", async () => {
    const source = cached(base, { caches: { open: () => Promise.reject(new Error("denied")), delete: async () => false } });
    expect(await readAll(source, "config.json")).toEqual(Buffer.from(folder.get("config.json")!));
  });
});

describe("files without digests", () => {
  beforeEach(() => {
    folder = new Map([["adapter_config.json", Buffer.from("{}")], ["adapter_model.safetensors", weightBytes(9000)]]);
  });
  const files = ["adapter_config.json", "adapter_model.safetensors"];

  it("are confirmed by ETag, and read without a network", async () => {
    await load(files);
    server.requests.length = 0;
    await load(files);
    expect(server.requests.map(({ status, bytes }) => [status, bytes])).toEqual([[304, 0], [304, 0]]);
    await server.stop();
    expect(await load(files)).toEqual(files.map((name) => Buffer.from(folder.get(name)!)));
  });

  it("are fetched anew when they changed; the old bytes go", async () => {
    await load(files);
    folder.set("adapter_model.safetensors", weightBytes(9000, 1));
    expect((await load(files))[1]).toEqual(Buffer.from(folder.get("adapter_model.safetensors")!));
    expect(caches.keysWith("?rootstock=piece-")).toHaveLength(2);
  });

  it("are fetched each time from a server without ETag, and still there without a network", async () => {
    server.faults.set("", { noETag: true });
    await load(files);
    server.requests.length = 0;
    await load(files);
    expect(server.requests.map(({ status }) => status)).toEqual([200, 200]);
    await server.stop();
    await load(files);
  });

  it("that are not there are remembered as such", async () => {
    const source = cached(base, { caches });
    await readAll(source, "adapter_config.json");
    await expect(readAll(source, "config.json")).rejects.toMatchObject({ code: "source-missing" });
    await readAll(source, "adapter_model.safetensors");
    await server.stop();
    await expect(load(["config.json"])).rejects.toMatchObject({ code: "source-missing" });
    await expect(load(["other.json"])).rejects.toMatchObject({ code: "source-unreadable" });
  });

  it("are not kept when they arrive in part", async () => {
    server.faults.set("adapter_model.safetensors", { cut: { after: 4000, when: () => Promise.resolve() } });
    await expect(load(files)).rejects.toMatchObject({ code: "source-unreadable" });
    expect(caches.keysWith("?rootstock=records")).toEqual([]);
  });

  it("whose entries are damaged are fetched again", async () => {
    await load(files);
    for (const key of caches.keysWith("?rootstock=piece-")) caches.entries.get(key)![0]! ^= 1;
    expect(await load(files)).toEqual(files.map((name) => Buffer.from(folder.get(name)!)));
    for (const key of caches.keysWith("?rootstock=records")) caches.entries.set(key, new Uint8Array(Buffer.from('{"size":-1}')));
    expect(await load(files)).toEqual(files.map((name) => Buffer.from(folder.get(name)!)));
  });
});

it("an abort rejects with its reason, and what had arrived is kept", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const source = cached(base, { caches });
  await readAll(source, "rootstock.json");
  const { chunks } = await source.open("model.safetensors", { signal });
  let count = 0;
  const reading = (async () => {
    for await (const _ of chunks) if (++count === 3) controller.abort("enough");
  })();
  await expect(reading).rejects.toBe("enough");
  expect(caches.keysWith("?rootstock=piece-").length).toBeGreaterThanOrEqual(1 + 3);
});

it("clearCache deletes a folder, or everything", async () => {
  await load();
  caches.entries.set("https://other.example/?rootstock=piece-1", new Uint8Array(1));
  expect(await clearCache({ caches, url: base })).toBe(true);
  expect([...caches.entries.keys()]).toEqual(["https://other.example/?rootstock=piece-1"]);
  expect(await clearCache({ caches })).toBe(true);
  expect(await clearCache({ caches })).toBe(false);
  expect(await clearCache()).toBe(false);
});

it("without a cache, or for what is not HTTP, the source is the plain one", async () => {
  expect(await readAll(cached(base), "config.json")).toEqual(Buffer.from(folder.get("config.json")!));
  expect((await readAll(cached("models/mtpf-minilm-l6", { caches }), "config.json")).length).toBe(640);
  expect(() => cached("data:,x", { caches })).toThrow(expect.objectContaining({ code: "argument-invalid" }));
});
