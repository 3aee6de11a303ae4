import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadEncoder } from "../../src/index.ts";
import { calibrate } from "../../src/convert/calibrate.ts";
import { convertEncoder, type ConvertProgress } from "../../src/convert/convert.ts";
import { calibrationPasses } from "../../src/convert/streams.ts";
import { parseSafetensorsHeader } from "../../src/format/safetensors.ts";
import type { Machine } from "../../src/run/forward.ts";
import { INT8_PARTS } from "../../src/runtime/load.ts";
import { loadParts, type LoadedEncoder } from "../../src/runtime/load-encoder.ts";
import { createTokenizer } from "../../src/text/tokenizer.ts";
import { loadFloat32Encoder } from "../float32/encoder.ts";
import { words } from "../runtime/bert-odd.ts";
import { editJson, editTensors, readFolder } from "../runtime/folder.ts";
import { FAMILIES, tinyFolder, TEXTS } from "./tiny-folder.ts";

const root = mkdtempSync(join(tmpdir(), "rootstock-convert-"));
const IDS = [5, 17, 42, 9, 33, 58, 6];
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function states(folder: string | ReadonlyMap<string, Uint8Array>): Promise<{ converted: boolean; fingerprint: string; states: Float32Array[] }> {
  using encoder = await loadEncoder(folder);
  const { converted, fingerprint } = encoder.info;
  return { converted, fingerprint, states: await encoder.hiddenStates(IDS, null) };
}

function relativeError(a: Float32Array, b: Float32Array): number {
  let error = 0;
  let squares = 0;
  for (let i = 0; i < a.length; i++) {
    error += (a[i]! - b[i]!) ** 2;
    squares += b[i]! ** 2;
  }
  return Math.sqrt(error / squares);
}

/** The tiny ELECTRA with its embeddings repeated to `width` columns, and a projection to match. */
function wideElectra(width: number): Map<string, Uint8Array> {
  const files = editTensors(tinyFolder("electra"), "model.safetensors", (tensor) => {
    const { name, shape, data } = tensor;
    if (!/embeddings\.|embeddings_project\.weight/.test(name)) return tensor;
    const columns = shape.at(-1)!;
    const values = new Float32Array(data.slice().buffer);
    const rows = values.length / columns;
    const wide = Float32Array.from({ length: rows * width }, (_, i) => values[Math.floor(i / width) * columns + ((i % width) % columns)]!);
    const scaled = name.endsWith("embeddings_project.weight") ? wide.map((value) => (value * columns) / width) : wide;
    return { ...tensor, shape: [...shape.slice(0, -1), width], data: new Uint8Array(scaled.buffer) };
  });
  return editJson(files, "config.json", { embedding_size: width });
}

