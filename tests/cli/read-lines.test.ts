import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readLines, type Line, type ReadOptions } from "../../src/cli/read-lines.ts";

let path: string;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rootstock-cli-"));
  path = join(folder, "lines");
});

afterAll(() => rmSync(folder, { recursive: true }));

async function read(bytes: string | Uint8Array, options?: ReadOptions): Promise<Line[]> {
  writeFileSync(path, bytes);
  const lines: Line[] = [];
  for await (const some of readLines(path, new AbortController().signal, options)) lines.push(...some);
  return lines;
}

describe("readLines", () => {
  it("numbers lines and leaves out blank ones, line ends and a byte order mark", async () => {
    expect(await read("\ufeffone\r\n\n \t\ntwo \r \nthree")).toEqual([
      { number: 1, text: "one" },
      { number: 4, text: "two \r " },
      { number: 5, text: "three" },
    ]);
  });

  it.each(["", "\n", "x"])("reads %j, zipped or not", async (text) => {
    const expected = text.trim() === "" ? [] : [{ number: 1, text }];
    expect(await read(text)).toEqual(expected);
    expect(await read(gzipSync(text))).toEqual(expected);
  });

  it("refuses what is no UTF-8 by its line, or gives it with its problem; a U+FFFD that was written is one", async () => {
    const [bad, good] = [Buffer.from("caf\xe9", "latin1"), Buffer.from("caf\u00e9 \ufffd\n")];
    expect(await read(good)).toEqual([{ number: 1, text: "caf\u00e9 \ufffd" }]);
    const file = Buffer.concat([Buffer.from("one\n"), bad, Buffer.from("\nthree\n"), Buffer.from("x".repeat(200_000)), Buffer.from([0x0a, 0xf0, 0x9f])]);
    await expect(read(file)).rejects.toMatchObject({ code: "source-unreadable", message: expect.stringMatching(/line 2 has bytes that are not UTF-8/) as unknown });
    const lines = await read(file, { keepBad: true });
    expect(lines.map(({ number, problem }) => [number, problem?.code])).toEqual([[1, undefined], [2, "source-unreadable"], [3, undefined], [4, undefined], [5, "source-unreadable"]]);
    for (const bytes of [[0xff, 0xfe, 0x61, 0], [0xfe, 0xff, 0, 0x61]]) await expect(read(Uint8Array.from(bytes))).rejects.toMatchObject({ code: "source-unreadable", message: expect.stringMatching(/is UTF-16/) as unknown });
  });

  it("gives blank lines where they are asked for", async () => {
    expect(await read("a\n\n \nb\n", { keepBlank: true })).toEqual([{ number: 1, text: "a" }, { number: 2, text: "" }, { number: 3, text: " " }, { number: 4, text: "b" }]);
  });

  it("cuts no character at the border of a chunk", async () => {
    // 64 KiB is what a file is read in; é and 😀 have 2 and 4 bytes.
    for (const shift of [0, 1, 2, 3]) {
      const line = "x".repeat(shift) + "é😀".repeat(40_000);
      expect(await read(`${line}\n${line}`)).toEqual([{ number: 1, text: line }, { number: 2, text: line }]);
    }
  });

  it("gives back any lines", async () => {
    const line = fc.string({ unit: "grapheme" }).filter((text) => !/[\n\r\ufeff]/.test(text));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 20 }), fc.boolean(), async (lines, zipped) => {
        const text = lines.join("\n");
        const expected = lines.map((entry, index) => ({ number: index + 1, text: entry })).filter((entry) => entry.text.trim() !== "");
        expect(await read(zipped ? gzipSync(text) : text)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it("stops when it is told to", async () => {
    writeFileSync(path, "line\n".repeat(100_000));
    const controller = new AbortController();
    const reading = async (): Promise<number> => {
      let chunks = 0;
      for await (const _ of readLines(path, controller.signal)) {
        chunks++;
        controller.abort(new Error("enough"));
      }
      return chunks;
    };
    await expect(reading()).rejects.toThrow("enough");
  });
});
