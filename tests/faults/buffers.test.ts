import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertEncoder } from "../../src/convert/convert.ts";
import { loadEncoder, RootstockError, type Encoder, type Source } from "../../src/index.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";
import { loadPool } from "../pool/built.ts";
import { readFolder } from "../runtime/folder.ts";
import { refuses } from "../runtime/refuses.ts";
import { ADAPTERS, Golden, loadGolden } from "./golden.ts";

const [ADAPTER] = ADAPTERS as [(typeof ADAPTERS)[number]];
const root = mkdtempSync(join(tmpdir(), "rootstock-buffers-"));

type Files = Map<string, Uint8Array>;

let resident: Encoder;
let golden: Golden;
let folders: Record<"plain" | "converted" | "adapter", Files>;

beforeAll(async () => {
  await convertEncoder(tinyFolder("bert"), join(root, "converted"));
  folders = { plain: tinyFolder("bert"), converted: readFolder(join(root, "converted")), adapter: ADAPTER.files };
  resident = await loadGolden();
  golden = await Golden.of(resident);
});

afterAll(() => {
  resident.dispose();
  rmSync(root, { recursive: true, force: true });
});

/** A fixed-length or, with `maxByteLength`, a resizable buffer; Node's types know no resizable ones. */
type Resizable = ArrayBuffer & { resize(bytes: number): void };
const resizable = (bytes: number, most: number): Resizable => new (ArrayBuffer as unknown as new (bytes: number, options: object) => Resizable)(bytes, { maxByteLength: most });
const growable = (bytes: number, most: number): SharedArrayBuffer => new (SharedArrayBuffer as unknown as new (bytes: number, options: object) => SharedArrayBuffer)(bytes, { maxByteLength: most });

const filled = (view: Uint8Array, bytes: Uint8Array): Uint8Array => {
  view.set(bytes);
  return view;
};

/** The same bytes in buffers of every kind. */
const KINDS: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  "a view of a larger buffer, at an odd offset": (bytes) => filled(new Uint8Array(new ArrayBuffer(bytes.length + 20), 7, bytes.length), bytes),
  "a Node Buffer of the pool": (bytes) => (bytes.length < 4000 ? Buffer.from(bytes) : Buffer.concat([Buffer.alloc(3), bytes]).subarray(3)),
  "shared memory": (bytes) => filled(new Uint8Array(new SharedArrayBuffer(bytes.length)), bytes),
  "a view of shared memory": (bytes) => filled(new Uint8Array(new SharedArrayBuffer(bytes.length + 9), 5, bytes.length), bytes),
  "growable shared memory": (bytes) => filled(new Uint8Array(growable(bytes.length, bytes.length * 2)), bytes),
  "a resizable buffer": (bytes) => filled(new Uint8Array(resizable(bytes.length, bytes.length * 2)), bytes),
};

const copied = (files: Files, kind: (bytes: Uint8Array) => Uint8Array): Files => new Map([...files].map(([name, bytes]) => [name, kind(bytes)]));
const digests = (files: Files): string[] => [...files].map(([name, bytes]) => `${name} ${createHash("sha256").update(Uint8Array.from(bytes)).digest("hex")}`);

/** Loads files and asks; of an adapter, adds it to the encoder that is there, and takes it out again. */
async function use(folder: keyof typeof folders, files: Files | Source): Promise<void> {
  if (folder === "adapter") {
    await resident.addAdapter("late", files, { labels: ADAPTER.labels });
    const { late } = await resident.run("w1 w2", ["late"]);
    expect(late).toEqual((await resident.run("w1 w2", [ADAPTER.name]))[ADAPTER.name]);
    return resident.removeAdapter("late");
  }
  using encoder = await loadEncoder(files);
  for (const { name, files: own, labels } of ADAPTERS) await encoder.addAdapter(name, own, { labels });
  await golden.expectOf(encoder);
}

describe.each(Object.entries(KINDS))("files in %s", (_, kind) => {
  it.each(["plain", "converted", "adapter"] as const)("%s: the same bits, and the caller's bytes are as they were", async (folder) => {
    const files = copied(folders[folder], kind);
    const before = digests(files);
    await use(folder, files);
    expect(digests(files)).toEqual(before);
    await golden.expectSame(true);
  });

  it("go to the workers of a pool, and stay as they were", async () => {
    const [encoder, adapter] = [copied(folders.plain, kind), copied(folders.adapter, kind)];
    const before = [digests(encoder), digests(adapter)];
    using pool = await loadPool(encoder, { workers: 1 });
    await pool.addAdapter("late", adapter, { labels: ADAPTER.labels });
    expect((await pool.run("w1 w2", ["late"]))["late"]).toEqual((await resident.run("w1 w2", [ADAPTER.name]))[ADAPTER.name]);
    expect([digests(encoder), digests(adapter)]).toEqual(before);
  });
});

