import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { parseSafetensorsHeader } from "../../src/format/safetensors.ts";
import { loadEncoder, type Encoder } from "../../src/index.ts";
import { pretrain, type Pretrained } from "../../src/pretrain/pretrain.ts";
import type { Files } from "../../src/pretrain/output.ts";
import { loadFloat32Encoder } from "../float32/encoder.ts";
import { cosine } from "../encoder/cosine.ts";
import { largestGap } from "../encoder/gap.ts";
import { readFolder } from "../runtime/folder.ts";

// What pre-finetuning wrote, and what transformers and PEFT computed with it (scripts/make-pretrain-loads.py).
const FOLDER = "tests/golden/pretrain-loads";

interface Golden {
  texts: string[];
  input_ids: number[][];
  states: Record<"none" | "ner" | "tc", number[][][]>;
}
const { texts, input_ids, states } = JSON.parse(readFileSync(`${FOLDER}/states.json`, "utf8")) as Golden;

async function withAdapters(encoder: Encoder): Promise<Encoder> {
  for (const name of ["ner", "tc"]) await encoder.addAdapter(name, `${FOLDER}/${name}`);
  return encoder;
}

describe("an encoder and its families' adapters give the last states of transformers and PEFT", () => {
  it("in float32, each its own", async () => {
    using encoder = await withAdapters(await loadFloat32Encoder(`${FOLDER}/encoder`));
    for (const [text, ids] of input_ids.entries()) {
      for (const [name, golden] of Object.entries(states)) {
        expect(largestGap(await encoder.forward(ids, name === "none" ? null : name), golden[text]!.flat()), `${name}, text ${text}`).toBeLessThan(1e-5);
      }
      // Were an adapter without effect, or that of the other family, the gap would not show it.
      for (const [a, b] of [["none", "ner"], ["none", "tc"], ["ner", "tc"]] as const) expect(largestGap(states[a][text]!.flat(), states[b][text]!.flat())).toBeGreaterThan(0.02);
    }
  });

  it("in int8 nearly, from texts as from their ids", async () => {
    using encoder = await withAdapters(await loadEncoder(`${FOLDER}/encoder`));
    for (const [text, ids] of input_ids.entries()) {
      for (const [name, golden] of Object.entries(states)) {
        const task = name === "none" ? null : name;
        expect(cosine(await encoder.forward(ids, task), golden[text]!.flat())).toBeGreaterThan(0.999);
        const mean = golden[text]![0]!.map((_, i) => golden[text]!.reduce((sum, row) => sum + row[i]!, 0));
        expect(cosine((await encoder.embed([texts[text]!], task === null ? {} : { task }))[0]!, mean)).toBeGreaterThan(0.999);
      }
    }
  });
});

describe("what is written today is what they loaded", () => {
  let made: Pretrained;
  beforeAll(async () => {
    const rows = { ner: [{ name: "ner", rows: [{ tokens: ["w1", "w2"], tags: ["B-low", "O"] }] }], pairs: [{ name: "pairs", rows: [{ a: "w1", b: "w2" }, { a: "w3", b: "w4" }] }] };
    // At rates of 0 nothing is learnt: the encoder is written as it was read, and the adapters as they begin.
    made = await pretrain(readFolder(`${FOLDER}/encoder`), rows, {
      steps: 1, maxLength: 16, adapter: { layers: 2, rank: 2 }, ner: { batchSize: 1 }, pairs: { batchSize: 2 }, weightDecay: 0, learningRates: { backbone: 0, head: 0, adapters: 0 }, probe: { every: null },
    });
  });

  it("the encoder, byte for byte", () => {
    expect([...made.encoder.keys()].sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    for (const [file, bytes] of made.encoder) expect(Buffer.from(bytes).equals(readFileSync(`${FOLDER}/encoder/${file}`)), file).toBe(true);
  });

  it.each(["ner", "tc"])("%s: configuration, names, shapes and the encoder's fingerprint", (name) => {
    const shapes = (files: Files) => {
      const { tensors, metadata } = parseSafetensorsHeader(files.get("adapter_model.safetensors")!, files.get("adapter_model.safetensors")!.length);
      return { metadata, tensors: [...tensors].map(([tensor, { shape, dtype }]) => [tensor, shape, dtype]) };
    };
    const [now, then] = [made.adapters.get(name)!, readFolder(`${FOLDER}/${name}`)];
    expect([...now.keys()].sort()).toEqual([...then.keys()].sort());
    expect(Buffer.from(now.get("adapter_config.json")!).equals(then.get("adapter_config.json")!)).toBe(true);
    expect(shapes(now)).toEqual(shapes(then));
  });
});