describe("a converted folder", () => {
  for (const family of FAMILIES) {
    it(`${family}: plain conversion gives the very bits of direct loading`, async () => {
      const source = tinyFolder(family);
      const target = join(root, `plain-${family}`);
      await convertEncoder(source, target);
      const direct = await states(source);
      expect(direct.converted).toBe(false);
      expect(await states(target)).toEqual({ ...direct, converted: true });
    });

    it(`${family}: calibration brings the texts it saw closer to float32 than plain rounding does`, async () => {
      const source = tinyFolder(family);
      const target = join(root, `calibrated-${family}`);
      const progress: ConvertProgress[] = [];
      await convertEncoder(source, target, { calibrate: TEXTS, onProgress: (step) => progress.push(step) });
      const tokenizer = createTokenizer(JSON.parse(new TextDecoder().decode(source.get("tokenizer.json"))), null);
      const ids = TEXTS.map((text) => tokenizer.encode(text).ids);
      using reference = await loadFloat32Encoder(source);
      const expected = await Promise.all(ids.map((row) => reference.forward(row, null)));
      const error = async (folder: string | ReadonlyMap<string, Uint8Array>): Promise<number> => {
        using encoder = await loadEncoder(folder);
        expect(encoder.info.fingerprint).toBe(reference.info.fingerprint);
        let sum = 0;
        for (const [i, row] of ids.entries()) sum += relativeError(await encoder.forward(row, null), expected[i]!);
        return sum / ids.length;
      };
      expect(await error(target)).toBeLessThan(0.9 * (await error(source)));
      const steps = progress.filter(({ stage }) => stage === "calibrate");
      expect(steps.at(-1)).toEqual({ stage: "calibrate", done: steps[0]!.total, total: steps[0]!.total });
    });
  }

  it("electra with embeddings wider than every layer: calibration leaves what it does not round alone", async () => {
    const width = 1024;
    const source = wideElectra(width);
    const plain = join(root, "plain-wide");
    const calibrated = join(root, "calibrated-wide");
    await convertEncoder(source, plain);
    await convertEncoder(source, calibrated, { calibrate: TEXTS });
    const tensorsOf = (folder: string): Map<string, Uint8Array> => {
      const bytes = new Uint8Array(readFileSync(join(folder, "model.safetensors")));
      return new Map([...parseSafetensorsHeader(bytes, bytes.length).tensors].map(([name, { start, end }]) => [name, bytes.subarray(start, end)]));
    };
    const [before, after] = [tensorsOf(plain), tensorsOf(calibrated)];
    const kept = [...before.keys()].filter((name) => /^embeddings\.(word|position|type|norm)|Norm\./.test(name));
    expect(kept.length).toBe(6 + 2 * 4);
    for (const name of kept) expect(Buffer.from(after.get(name)!).equals(Buffer.from(before.get(name)!)), name).toBe(true);
    using encoder = await loadEncoder(calibrated);
    using reference = await loadFloat32Encoder(source);
    expect(relativeError(await encoder.forward(IDS, null), await reference.forward(IDS, null))).toBeLessThan(0.1);
  });

  it("is refused when a file of it was changed, cut or left out", async () => {
    const target = join(root, "guarded");
    await convertEncoder(tinyFolder("bert"), target);
    const files = readFolder(target);
    for (const name of ["config.json", "model.safetensors", "tokenizer.json"]) {
      const bytes = files.get(name)!.slice();
      bytes[bytes.length - 2]! ^= 1;
      await expect(loadEncoder(new Map(files).set(name, bytes)), name).rejects.toMatchObject({ code: "digest-mismatch" });
      await expect(loadEncoder(new Map(files).set(name, bytes.subarray(0, -1))), name).rejects.toMatchObject({ code: "source-truncated" });
      const rest = new Map(files);
      rest.delete(name);
      await expect(loadEncoder(rest), name).rejects.toMatchObject({ code: "source-missing" });
    }
    await expect(loadEncoder(editJson(files, "rootstock.json", { format: 2 }))).rejects.toMatchObject({ code: "format-version" });
  });

  it("cannot bring weights above 127 into the kernels even where its digests are not checked", async () => {
    const files = readFolder(join(root, "guarded"));
    const bytes = files.get("model.safetensors")!.slice();
    bytes[bytes.length - 2] = 200;
    await expect(loadEncoder(new Map(files).set("model.safetensors", bytes), { verify: false })).rejects.toMatchObject({ code: "tensor-value" });
  });
});

describe("the texts of a calibration", () => {
  const load = (source: ReadonlyMap<string, Uint8Array>): Promise<LoadedEncoder> => loadParts(source, { adapterBudget: 2 ** 20 }, INT8_PARTS);

  /** The first layer of the tiny BERT, its embeddings of positions repeated. */
  function longBert(positions: number): Map<string, Uint8Array> {
    const files = editTensors(tinyFolder("bert"), "model.safetensors", (tensor) => {
      if (/layer\.[12]\./.test(tensor.name)) return null;
      if (!tensor.name.endsWith("position_embeddings.weight")) return tensor;
      const data = Uint8Array.from({ length: positions * tensor.shape[1]! * 4 }, (_, i) => tensor.data[i % tensor.data.length]!);
      return { ...tensor, shape: [positions, tensor.shape[1]!], data };
    });
    return editJson(files, "config.json", { max_position_embeddings: positions, num_hidden_layers: 1 });
  }

  async function usedOf(source: ReadonlyMap<string, Uint8Array>, texts: readonly string[]): Promise<unknown> {
    const report = await calibrate(await load(source), source.get("model.safetensors")!, texts, {});
    return { texts: report.get("calibrationTexts"), tokens: report.get("calibrationTokens") };
  }

  it("fill passes whole, in their order, as long as one has room", () => {
    const texts = [4, 6, 1, 10, 9, 1, 1].map((length) => ({ ids: new Int32Array(length) }));
    const passes = calibrationPasses({ work: { rows: 10 } } as Machine, texts);
    expect(passes).toEqual([{ texts: texts.slice(0, 2), rows: 10 }, { texts: [texts[2]], rows: 1 }, { texts: [texts[3]], rows: 10 }, { texts: texts.slice(4, 6), rows: 10 }, { texts: [texts[6]], rows: 1 }]);
  });

  it.each(FAMILIES)("%s: in many passes round the weights to the very bits that they do in one", async (family) => {
    const source = tinyFolder(family);
    const weightsBy = async (rows: (most: number) => number): Promise<Buffer> => {
      const loaded = await load(source);
      const { memory, work } = loaded.machine;
      const machine = { ...loaded.machine, work: { ...work, rows: rows(work.rows) } };
      await calibrate({ ...loaded, machine }, source.get("model.safetensors")!, TEXTS, {});
      return Buffer.from(memory.memory.buffer, loaded.weights.start, loaded.weights.bytes);
    };
    expect((await weightsBy(() => 40)).equals(await weightsBy((most) => most))).toBe(true);
  });

  it("are cut at 128 tokens, or where the encoder's positions end; blank ones are left out", async () => {
    const long = words(300, 1);
    expect(await usedOf(longBert(200), [long, " ", words(3, 2)])).toEqual({ texts: 2, tokens: 128 + 5 });
    expect(await usedOf(tinyFolder("bert"), [long])).toEqual({ texts: 1, tokens: 19 });
  });

  it("are used as long as they have no more than 20,000 tokens together", async () => {
    const most = [...Array.from({ length: 156 }, (_, i) => words(126, i)), words(30, 3)];
    expect(await usedOf(longBert(200), [...most, "w1", "w2"])).toEqual({ texts: 157, tokens: 156 * 128 + 32 });
  });
});