describe("files whose buffers were given away", () => {
  const detach = (bytes: Uint8Array): void => void structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });

  it.each(["plain", "converted", "adapter"] as const)("%s: before the call, or at any read of it, are refused with a code, or were read before", async (folder) => {
    let refused = 0;
    for (const name of folders[folder].keys()) {
      const files = copied(folders[folder], (bytes) => bytes.slice());
      detach(files.get(name)!);
      expect(await isRefused(use(folder, files)), name).toBe(!name.startsWith("golden.")); // which no one reads
      for (let turns = 0; turns < 12; turns++) {
        const late = copied(folders[folder], (bytes) => bytes.slice());
        const using = isRefused(use(folder, late));
        for (let i = 0; i < turns; i++) await Promise.resolve();
        detach(late.get(name)!);
        if (await using) refused++;
      }
    }
    expect(refused).toBeGreaterThan(0);
    await golden.expectSame(true);
  });

  it("to a pool are refused as well", async () => {
    const files = copied(folders.plain, (bytes) => bytes.slice());
    detach(files.get("model.safetensors")!);
    expect(await isRefused(loadPool(files, { workers: 1 }).then((pool) => pool.dispose()))).toBe(true);
  });

  it("or that shrink while they are read", async () => {
    let refused = 0;
    for (const folder of ["plain", "converted", "adapter"] as const) {
      for (const name of folders[folder].keys()) {
        for (let turns = 0; turns < 12; turns += 3) {
          const files = copied(folders[folder], KINDS["a resizable buffer"]!);
          const using = isRefused(use(folder, files));
          for (let i = 0; i < turns; i++) await Promise.resolve();
          const buffer = files.get(name)!.buffer as Resizable;
          buffer.resize(buffer.byteLength >> 1);
          if (await using) refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(0);
    await golden.expectSame(true);
  });
});

/** False where it succeeds; it is refused by an error of ours alone. */
async function isRefused(attempt: Promise<unknown>): Promise<boolean> {
  const error = await attempt.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error === null) return false;
  expect(error).toMatchObject({ name: "RootstockError", code: expect.stringMatching(/^(source-truncated|json-invalid|not-a-model|header-invalid|digest-mismatch|argument-invalid|tensor-.+)$/) as unknown });
  return true;
}

describe("a source of the caller's own", () => {
  const source = (chunks: (bytes: Uint8Array) => Iterable<unknown>): Source => ({
    location: "memory",
    async open(name) {
      const bytes = folders.plain.get(name);
      if (bytes === undefined) throw new RootstockError("source-missing", `${name} is not there`);
      return { size: bytes.length, chunks: (async function* () { yield* chunks(bytes) as Iterable<Uint8Array>; })() }; // prettier-ignore
    },
  });

  it("whose chunks are no bytes is refused", async () => {
    for (const chunk of ["text", null, undefined, 7, {}, [1, 2]]) await refuses(loadEncoder(source(() => [chunk])), "argument-invalid", /config\.json|rootstock\.json/);
  });

  it("may reuse one shared buffer for all chunks", async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(777));
    function* chunks(bytes: Uint8Array): Generator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += shared.length) {
        const part = bytes.subarray(at, at + shared.length);
        shared.set(part);
        yield shared.subarray(0, part.length);
      }
    }
    await use("plain", source(chunks));
  });
});

describe("ids", () => {
  const IDS = [2, 5, 6, 7, 3];

  it("in buffers of every kind give the same bits, and stay as they were", async () => {
    const expected = await resident.logits(IDS, ADAPTER.name, { attentionMask: [1, 0, 1, 1, 1] });
    const kinds = [Int32Array, Uint8Array, Float32Array, Float64Array, Int16Array].flatMap((Kind) =>
      [new ArrayBuffer(64), new SharedArrayBuffer(64), resizable(64, 128), growable(64, 128)].map((buffer) => {
        const view = new Kind(buffer as ArrayBuffer, 8, IDS.length);
        view.set(IDS);
        return view;
      }),
    );
    for (const ids of kinds) {
      const mask = new Uint8Array(new SharedArrayBuffer(5));
      mask.set([1, 0, 255, 1, 3]);
      expect(await resident.logits(ids, ADAPTER.name, { attentionMask: mask })).toEqual(expected);
      expect([...ids]).toEqual(IDS);
    }
  });

  it("of buffers that were given away, of big integers and of holes are refused", async () => {
    const gone = Int32Array.from(IDS);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    await refuses(resident.forward(gone, null), "ids-invalid", /empty/);
    await refuses(resident.forward(BigInt64Array.from([2n, 3n]) as never, null), "ids-invalid", /vocabulary/);
    // oxlint-disable-next-line no-sparse-arrays
    await refuses(resident.forward([2, , 3] as number[], null), "ids-invalid", /vocabulary/);
    await golden.expectSame(true);
  });

  it("are read once: what another thread makes of them meanwhile is refused or unseen", async () => {
    // Each entry is a word of the vocabulary at the first look and far outside of it at the second.
    const looks = new Map<string, number>();
    const fickle = new Proxy(IDS, {
      get(own, key) {
        const look = (looks.get(String(key)) ?? 0) + 1;
        looks.set(String(key), look);
        const value: unknown = Reflect.get(own, key);
        return typeof value === "number" && look > 1 ? value + 2 ** 20 : value;
      },
    });
    expect(await resident.forward(fickle, null)).toEqual(await resident.forward(IDS, null));

    const shared = new Int32Array(new SharedArrayBuffer(16 * 4)).fill(5);
    const worker = new Worker(
      `const { parentPort, workerData: ids } = require("node:worker_threads");
       parentPort.postMessage("ready");
       for (let i = 0, end = Date.now() + 300; Date.now() < end; i++) for (let n = 0; n < 4096; n++) ids[n & 15] = n & 1 ? 5 : 0x7fffff00 + n;`,
      { eval: true, workerData: shared },
    );
    await new Promise((resolve) => worker.once("message", resolve));
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    for (let round = 0; round < 300; round++) await resident.forward(shared, null).catch((error: RootstockError) => expect(error.code).toBe("ids-invalid"));
    await ended;
    await golden.expectSame(true);
  });
});
