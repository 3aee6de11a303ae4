import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cached } from "../../../src/browser/index.ts";
import { FileServer, type Fault } from "../../runtimes/browser/server.ts";
import { convertedFolder, weightBytes } from "./converted-folder.ts";
import { MemoryCaches } from "./memory-caches.ts";
import { readAll } from "./read-all.ts";

const NAMES = ["adapter_config.json", "config.json", "adapter_model.safetensors"];
const [CONFIG, LABELS, WEIGHTS] = NAMES as [string, string, string];

let folder: Map<string, Uint8Array>;
let server: FileServer;
let base: string;
let caches: MemoryCaches;

beforeEach(async () => {
  folder = version(1);
  server = new FileServer((path) => folder.get(path.slice("/adapter/".length)) ?? null);
  base = `${await server.start()}adapter`;
  caches = new MemoryCaches();
});

afterEach(() => server.stop().catch(() => undefined));

function version(number: number): Map<string, Uint8Array> {
  return new Map(NAMES.map((name) => [name, Buffer.from(`${name} of version ${number}`)]));
}

/** Reads the files as the loader does; config.json may be missing. */
async function load(source = cached(base, { caches }), names = NAMES): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of names) {
    const bytes = await readAll(source, name).catch((error: { code?: string }) => {
      if (name === LABELS && error.code === "source-missing") return null;
      throw error;
    });
    if (bytes !== null) files.set(name, bytes);
  }
  return files;
}

const mixed = expect.objectContaining({ code: "source-unreadable", message: expect.stringMatching(/adapter_model\.safetensors could not be read: .+\. Other files of the folder have changed.+Load again/) as string }) as object;

/** What is read while the server answers nothing. */
async function loadOffline(read = load): Promise<Map<string, Uint8Array>> {
  const { port } = new URL(base);
  await server.stop();
  try {
    return await read();
  } finally {
    await server.start(Number(port));
  }
}

describe("an adapter that changes", () => {
  it.each<[string, Fault]>([
    ["is in trouble", { status: 503 }],
    ["answers with a sign-in page", { html: true }],
  ])("is not mixed with its stored weights when the server %s: one error, the old version without a network, then the new one", async (_, fault) => {
    const old = await load();
    folder = version(2);
    server.faults.set(WEIGHTS, fault);
    await expect(load()).rejects.toEqual(mixed);
    expect(await loadOffline()).toEqual(old);
    await expect(load()).rejects.toEqual(mixed);
    server.faults.clear();
    expect(await load()).toEqual(version(2));
    expect(await loadOffline()).toEqual(version(2));
    expect(caches.keysWith("?rootstock=piece-")).toHaveLength(3);
  });

  it("is not mixed when the new weights were cut", async () => {
    const old = await load();
    folder = version(2);
    server.faults.set(WEIGHTS, { cut: { after: 5, when: () => Promise.resolve() } });
    await expect(load()).rejects.toMatchObject({ code: "source-unreadable" });
    server.faults.clear();
    expect(await loadOffline()).toEqual(old);
  });

  it("comes from the store as a whole when the server did not answer for its first file", async () => {
    const old = await load();
    folder = version(2);
    server.faults.set(CONFIG, { status: 503 });
    server.requests.length = 0;
    expect(await load()).toEqual(old);
    expect(server.requests.map(({ path }) => path)).toEqual([`/adapter/${CONFIG}`]);
    server.faults.clear();
    expect(await load()).toEqual(version(2));
  });

  it("comes from the store as a whole when the server did not answer for a later file, and those before had not changed", async () => {
    const old = await load();
    folder = version(2).set(CONFIG, old.get(CONFIG)!);
    server.faults.set(`/${LABELS}`, { status: 503 });
    expect(await load()).toEqual(old);
  });

  it("is stored when its weights are the ones that it had", async () => {
    const old = await load();
    folder = version(2).set(WEIGHTS, old.get(WEIGHTS)!);
    const fresh = await load();
    expect(fresh).toEqual(folder);
    expect(await loadOffline()).toEqual(fresh);
  });

  it("has not changed where the server only says so of the same bytes", async () => {
    server.faults.set("", { noETag: true });
    const old = await load();
    server.faults.clear();
    server.faults.set(WEIGHTS, { status: 503 });
    expect(await load()).toEqual(old);
  });

  it("may lose a file, and get one", async () => {
    const whole = await load();
    folder = new Map(version(1));
    folder.delete(LABELS);
    server.faults.set(WEIGHTS, { status: 503 });
    await expect(load()).rejects.toEqual(mixed);
    expect(await loadOffline()).toEqual(whole);
    server.faults.clear();
    const less = await load();
    expect([...less.keys()]).toEqual([CONFIG, WEIGHTS]);
    expect(await loadOffline()).toEqual(less);
    folder = version(2);
    server.faults.set(`/${LABELS}`, { status: 503 });
    await expect(load()).rejects.toMatchObject({ code: "source-unreadable", message: expect.stringMatching(/adapter\/config\.json could not be read: .+ have changed/) as string });
    expect(await loadOffline()).toEqual(less);
  });

  it("is not stored when one of its files was not read to its end, or not stored", async () => {
    const old = await load();
    folder = version(2);
    const source = cached(base, { caches });
    for (const name of NAMES) {
      if (name === LABELS) await source.open(name, { signal: undefined });
      else await readAll(source, name);
    }
    expect(await loadOffline()).toEqual(old);
    caches.quota = caches.bytes;
    expect(await load()).toEqual(version(2));
    expect(await loadOffline()).toEqual(old);
  });

  it("is asked for again by the next load of the same source", async () => {
    const source = cached(base, { caches });
    await load(source);
    folder = version(2);
    server.faults.set(WEIGHTS, { status: 503 });
    await expect(load(source)).rejects.toEqual(mixed);
    server.faults.set("", { status: 503 });
    expect(await load(source)).toEqual(version(1));
    server.faults.clear();
    expect(await load(source)).toEqual(version(2));
  });
});

