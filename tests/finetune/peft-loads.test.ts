import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { trainAdapter, type TrainingRow } from "../../src/finetune/index.ts";
import { loadEncoder } from "../../src/index.ts";
import { largestGap } from "../encoder/gap.ts";
import { loadFloat32Encoder } from "../float32/encoder.ts";
import { editTensors, readFolder } from "../runtime/folder.ts";

// Adapters that were trained and saved here, and what PEFT computed with them (scripts/make-peft-loads.py).
const FOLDER = "tests/golden/peft-loads";
const BASE = "tests/golden/peft/base/bert-odd";

const { adapters } = JSON.parse(readFileSync(`${FOLDER}/index.json`, "utf8")) as { adapters: string[] };

/** The encoder that an adapter was trained on: one without a pooler where it brings its own. */
function encoderFiles(name: string): Map<string, Uint8Array> {
  const files = readFolder(BASE).set("tokenizer.json", readFileSync(`${FOLDER}/tokenizer.json`));
  return name === "class-own-pooler" ? editTensors(files, "model.safetensors", (tensor) => (tensor.name.startsWith("pooler.") ? null : tensor)) : files;
}

/** Rows with every label of an adapter. */
function rowsOf(folder: string): TrainingRow[] {
  const { id2label, problem_type } = JSON.parse(readFileSync(`${folder}/config.json`, "utf8")) as { id2label: Record<string, string>; problem_type?: string };
  const labels = Object.values(id2label);
  if (problem_type === undefined) return [{ tokens: labels.map((_, i) => `w${i}`), tags: labels.map((label) => label.replace("I-", "B-")) }];
  if (problem_type === "multi_label_classification") return [{ text: "w1 w2", labels }];
  return labels.map((label, i) => ({ text: `w${i}`, label }));
}

describe.each(adapters)("%s, as it was saved", (name) => {
  const folder = `${FOLDER}/${name}`;

  it("gives PEFT's logits in float32", async () => {
    using float32 = await loadFloat32Encoder(encoderFiles(name));
    await float32.addAdapter("task", folder);
    const golden = JSON.parse(readFileSync(`${folder}/logits.json`, "utf8")) as { input_ids: number[][]; logits: (number | number[])[][] };
    expect(golden.input_ids.length).toBe(4);
    for (const [text, ids] of golden.input_ids.entries()) expect(largestGap(await float32.logits(ids, "task"), golden.logits[text]!.flat())).toBeLessThan(1e-5);
  });

  it("is saved anew with the same bytes", async () => {
    using encoder = await loadEncoder(encoderFiles(name));
    // At a rate of 0 nothing is learnt.
    const { files } = await trainAdapter(encoder, { name, train: rowsOf(folder) }, { from: folder, learningRate: 0, epochs: 1, dropout: 0, loraDropout: name === "ner-lora" ? 0.1 : 0 });
    expect([...files.keys()].sort()).toEqual(["README.md", "adapter_config.json", "adapter_model.safetensors", "config.json"]);
    expect(readdirSync(folder).sort()).toEqual(["adapter_config.json", "adapter_model.safetensors", "config.json", "logits.json"]);
    for (const file of ["adapter_config.json", "adapter_model.safetensors", "config.json"]) {
      expect(Buffer.from(files.get(file)!).equals(readFileSync(`${folder}/${file}`)), file).toBe(true);
    }
  });
});
