import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ByteReader, type ReaderOptions } from "../../../src/load/byte-reader.ts";
import { index, seeded } from "../../reliability/random.ts";

const BYTES = Uint8Array.from({ length: 1_000 }, (_, i) => i * 7);

/** The bytes in chunks, empty ones among them. */
function reader(sizes: readonly number[], options: Partial<ReaderOptions> = {}, bytes = BYTES): ByteReader {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let at = 0;
    for (const size of sizes) yield bytes.subarray(at, (at += size));
    if (at < bytes.length) yield bytes.subarray(at);
  }
  return new ByteReader({ size: bytes.length, chunks: chunks() }, { name: "f", signal: undefined, ...options });
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

  it("reads all that is left, up to a limit", async () => {
    expect(await reader([300, 0, 300]).readRest(1_000)).toEqual(BYTES);
    expect(await reader([1_000]).readRest(1_000)).toEqual(BYTES);
    expect(await reader([], {}, new Uint8Array(0)).readRest(0)).toEqual(new Uint8Array(0));
    await expect(reader([999]).readRest(999)).rejects.toMatchObject({ code: "limit-exceeded" });
    const half = reader([100]);
    await half.read(50);
    expect(await half.readRest(950)).toEqual(BYTES.subarray(50));
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
