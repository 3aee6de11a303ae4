import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { convertEncoder } from "../../src/convert/convert.ts";
import { exportEncoder } from "../../src/convert/export.ts";
import { loadEncoder, type Encoder, type SourceLike } from "../../src/index.ts";
import { pipeline } from "../../src/transformers/index.ts";
import { tinyFolder, TEXTS } from "../convert/tiny-folder.ts";
import { editJson } from "./folder.ts";

const root = mkdtempSync(join(tmpdir(), "rootstock-sentence-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Files = Map<string, Uint8Array>;
const file = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const types = (...names: string[]): object[] => names.map((name, idx) => ({ idx, name: String(idx), path: idx === 0 ? "" : `${idx}_${name}`, type: `sentence_transformers.models.${name}` }));

/** As sentence-transformers saves it. */
function sentenceFolder(pooling: object, length: object | null = null, names = ["Transformer", "Pooling", "Normalize"]): Files {
  const files = tinyFolder("bert").set("modules.json", file(types(...names))).set("1_Pooling/config.json", file(pooling));
  return length === null ? files : files.set("sentence_bert_config.json", file(length));
}

const CLS = { word_embedding_dimension: 8, pooling_mode_cls_token: true, pooling_mode_mean_tokens: false };
const LONG = TEXTS[8]!;

async function withEncoder<T>(source: SourceLike, use: (encoder: Encoder) => Promise<T>): Promise<T> {
  const encoder = await loadEncoder(source);
  try {
    return await use(encoder);
  } finally {
    encoder.dispose();
  }
}

/** From the rows of the last hidden state: what the Pooling and Normalize modules of sentence-transformers compute. */
async function expected(encoder: Encoder, text: string, pooling: "mean" | "cls"): Promise<number[]> {
  const ids = [2, ...text.split(" ").map((word) => 5 + Number(word.slice(1))), 3];
  const rows = await encoder.forward(ids, null);
  const { hidden } = encoder.info;
  const count = pooling === "cls" ? 1 : ids.length;
  const sums = Array.from({ length: hidden }, (_, i) => ids.slice(0, count).reduce((sum, _id, row) => sum + rows[row * hidden + i]!, 0) / count);
  const length = Math.hypot(...sums);
  return sums.map((value) => value / length);
}

const near = (vector: Float32Array, values: readonly number[]): void => values.forEach((value, i) => expect(vector[i]).toBeCloseTo(value, 5));

describe("embed of a folder of sentence-transformers", () => {
  it("takes the first row where its Pooling says so, else the mean", async () => {
    const plain = await withEncoder(tinyFolder("bert"), (encoder) => encoder.embed(TEXTS));
    await withEncoder(sentenceFolder(CLS), async (encoder) => {
      const vectors = await encoder.embed(TEXTS);
      for (const [i, text] of TEXTS.entries()) near(vectors[i]!, await expected(encoder, text, "cls"));
      expect(vectors[0]).not.toEqual(plain[0]);
      expect(await encoder.embed(TEXTS.slice(3, 4))).toEqual(vectors.slice(3, 4));
      expect(await encoder.embed(TEXTS, { pooling: "mean" })).toEqual(plain);
    });
    await withEncoder(sentenceFolder({ pooling_mode_mean_tokens: true }, { max_seq_length: 5000 }), async (encoder) => {
      expect(await encoder.embed(TEXTS)).toEqual(plain);
      near(plain[0]!, await expected(encoder, TEXTS[0]!, "mean"));
      near((await encoder.embed([TEXTS[0]!], { pooling: "cls" }))[0]!, await expected(encoder, TEXTS[0]!, "cls"));
    });
  });

  it("reads no more tokens than its length, and refuses longer texts where it is asked to", async () => {
    const plain = await withEncoder(tinyFolder("bert"), (encoder) => encoder.embed([LONG], { maxTokens: 8, overflow: "truncate" }));
    const whole = await withEncoder(tinyFolder("bert"), (encoder) => encoder.embed([LONG]));
    const folders = [
      sentenceFolder({ pooling_mode_mean_tokens: true }, { max_seq_length: 8, do_lower_case: false }),
      sentenceFolder({ pooling_mode_mean_tokens: true }).set("tokenizer_config.json", file({ model_max_length: 8 })),
      sentenceFolder({ pooling_mode_mean_tokens: true }, { max_seq_length: null }).set("tokenizer_config.json", file({ model_max_length: 8 })),
      sentenceFolder({ pooling_mode_mean_tokens: true }, { max_seq_length: 8 }).set("tokenizer_config.json", file({ model_max_length: "9" })),
    ];
    for (const folder of folders) {
      await withEncoder(folder, async (encoder) => {
        expect(await encoder.embed([LONG])).toEqual(plain);
        expect(await encoder.embed([LONG], { pooling: "mean" })).toEqual(plain);
        const refusal = { code: "text-too-long", message: expect.stringContaining("at most 8 are read, of 19") as unknown };
        await expect(encoder.embed([LONG], { overflow: "error" })).rejects.toMatchObject(refusal);
        await expect(encoder.embed([LONG], { maxTokens: 8 })).rejects.toMatchObject(refusal);
        expect(await encoder.embed([LONG], { maxTokens: 16, overflow: "truncate" })).toEqual(await withEncoder(tinyFolder("bert"), (own) => own.embed([LONG], { maxTokens: 16, overflow: "truncate" })));
        expect((await encoder.embed([LONG], { overflow: "windows" }))[0]).toHaveLength(encoder.info.hidden);
      });
    }
    expect(whole).not.toEqual(plain);
    // Without a length of its own it is the encoder's, and cut as well.
    const endless = [...LONG.split(" "), ...LONG.split(" ")].join(" ");
    await withEncoder(sentenceFolder({ pooling_mode_mean_tokens: true }, { max_seq_length: null }), async (encoder) => {
      expect(await encoder.embed([endless])).toEqual(await encoder.embed([endless], { overflow: "truncate" }));
      await expect(encoder.embed([endless], { overflow: "error" })).rejects.toMatchObject({ code: "text-too-long" });
    });
    await withEncoder(tinyFolder("bert"), (encoder) => expect(encoder.embed([endless])).rejects.toMatchObject({ code: "text-too-long" }));
  });

  it("looks for the length under the name of its family, as first versions wrote it", async () => {
    const names = ["modules.json", "1_Pooling/config.json"].map((name) => [name, sentenceFolder(CLS).get(name)!] as const);
    const old = new Map([...tinyFolder("roberta"), ...names, ["sentence_roberta_config.json", file({ max_seq_length: 8 })]]);
    await withEncoder(old, (encoder) => expect(encoder.embed([LONG], { overflow: "error" })).rejects.toMatchObject({ code: "text-too-long", message: expect.stringContaining("at most 8") as unknown }));
  });

  it("makes texts lower case where it says so, but for a pooling that is given", async () => {
    const cased = (files: Files): Files => {
      const tokenizer = JSON.parse(new TextDecoder().decode(files.get("tokenizer.json"))) as { normalizer: object };
      return editJson(files, "tokenizer.json", { normalizer: { ...tokenizer.normalizer, lowercase: false } });
    };
    const upper = TEXTS[0]!.toUpperCase();
    await withEncoder(cased(sentenceFolder({}, { do_lower_case: true })), async (encoder) => {
      expect(await encoder.embed([upper])).toEqual(await encoder.embed([TEXTS[0]!]));
      expect(await encoder.embed([upper], { pooling: "mean" })).not.toEqual(await encoder.embed([upper]));
    });
  });

  it("weighs the first rows of windows by their tokens", async () => {
    await withEncoder(sentenceFolder(CLS), async (encoder) => {
      const text = TEXTS[0]!; // six words
      const [vector] = await encoder.embed([text], { maxTokens: 6, stride: 0, overflow: "windows" });
      const { hidden } = encoder.info;
      const ids = text.split(" ").map((word) => 5 + Number(word.slice(1)));
      const windows = [[2, ...ids.slice(0, 4), 3], [2, ...ids.slice(4), 3]];
      const firsts = await Promise.all(windows.map(async (window) => (await encoder.forward(window, null)).subarray(0, hidden)));
      const mean = Array.from({ length: hidden }, (_, i) => (firsts[0]![i]! * 6 + firsts[1]![i]! * 4) / 10);
      near(vector!, mean.map((value) => value / Math.hypot(...mean)));
    });
  });

  it("refuses by name what it asks for and is not supported, when embed is called; all else works", async () => {
    const folders: [Files, string][] = [
      [sentenceFolder({ pooling_mode_max_tokens: true, pooling_mode_mean_tokens: false }), '"max" of 1_Pooling/config.json'],
      [sentenceFolder({ pooling_mode_cls_token: true, pooling_mode_mean_tokens: true }), '"cls + mean"'],
      [sentenceFolder(CLS, null, ["Transformer", "Pooling", "Dense"]), '"Dense" of modules.json'],
      [new Map([...sentenceFolder(CLS)].filter(([name]) => name !== "1_Pooling/config.json")), "1_Pooling/config.json, which is not there"],
    ];
    for (const [folder, says] of folders) {
      await withEncoder(folder, async (encoder) => {
        await expect(encoder.embed(TEXTS)).rejects.toMatchObject({ code: "config-invalid", message: expect.stringContaining(says) as unknown });
        near((await encoder.embed([LONG], { pooling: "cls" }))[0]!, await expected(encoder, LONG, "cls"));
        await expect(encoder.embed([LONG], { pooling: "max" as "mean" })).rejects.toMatchObject({ code: "argument-invalid" });
      });
    }
  });

  it("leaves feature-extraction as transformers.js has it", async () => {
    const folder = sentenceFolder({ pooling_mode_max_tokens: true }, { max_seq_length: 8, do_lower_case: true });
    const plain = await withEncoder(tinyFolder("bert"), (encoder) => encoder.embed([LONG]));
    await withEncoder(folder, async (encoder) => {
      const tensor = await (await pipeline("feature-extraction", encoder))([LONG], { pooling: "mean", normalize: true });
      expect(tensor.data).toEqual(plain[0]);
    });
  });

  it("does the same converted, and exported again", async () => {
    const source = sentenceFolder(CLS, { max_seq_length: 8, do_lower_case: true });
    const converted = join(root, "converted");
    const exported = join(root, "exported");
    await convertEncoder(source, converted);
    await exportEncoder(converted, exported);
    const manifest = JSON.parse(readFileSync(join(converted, "rootstock.json"), "utf8")) as Record<string, unknown>;
    expect(manifest["sentence"]).toEqual({ pooling: "cls", maxTokens: 8, lowerCase: true });
    for (const folder of [converted, exported]) {
      await withEncoder(folder, async (encoder) => {
        near((await encoder.embed([LONG], { maxTokens: 16 }))[0]!, await expected(encoder, LONG, "cls"));
        await expect(encoder.embed([LONG], { overflow: "error" })).rejects.toMatchObject({ code: "text-too-long" });
      });
    }
    // Each control character is six units in a description, which a converted folder holds 256 of.
    for (const folder of [sentenceFolder({ pooling_mode: "\u0001".repeat(100) }), sentenceFolder(CLS, null, ["Transformer", "\u0001".repeat(100)])]) {
      const long = mkdtempSync(join(root, "long-"));
      await convertEncoder(folder, long);
      await withEncoder(long, (encoder) => expect(encoder.embed([LONG])).rejects.toMatchObject({ code: "config-invalid", message: expect.stringContaining("u0001") as unknown }));
    }
    const odd = join(root, "odd");
    await convertEncoder(sentenceFolder({ pooling_mode_lasttoken: true }), odd);
    await exportEncoder(odd, join(root, "odd-exported"));
    await withEncoder(odd, (encoder) => expect(encoder.embed([LONG])).rejects.toMatchObject({ code: "config-invalid", message: expect.stringContaining('"lasttoken"') as unknown }));
    await withEncoder(join(root, "odd-exported"), (encoder) => expect(encoder.embed([LONG])).rejects.toMatchObject({ code: "config-invalid" }));
    const plain = join(root, "plain");
    await convertEncoder(tinyFolder("bert"), plain);
    expect(Object.keys(JSON.parse(readFileSync(join(plain, "rootstock.json"), "utf8")) as object)).not.toContain("sentence");
  });

  it("comes from a server, the Pooling's file from its folder", async () => {
    const files = sentenceFolder(CLS);
    const server = createServer((request, response) => {
      const bytes = files.get(request.url!.slice(1));
      response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    try {
      await withEncoder(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, async (encoder) => near((await encoder.embed([LONG]))[0]!, await expected(encoder, LONG, "cls")));
    } finally {
      server.close();
    }
  });
});