it("a load goes on with the version that it began with when another page stores a newer one", async () => {
  await load();
  const slow = cached(base, { caches });
  server.faults.set(CONFIG, { status: 503 });
  await readAll(slow, CONFIG);
  server.faults.clear();
  folder = version(2);
  await load();
  await expect(load(slow, NAMES.slice(1))).rejects.toMatchObject({ code: "digest-mismatch" }); // its pieces are gone
  expect(await loadOffline()).toEqual(version(2));
});

it("a load whose pieces another page has swept leaves that page's version, and the next one stores its own", async () => {
  const versions = [0, 1].map((seed) => new Map(Array.from(convertedFolder(weightBytes(5300, seed)), ([name, bytes]) => [name, Buffer.from(bytes)])));
  const names = [...versions[0]!.keys()];
  const readings: AsyncIterator<Uint8Array>[] = [];
  for (folder of versions) {
    const source = cached(base, { caches });
    for (const name of names.slice(0, -1)) await readAll(source, name);
    const { chunks } = await source.open(names.at(-1)!, { signal: undefined });
    const reading = chunks[Symbol.asyncIterator]();
    for (let piece = 0; piece < 3; piece++) await reading.next();
    readings.push(reading);
  }
  for (const reading of readings) while ((await reading.next()).done !== true);
  const loadAll = (): ReturnType<typeof load> => load(undefined, names);
  expect(await loadOffline(loadAll)).toEqual(versions[0]);
  expect(await loadAll()).toEqual(versions[1]);
  expect(await loadOffline(loadAll)).toEqual(versions[1]);
});

it.each<[string, () => Promise<unknown>]>([
  ["another page changes the stored one", async () => null],
  ["the host refuses locks", () => Promise.reject(new DOMException("sandboxed", "SecurityError"))],
])("a load stores no version while %s", async (_, lock) => {
  vi.stubGlobal("navigator", { locks: { request: async (__: string, ___: object, work: (lock: unknown) => unknown) => work(await lock()) } });
  expect(await load()).toEqual(folder);
  expect(caches.keysWith("?rootstock=records")).toEqual([]);
  vi.unstubAllGlobals();
  await load();
  expect(await loadOffline()).toEqual(folder);
});

it("a load that has the lock stores its version", async () => {
  vi.stubGlobal("navigator", { locks: { request: async (_: string, __: object, work: (lock: unknown) => unknown) => work({}) } });
  await load();
  vi.unstubAllGlobals();
  expect(await loadOffline()).toEqual(folder);
});

it("a file that is read again from the same source is confirmed by what was stored of it", async () => {
  const source = cached(base, { caches });
  await readAll(source, WEIGHTS);
  server.requests.length = 0;
  await readAll(source, WEIGHTS);
  expect(server.requests.map(({ status }) => status)).toEqual([304]);
  server.faults.set("", { status: 503 });
  expect(await readAll(source, WEIGHTS)).toEqual(folder.get(WEIGHTS));
});

it("a file that was never stored is not taken from the server when those before came from the store", async () => {
  await load();
  server.faults.set(CONFIG, { status: 503 });
  folder = version(2).set("other.json", Buffer.from("{}"));
  await expect(load(undefined, [CONFIG, "other.json"])).rejects.toMatchObject({ code: "source-unreadable", message: expect.stringMatching(/other\.json could not be read: it is not stored.+Load again/) as string });
});

it("an encoder that is not converted any more stays as it was until all of it has arrived", async () => {
  const converted = convertedFolder(weightBytes(5300));
  const names = [...converted.keys()];
  folder = converted;
  const loadConverted = (): ReturnType<typeof load> => load(undefined, names);
  const old = await loadConverted();
  folder = new Map([["config.json", Buffer.from("{}")], ["model.safetensors", Buffer.from(weightBytes(4000, 1))]]);
  const loadPlain = async (): Promise<Map<string, Uint8Array>> => {
    const source = cached(base, { caches });
    await expect(readAll(source, "rootstock.json")).rejects.toMatchObject({ code: "source-missing" });
    return load(source, names.slice(1));
  };
  server.faults.set("model.safetensors", { status: 503 });
  await expect(loadPlain()).rejects.toMatchObject({ code: "source-unreadable" });
  expect(await loadOffline(loadConverted)).toEqual(old);
  server.faults.clear();
  expect(await loadPlain()).toEqual(folder);
  expect(await loadOffline(loadPlain)).toEqual(folder);
  expect(caches.keysWith("?rootstock=piece-")).toHaveLength(2);
});

it("an adapter in a converted encoder's folder leaves the encoder's pieces", async () => {
  const converted = convertedFolder(weightBytes(5300));
  const names = [...converted.keys()];
  folder = new Map([...version(1), ...converted]);
  const encoder = await load(undefined, names);
  await load();
  folder = new Map([...version(2), ...converted]);
  const adapter = await load();
  server.faults.set("", { status: 503 });
  expect(await load(undefined, names)).toEqual(encoder);
  expect(await load()).toEqual(adapter);
});
