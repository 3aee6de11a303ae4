import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cached } from "../../../src/browser/index.ts";
import { readManifest } from "../../../src/format/manifest.ts";
import { loadEncoder } from "../../../src/index.ts";
import type { Source } from "../../../src/load/source.ts";
import { joinParts } from "../../../src/runtime/join-parts.ts";
import { eventually } from "../../eventually.ts";
import { microConverted } from "../../fuzz/micro.ts";
import { FileServer } from "../../runtimes/browser/server.ts";
import { convertedFolder, PIECE, weightBytes } from "./converted-folder.ts";
import { MemoryCaches } from "./memory-caches.ts";
import { readAll } from "./read-all.ts";

const NAME = "model.safetensors";
const SIZE = 5 * PIECE + 300;
const WEIGHTS = weightBytes(SIZE);

let folder: Map<string, Uint8Array>;
let server: FileServer;
let base: string;
let caches: MemoryCaches;

beforeEach(async () => {
  server = new FileServer((path) => folder.get(path.slice("/model/".length)) ?? null);
  base = `${await server.start()}model`;
  caches = new MemoryCaches();
});

afterEach(() => server.stop().catch(() => undefined));

/** Reads the folder as the loader does; the weights. */
async function load(source: Source = cached(base, { caches })): Promise<Buffer> {
  const manifest = readManifest(await readAll(source, "rootstock.json"));
  await readAll(source, "config.json");
  return readAll(joinParts(source, manifest), NAME);
}

const part = (index: number): string => `${NAME}.part${index}`;
const weightRequests = (): unknown[] => server.requests.filter(({ path }) => path.includes(NAME)).map(({ path, range }) => [path.slice("/model/".length), range]);
const refusal = (code: string, message: RegExp): object => expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as object;

