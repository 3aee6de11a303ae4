import { createHash } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { ByteReader, readWhole, type ReaderOptions } from "../../../src/load/byte-reader.ts";
import { heldFile, type OpenFile } from "../../../src/load/source.ts";
import { index, seeded } from "../../reliability/random.ts";

const BYTES = Uint8Array.from({ length: 1_000 }, (_, i) => i * 7);

/** The bytes in chunks, empty ones among them. */
function reader(sizes: readonly number[], options: Partial<ReaderOptions> = {}, bytes = BYTES, size: number | null = bytes.length): ByteReader {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let at = 0;
    for (const size of sizes) yield bytes.subarray(at, (at += size));
    if (at < bytes.length) yield bytes.subarray(at);
  }
  return new ByteReader({ size, chunks: chunks() }, { name: "f", signal: undefined, ...options });
}

describe("ByteReader", () => {
  it("reads the same bytes and digests however they arrive", async () => {
    const random = seeded(4);
    for (let round = 0; round < 200; round++) {
      const pieceBytes = 1 + index(random, 300);
      const read = reader(Array.from({ length: 12 }, () => index(random, 120)), { pieceBytes });
      const first = index(random, 500);
      expect(await read.read(first)).toEqual(BYTES.subarray(0, first));
      const target = new Uint8Array(BYTES.length - first);
      await read.readInto(target);
      expect(target).toEqual(BYTES.subarray(first));
      await read.expectEnd();
      const expected = Array.from({ length: Math.ceil(BYTES.length / pieceBytes) }, (_, i) => createHash("sha256").update(BYTES.subarray(i * pieceBytes, (i + 1) * pieceBytes)).digest("hex"));
      expect(await read.digests()).toEqual(expected);
    }
  });

  it("hashes a few pieces at a time", async () => {
    let [open, most] = [0, 0];
    const { digest } = crypto.subtle;
    vi.spyOn(crypto.subtle, "digest").mockImplementation(async (...given) => {
      most = Math.max(most, ++open);
      try {
        return await digest.apply(crypto.subtle, given);
      } finally {
        open--;
      }
    });
    const read = reader(Array.from({ length: 100 }, () => 10), { pieceBytes: 10 });
    expect(await read.read(1_000)).toEqual(BYTES);
    await read.expectEnd();
    expect(await read.digests()).toHaveLength(100);
    vi.restoreAllMocks();
    expect(most).toBeLessThanOrEqual(8);
  });

  it("reads all that is left, up to a limit", async () => {
    expect(await reader([300, 0, 300]).readRest(1_000)).toEqual(BYTES);
    expect(await reader([1_000]).readRest(1_000)).toEqual(BYTES);
    expect(await reader([], {}, new Uint8Array(0)).readRest(0)).toEqual(new Uint8Array(0));
    for (const size of [1_000, 2 ** 40, null, 5]) {
      const read: number[] = [];
      const large = reader([999], { onBytes: (bytes) => read.push(bytes) }, BYTES, size);
      await expect(large.readRest(999)).rejects.toMatchObject({ code: "limit-exceeded" });
      // A size that is known and above the limit is enough; one that is not, or that is wrong, is seen as the bytes come.
      expect(read).toEqual(size === null || size === 5 ? [999] : []);
    }
    const half = reader([100]);
    await half.read(50);
    expect(await half.readRest(950)).toEqual(BYTES.subarray(50));
  });

  it("frees what the file holds, read or not, and hears of no trouble with that", async () => {
    for (const first of [0, 10]) {
      let closed = 0;
      const close = async (): Promise<void> => {
        closed++;
        throw new Error("it was closed already");
      };
      const file = new ByteReader({ size: 10, chunks: (async function* () { yield BYTES.subarray(0, 10); })(), close }, { name: "f", signal: undefined }); // prettier-ignore
      await file.read(first);
      await file.close();
      expect(closed).toBe(1);
    }
    const close = (): never => {
      throw new Error("it was closed already");
    };
    expect(await readWhole({ ...heldFile(BYTES.subarray(0, 10)), close }, "f", 10, undefined)).toEqual(BYTES.subarray(0, 10));
  });

  it("frees what the file holds when its chunks cannot be ended, and hears of no trouble with that either", async () => {
    let closed = 0;
    const endless = { next: () => Promise.resolve({ done: false as const, value: BYTES }), return: () => Promise.reject(new Error("it goes on")) };
    const file: OpenFile = { size: null, chunks: { [Symbol.asyncIterator]: () => endless }, close: async () => void closed++ };
    const reader = new ByteReader(file, { name: "f", signal: undefined });
    await reader.read(1);
    await reader.close();
    expect(closed).toBe(1);
  });

  it("says when the file ends early or goes on", async () => {
    await expect(reader([]).read(1_001)).rejects.toMatchObject({ code: "source-truncated" });
    const early = reader([500]);
    await early.read(400);
    await expect(early.expectEnd()).rejects.toMatchObject({ code: "source-truncated" });
    const next = reader([500]);
    await next.read(500);
    await expect(next.expectEnd()).rejects.toMatchObject({ code: "source-truncated" });
  });

  it("gives the digests of what was read so far, to the end of the piece", async () => {
    const digest = (from: number, to: number): string => createHash("sha256").update(BYTES.subarray(from, to)).digest("hex");
    for (const [read, pieceBytes, expected] of [[0, 300, [digest(0, 300)]], [301, 300, [digest(0, 300), digest(300, 600)]], [950, 300, [0, 300, 600, 900].map((from) => digest(from, Math.min(from + 300, 1_000)))]] as const) {
      const file = reader([70, 70, 400], { pieceBytes });
      await file.read(read);
      expect((await file.digestsSoFar()).slice(0, expected.length)).toEqual(expected);
    }
    expect(await reader([70]).digestsSoFar()).toEqual([]);
  });

  it("refuses chunks that are no bytes, and drops one whose memory its maker takes back meanwhile", async () => {
    const of = (values: unknown[]): ByteReader => {
      async function* chunks(): AsyncGenerator<Uint8Array> {
        for (const value of values) yield value as Uint8Array;
      }
      return new ByteReader({ size: null, chunks: chunks() }, { name: "f", signal: undefined });
    };
    for (const value of ["text", null, 7, [1, 2], new ArrayBuffer(2), new DataView(new ArrayBuffer(2)), Uint16Array.of(1), Float32Array.of(1)]) await expect(of([value]).read(1)).rejects.toMatchObject({ code: "argument-invalid" });
    for (const file of [undefined, { size: null }, { size: 1, chunks: [1] }]) {
      expect(() => new ByteReader(file as unknown as OpenFile, { name: "f", signal: undefined })).toThrow(expect.objectContaining({ code: "argument-invalid" }) as Error);
    }
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(3);
    expect(await of([shared]).readRest(2)).toEqual(Uint8Array.of(3, 3));

    let left = 2;
    const next = (): Promise<IteratorResult<Uint8Array>> => {
      const value = Uint8Array.of(left, left);
      const answer = Promise.resolve(left-- > 0 ? { done: false as const, value } : { done: true as const, value: undefined });
      // After the reader has taken the first chunk, and before whoever asked for it goes on.
      if (left === 1) void answer.then(() => queueMicrotask(() => void structuredClone(value.buffer, { transfer: [value.buffer] })));
      return answer;
    };
    const taken = new ByteReader({ size: null, chunks: { [Symbol.asyncIterator]: () => ({ next }) } }, { name: "f", signal: undefined });
    expect(await taken.readRest(9)).toEqual(Uint8Array.of(1, 1));
  });

  it("tells how far it is, and stops when it is told to", async () => {
    const done: number[] = [];
    const controller = new AbortController();
    const read = reader([600], { onBytes: (bytes) => done.push(bytes), signal: controller.signal });
    await read.read(600);
    controller.abort("enough");
    await expect(read.read(1)).rejects.toBe("enough");
    expect(done).toEqual([600]);
    await read.close();
  });
});
