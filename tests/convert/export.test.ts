import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { convertEncoder } from "../../src/convert/convert.ts";
import { exportEncoder } from "../../src/convert/export.ts";
import { parseSafetensorsHeader } from "../../src/format/safetensors.ts";
import { readStartEncoder } from "../../src/pretrain/encoder-source.ts";
import { loadEncoder } from "../../src/index.ts";
import { cosine } from "../encoder/cosine.ts";
import { loadFloat32Encoder } from "../float32/encoder.ts";
import { FAMILIES, tinyFolder, TEXTS } from "./tiny-folder.ts";

const root = mkdtempSync(join(tmpdir(), "rootstock-export-"));
const IDS = [5, 17, 42, 9, 33, 58, 6];
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** name → shape and float32 values of a weights file. */
function tensorsOf(bytes: Uint8Array): Map<string, { shape: readonly number[]; values: Float32Array }> {
  const { tensors } = parseSafetensorsHeader(bytes, bytes.length, "model.safetensors");
  return new Map([...tensors].map(([name, { shape, start, end, dtype }]) => {
    expect(dtype).toBe("F32");
    return [name, { shape, values: new Float32Array(bytes.slice(start, end).buffer) }];
  }));
}

describe.each(FAMILIES)("%s", (family) => {
  it("has the source's tensors by the bare model's names, each weight within half a step of its row, the rest as it was", async () => {
    const source = tinyFolder(family);
    const [converted, out] = [join(root, `${family}-int8`), join(root, `${family}-out`)];
    await convertEncoder(source, converted);
    await exportEncoder(converted, out);
    const original = await readStartEncoder(source, undefined);
    const tensors = tensorsOf(new Uint8Array(readFileSync(join(out, "model.safetensors"))));
    expect(tensors.size).toBeGreaterThan(15);
    let rounded = 0;
    for (const [name, { shape, values }] of tensors) {
      const exact = original.read(name)!;
      expect(values.length, name).toBe(exact.length);
      const isRounded = shape.length === 2 && !/position_embeddings|token_type_embeddings/.test(name);
      if (!isRounded) expect(values, name).toEqual(exact);
      else {
        rounded++;
        const levels = name.includes("word_embeddings") ? 127 : 63;
        const width = shape[1]!;
        for (let row = 0; row < shape[0]!; row++) {
          const own = exact.subarray(row * width, (row + 1) * width);
          const halfStep = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / levels / 2;
          for (let i = 0; i < width; i++) expect(Math.abs(values[row * width + i]! - own[i]!), `${name} ${row} ${i}`).toBeLessThanOrEqual(halfStep * 1.00001);
        }
      }
    }
    expect(rounded).toBeGreaterThan(6);
    const config = JSON.parse(readFileSync(join(out, "config.json"), "utf8")) as Record<string, unknown>;
    expect(config["torch_dtype"]).toBe("float32");
    expect(config["architectures"]).toEqual([expect.stringMatching(/Model$/)]);
    expect(readFileSync(join(out, "tokenizer.json"))).toEqual(Buffer.from(source.get("tokenizer.json")!));
  });

  it("computes in float32 what the calibrated encoder serves: nearer to it than the source is", async () => {
    const source = tinyFolder(family);
    const [converted, out] = [join(root, `${family}-calibrated`), join(root, `${family}-calibrated-out`)];
    await convertEncoder(source, converted, { calibrate: TEXTS });
    await exportEncoder(converted, out);
    using served = await loadEncoder(converted);
    using exact = await loadFloat32Encoder(out);
    using before = await loadFloat32Encoder(source);
    const state = await served.forward(IDS, null);
    const near = cosine(await exact.forward(IDS, null), state);
    expect(near).toBeGreaterThan(0.9999);
    expect(near).toBeGreaterThan(cosine(await before.forward(IDS, null), state));
  });
});

describe("refuses", () => {
  it("a folder in Hugging Face's form", async () => {
    await expect(exportEncoder(tinyFolder("bert"), join(root, "none"))).rejects.toMatchObject({ code: "argument-invalid", message: expect.stringContaining("already") as string });
    expect(existsSync(join(root, "none"))).toBe(false);
  });

  it("a folder that is there, and leaves it as it is", async () => {
    const converted = join(root, "twice");
    await convertEncoder(tinyFolder("bert"), converted);
    const bytes = readFileSync(join(converted, "model.safetensors"));
    await expect(exportEncoder(converted, converted)).rejects.toMatchObject({ code: "argument-invalid" });
    expect(readFileSync(join(converted, "model.safetensors"))).toEqual(bytes);
  });

  it("an abort, before anything is written", async () => {
    const converted = join(root, "aborted-int8");
    await convertEncoder(tinyFolder("bert"), converted);
    await expect(exportEncoder(converted, join(root, "aborted"), { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    expect(existsSync(join(root, "aborted"))).toBe(false);
  });
});