describe.each([
  ["of whole pieces", 2 * PIECE],
  ["that end amid pieces", 2 * PIECE + 500],
  ["shorter than a piece", 300],
  ["of which there is one", 2 * SIZE],
])("weights in parts %s", (_, partBytes) => {
  beforeEach(() => {
    folder = convertedFolder(WEIGHTS, undefined, partBytes);
  });

  it("come from the server once; later loads ask for rootstock.json alone, or for nothing without a network", async () => {
    expect(await load()).toEqual(Buffer.from(WEIGHTS));
    expect(server.bytesOf("")).toBe([...folder.values()].reduce((sum, { length }) => sum + length, 0));
    expect(caches.keysWith("?rootstock=piece-")).toHaveLength(1 + 1 + 6);
    server.requests.length = 0;
    expect(await load()).toEqual(Buffer.from(WEIGHTS));
    expect(server.requests.map(({ path, status }) => [path, status])).toEqual([["/model/rootstock.json", 304]]);
    await server.stop();
    expect(await load()).toEqual(Buffer.from(WEIGHTS));
  });

  it("come once where nothing can be stored", async () => {
    caches.quota = 0;
    expect(await load()).toEqual(Buffer.from(WEIGHTS));
    const weights = server.requests.filter(({ path }) => path.includes(NAME));
    expect(weights.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(SIZE);
  });

  it("come from a server without Range", async () => {
    server.faults.set("", { noRange: true });
    expect(await load()).toEqual(Buffer.from(WEIGHTS));
    await server.stop();
    expect(await load()).toEqual(Buffer.from(WEIGHTS));
  });

  it("are refused when a byte of one has changed, and right as soon as the server is", async () => {
    const last = part(Math.ceil(SIZE / partBytes) - 1);
    server.faults.set(last, { wrongByteAt: 7 });
    await expect(load()).rejects.toEqual(refusal("digest-mismatch", /model\.safetensors/));
    expect(caches.keysWith("?rootstock=records")).toEqual([]);
    server.faults.clear();
    expect(await load()).toEqual(Buffer.from(WEIGHTS));
  });

  it("are refused when one has another length or is not there", async () => {
    const whole = folder.get(part(0))!;
    folder.set(part(0), whole.slice(1));
    await expect(load()).rejects.toEqual(refusal("source-truncated", /model\.safetensors\.part0/));
    folder.delete(part(0));
    await expect(load()).rejects.toEqual(refusal("source-missing", /model\.safetensors\.part0 is not in/));
    folder.set(part(0), whole);
    expect(await load()).toEqual(Buffer.from(WEIGHTS));
  });

  it("are one file under their own name", async () => {
    const source = cached(base, { caches });
    await readAll(source, "rootstock.json");
    expect(await source.open(NAME, { signal: undefined })).toMatchObject({ size: SIZE, isChecked: true });
    expect(await readAll(source, NAME)).toEqual(Buffer.from(WEIGHTS));
    server.requests.length = 0;
    expect(await load()).toEqual(Buffer.from(WEIGHTS));
    expect(server.requests).toHaveLength(2); // config.json was not read yet
  });
});

describe("parts of whole pieces", () => {
  beforeEach(() => {
    folder = convertedFolder(WEIGHTS, undefined, 2 * PIECE);
  });

  it("are asked for one by one, as a whole", async () => {
    await load();
    expect(weightRequests()).toEqual([[part(0), undefined], [part(1), undefined], [part(2), undefined]]);
  });

  it("go on after a cut connection with the first piece that is missing", async () => {
    const kept = (): boolean => [...caches.entries.values()].some((entry) => Buffer.from(entry).equals(WEIGHTS.slice(2 * PIECE, 3 * PIECE)));
    server.faults.set(part(1), { cut: { after: PIECE + 10, when: () => eventually(() => expect(kept()).toBe(true)) } });
    await expect(load()).rejects.toEqual(refusal("source-unreadable", /model\.safetensors\.part1/));
    expect(caches.keysWith("?rootstock=records")).toEqual([]);
    server.faults.clear();
    server.requests.length = 0;
    expect(await load()).toEqual(Buffer.from(WEIGHTS));
    expect(weightRequests()).toEqual([[part(1), "bytes=1000-1999"], [part(2), undefined]]);
  });

  it("of a new version leave the old one in place until it is whole; pieces that both have stay", async () => {
    await load();
    const older = WEIGHTS;
    const newer = weightBytes(SIZE, 1, 3 * PIECE);
    folder = convertedFolder(newer, undefined, 2 * PIECE);
    server.faults.set(part(2), { status: 503 });
    await expect(load()).rejects.toEqual(refusal("source-unreadable", /503/));
    server.faults.set("", { status: 503 });
    expect(await load()).toEqual(Buffer.from(older));
    server.faults.clear();
    server.requests.length = 0;
    expect(await load()).toEqual(Buffer.from(newer));
    expect(weightRequests()).toEqual([[part(2), undefined]]);
    expect(caches.keysWith("?rootstock=piece-")).toHaveLength(8);
  });

  it("that were one file before are not fetched again", async () => {
    folder = convertedFolder(WEIGHTS);
    await load();
    folder = convertedFolder(WEIGHTS, undefined, 2 * PIECE);
    server.requests.length = 0;
    expect(await load()).toEqual(Buffer.from(WEIGHTS));
    expect(weightRequests()).toEqual([]);
  });

  it("have the names that rootstock.json gives them, and no others", async () => {
    const source = cached(base, { caches });
    await readAll(source, "rootstock.json");
    for (const name of [part(3), `${NAME}.part01`, `${NAME}.part`, "other.part0", "config.json.part0"]) {
      await expect(readAll(source, name), name).rejects.toEqual(refusal("source-missing", /is not in/));
    }
    expect((await source.open(part(2), { signal: undefined })).size).toBe(SIZE - 4 * PIECE);
  });
});

it("a part that ends amid a piece has the next one begin with it, and no other", async () => {
  folder = convertedFolder(WEIGHTS, undefined, 2 * PIECE + 500);
  caches.quota = 0;
  const source = cached(base, { caches });
  await readAll(source, "rootstock.json");
  const bytes = (index: number): Buffer => Buffer.from(folder.get(part(index))!);
  for (const index of [0, 0, 1, 2, 1]) expect(await readAll(source, part(index))).toEqual(bytes(index));
  expect(weightRequests().slice(0, 7)).toEqual([
    [part(0), undefined], [part(1), "bytes=0-499"], // the whole of the piece that lies in both
    [part(0), undefined], [part(1), "bytes=0-499"],
    [part(1), "bytes=500-2499"],
    [part(2), undefined],
    [part(0), "bytes=2000-2499"], // there is no such piece now
  ]);
});

it("an encoder in parts shorter than its one piece loads from the cache alone", async () => {
  folder = await microConverted({ partBytes: 2_000 });
  const fingerprint = async (): Promise<string> => {
    using encoder = await loadEncoder(cached(base, { caches }));
    return encoder.info.fingerprint;
  };
  const first = await fingerprint();
  expect(first).toBe(readManifest(folder.get("rootstock.json")!).fingerprint);
  server.requests.length = 0;
  expect(await fingerprint()).toBe(first);
  expect(server.requests.map(({ path }) => path)).toEqual(["/model/rootstock.json"]);
  await server.stop();
  expect(await fingerprint()).toBe(first);
});