describe("writing it", () => {
  it("leaves a target that holds something alone", async () => {
    const target = join(root, "taken");
    mkdirSync(target);
    writeFileSync(join(target, "note.txt"), "mine");
    await expect(convertEncoder(tinyFolder("bert"), target)).rejects.toMatchObject({ code: "argument-invalid" });
    expect(readdirSync(target)).toEqual(["note.txt"]);
    expect(readFileSync(join(target, "note.txt"), "utf8")).toBe("mine");
  });

  it("refuses a taken target before it reads anything", async () => {
    const target = join(root, "taken");
    const stages: string[] = [];
    const convert = convertEncoder(tinyFolder("bert"), target, { calibrate: TEXTS, onProgress: ({ stage }) => stages.push(stage) });
    await expect(convert).rejects.toMatchObject({ code: "argument-invalid" });
    expect(stages).toEqual([]);
  });

  it("refuses a page in the place of tokenizer.json, without which few mean to have an encoder", async () => {
    const page = new TextEncoder().encode("<!doctype html><title>Sign in</title>");
    const target = join(root, "page");
    await expect(convertEncoder(tinyFolder("bert").set("tokenizer.json", page), target)).rejects.toMatchObject({ code: "not-a-model", message: expect.stringContaining("tokenizer.json") as unknown });
    expect(existsSync(target)).toBe(false);
  });

  it("says what stopped it and leaves nothing behind", async () => {
    writeFileSync(join(root, "file"), "");
    await expect(convertEncoder(tinyFolder("bert"), join(root, "file", "out"))).rejects.toMatchObject({ code: "target-unwritable" });
    expect(readdirSync(root).filter((name) => name.includes("partial"))).toEqual([]);
  });

  it("refuses an empty folder that it could not replace, before the work", async () => {
    const [source, before, stages] = [tinyFolder("bert"), process.cwd(), [] as string[]];
    mkdirSync(join(root, "here"));
    process.chdir(join(root, "here"));
    try {
      const convert = convertEncoder(source, ".", { onProgress: ({ stage }) => stages.push(stage) });
      await expect(convert).rejects.toMatchObject({ code: "target-unwritable", message: expect.stringContaining("the current folder") as string });
      expect(stages).toEqual([]);
    } finally {
      process.chdir(before);
    }
  });

  it("refuses a converted source, and no texts", async () => {
    const target = join(root, "again");
    await expect(convertEncoder(join(root, "guarded"), target)).rejects.toMatchObject({ code: "argument-invalid" });
    await expect(convertEncoder(tinyFolder("bert"), target, { calibrate: [" "] })).rejects.toMatchObject({ code: "argument-invalid" });
    expect(existsSync(target)).toBe(false);
  });

  it("stops when it is told to, and leaves nothing behind", async () => {
    const target = join(root, "aborted");
    const controller = new AbortController();
    const reason = new Error("enough");
    const convert = convertEncoder(tinyFolder("bert"), target, {
      calibrate: TEXTS,
      signal: controller.signal,
      onProgress: ({ stage, done }) => {
        if (stage === "calibrate" && done === 5) controller.abort(reason);
      },
    });
    await expect(convert).rejects.toBe(reason);
    expect(existsSync(target)).toBe(false);
  });
});
