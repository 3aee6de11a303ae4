import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertEncoder } from "../../src/convert/convert.ts";
import { exportEncoder } from "../../src/convert/export.ts";
import { loadEncoder, RootstockError, type LoadOptions, type Source, type SourceLike } from "../../src/index.ts";
import { editJson, readFolder } from "../runtime/folder.ts";
import { refuses } from "../runtime/refuses.ts";
import { tinyFolder } from "./tiny-folder.ts";

const root = mkdtempSync(join(tmpdir(), "rootstock-parts-"));
const whole = join(root, "whole");
const cut = join(root, "cut");
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Odd, so that parts end inside tensors, floats and hashed pieces alike. */
const PART_BYTES = 9_973;

async function states(source: SourceLike, options: LoadOptions = {}): Promise<{ fingerprint: string; states: Float32Array[] }> {
  using encoder = await loadEncoder(source, options);
  return { fingerprint: encoder.info.fingerprint, states: await encoder.hiddenStates([5, 17, 42, 9, 33], null) };
}

beforeAll(async () => {
  await convertEncoder(tinyFolder("bert"), whole);
  await convertEncoder(tinyFolder("bert"), cut, { partBytes: PART_BYTES });
});

describe("a converted folder whose weights lie in parts", () => {
  it("loads as the whole one does", async () => {
    const files = [...readFolder(cut).keys()];
    expect(files).not.toContain("model.safetensors");
    expect(files.filter((name) => name.startsWith("model.safetensors.part")).length).toBeGreaterThan(5);
    const expected = await states(whole);
    expect(await states(cut)).toEqual(expected);
    expect(await states(readFolder(cut), { verify: false })).toEqual(expected);
  });

  it("can be cut from a converted folder, again, and joined", async () => {
    const expected = readFolder(whole);
    await convertEncoder(whole, join(root, "from-whole"), { partBytes: PART_BYTES });
    expect(readFolder(join(root, "from-whole"))).toEqual(readFolder(cut));
    await convertEncoder(cut, join(root, "joined"), { partBytes: expected.get("model.safetensors")!.length });
    expect(readFolder(join(root, "joined"))).toEqual(expected);
  });

  it("is cut and exported where a companion lies in parts, which others may write", async () => {
    const parted = readFolder(whole);
    const json = parted.get("tokenizer.json")!;
    const list = JSON.parse(new TextDecoder().decode(parted.get("rootstock.json"))) as { files: Record<string, object> };
    const files = editJson(parted, "rootstock.json", { files: { ...list.files, "tokenizer.json": { ...list.files["tokenizer.json"], partBytes: 500 } } });
    files.delete("tokenizer.json");
    for (let at = 0; at < json.length; at += 500) files.set(`tokenizer.json.part${at / 500}`, json.subarray(at, at + 500));
    const expected = await states(whole);
    expect(await states(files)).toEqual(expected);
    await convertEncoder(files, join(root, "from-parted"), { partBytes: PART_BYTES });
    expect(readFolder(join(root, "from-parted"))).toEqual(readFolder(cut));
    await exportEncoder(files, join(root, "exported"));
    expect(readFolder(join(root, "exported")).get("tokenizer.json")).toEqual(json);
  });

  it("is read one part after the other, each closed before the next is opened", async () => {
    const files = readFolder(cut);
    const log: string[] = [];
    const source: Source = {
      location: "a log",
      async open(name) {
        const bytes = files.get(name);
        if (bytes === undefined) throw new RootstockError("source-missing", name);
        const part = /\.part(\d+)$/.exec(name)?.[1];
        if (part !== undefined) log.push(`open ${part}`);
        async function* chunks(): AsyncGenerator<Uint8Array> {
          try {
            for (let at = 0; at < bytes!.length; at += 1000) yield bytes!.subarray(at, at + 1000);
          } finally {
            if (part !== undefined) log.push(`close ${part}`);
          }
        }
        return { size: null, chunks: chunks() };
      },
    };
    expect(await states(source)).toEqual(await states(whole));
    expect(log).toEqual(Array.from({ length: log.length / 2 }, (_, i) => [`open ${i}`, `close ${i}`]).flat());
  });

  it("is refused when a part is missing, cut, longer, changed, or in another's place", async () => {
    const files = readFolder(cut);
    const part = files.get("model.safetensors.part1")!;
    const withPart = (bytes: Uint8Array): Map<string, Uint8Array> => new Map(files).set("model.safetensors.part1", bytes);
    const changed = part.slice();
    changed[100]! ^= 1;
    const rest = new Map(files);
    rest.delete("model.safetensors.part1");
    await refuses(loadEncoder(rest), "source-missing", /model\.safetensors\.part1/);
    await refuses(loadEncoder(withPart(part.subarray(1))), "source-truncated", /model\.safetensors\.part1 has 9972 bytes/);
    await refuses(loadEncoder(withPart(new Uint8Array([...part, 0]))), "source-truncated", /model\.safetensors\.part1 has 9974 bytes/);
    await refuses(loadEncoder(withPart(changed)), "digest-mismatch", /model\.safetensors/);
    // Bytes that are no numbers where numbers belong are refused before the digests are compared.
    await expect(loadEncoder(withPart(files.get("model.safetensors.part2")!))).rejects.toMatchObject({ code: expect.stringMatching(/^(digest-mismatch|tensor-value)$/) as string });
  });

  it("is refused when its list gives parts that cannot be", async () => {
    const files = readFolder(cut);
    const list = JSON.parse(new TextDecoder().decode(files.get("rootstock.json"))) as { files: Record<string, object> };
    const withParts = (partBytes: unknown): Map<string, Uint8Array> =>
      editJson(files, "rootstock.json", { files: { ...list.files, "model.safetensors": { ...list.files["model.safetensors"], partBytes } } });
    for (const wrong of [0, -1, 0.5, "9973", 1, [9973]]) await refuses(loadEncoder(withParts(wrong)), "json-invalid", /partBytes/);
    await refuses(loadEncoder(withParts(9_974)), "source-truncated", /part0 has 9973 bytes/);
  });
});

describe("cutting", () => {
  it("refuses a size that is none, and more than 4,096 parts", async () => {
    for (const partBytes of [0, 1.5, NaN]) await refuses(convertEncoder(whole, join(root, "wrong"), { partBytes }), "argument-invalid", /partBytes/);
    await refuses(convertEncoder(whole, join(root, "wrong"), { partBytes: 7 }), "argument-invalid", /partBytes is 7/);
  });

  it("rounds nothing anew: a converted source takes no calibration", async () => {
    await refuses(convertEncoder(whole, join(root, "wrong"), { partBytes: PART_BYTES, calibrate: ["w1 w2"] }), "argument-invalid", /converted already/);
  });

  it("refuses a converted source that is not what its list says", async () => {
    const files = readFolder(cut);
    files.get("model.safetensors.part3")![5]! ^= 1;
    await refuses(convertEncoder(files, join(root, "wrong"), { partBytes: PART_BYTES }), "digest-mismatch", /model\.safetensors/);
  });
});
