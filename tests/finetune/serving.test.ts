// What is trained is what is served: dev is measured with the served bits, and a saved folder is the adapter.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trainAdapter, type TrainedAdapter, type TrainingOptions } from "../../src/finetune/index.ts";
import { Learner } from "../../src/finetune/learner.ts";
import { prepare } from "../../src/finetune/prepare.ts";
import { PeftNames } from "../../src/finetune/peft-names.ts";
import { ratesOf } from "../../src/finetune/settings.ts";
import { readTensorsOf } from "../golden/read-tensors.ts";
import { loadEncoder, type Encoder, type EntityGroup } from "../../src/index.ts";
import { cutPasses } from "../../src/train/pass.ts";
import { editTensors } from "../runtime/folder.ts";
import { labelledRows, multiRows, taggedRows, tinyEncoder, tinyFiles, TOY } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "rootstock-train-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let encoder: Encoder;
beforeAll(async () => {
  encoder = await tinyEncoder();
});

const METHODS: [string, TrainingOptions][] = [
  ["lora", {}],
  ["rsLoRA on all linear layers", { rsLora: true, targets: "all-linear" }],
  ["output layers alone", { targets: ["output"] }],
  ["dora", { method: "dora", targets: ["query", "value", "output"] }],
  ["ia3", { method: "ia3", learningRate: 5e-2 }],
  ["ia3 on attention alone", { method: "ia3", learningRate: 5e-2, targets: ["key", "value"] }],
  ["a head alone", { method: "head", learningRate: 5e-2 }],
];

describe("the scores that dev is measured by have the bits that are served", () => {
  async function scoresOf(served: Encoder, trained: TrainedAdapter, data: Parameters<typeof prepare>[1], options: TrainingOptions): Promise<{ learnt: Float32Array[]; served: Float32Array[] }> {
    const { loaded } = served;
    const { shape, head, dev, loss } = await prepare(loaded, data, options);
    const learner = await Learner.start(loaded, { shape, head, dropout: ratesOf({ dropout: 0, loraDropout: 0 }), longest: 64, build: "train-fixed", wasm: undefined, signal: undefined });
    const names = new PeftNames(loaded.machine.plan.config);
    learner.write("value", new Map([...readTensorsOf(trained.files.get("adapter_model.safetensors")!)].map(([name, values]) => [names.toParameter(name), values])));
    learner.endMeasuring();
    learner.beginMeasuring();
    const learnt: Float32Array[] = [];
    for (const [first, end] of cutPasses(dev!.examples.map(({ ids }) => ids.length), 0, dev!.examples.length, learner.rows)) {
      const pass = dev!.examples.slice(first, end);
      const states = await served.states(pass, learner.depth);
      learnt.push(learner.scores(pass, states, loss).scores);
    }
    await served.addAdapter("task", trained, { replace: true });
    const results = await served.runBatch(dev!.examples.map(({ text }) => ({ text, tasks: ["task"] })), { aggregation: "none", ignoreLabels: [], topK: null });
    const labels = trained.history.labels;
    const isNer = trained.history.kind === "ner";
    const rows = results.map(({ task }, i): Float32Array => {
      const { read } = dev!.examples[i]!;
      if (isNer) return Float32Array.from(read, (token) => (task as { index: number; score: number }[]).find(({ index }) => index === token)!.score);
      return Float32Array.from(labels, (label) => (task as { label: string; score: number }[]).find((one) => one.label === label)!.score);
    });
    const best = (scores: Float32Array): Float32Array => Float32Array.from({ length: scores.length / labels.length }, (_, row) => Math.max(...scores.subarray(row * labels.length, (row + 1) * labels.length)));
    return { learnt: isNer ? learnt.map(best) : learnt, served: rows };
  }

  const joined = (pieces: readonly Float32Array[]): number[] => pieces.flatMap((piece) => [...piece]);

  it.each(METHODS)("%s", async (_, options) => {
    for (const data of [
      { name: "people", train: taggedRows(24), dev: taggedRows(36) },
      { name: "mood", train: labelledRows(24), dev: labelledRows(36) },
      { name: "many", train: multiRows(24), dev: multiRows(36) },
    ]) {
      const all = { ...TOY, epochs: 2, ...options };
      const { learnt, served } = await scoresOf(encoder, await trainAdapter(encoder, data, all), data, all);
      expect(joined(learnt).length).toBeGreaterThan(36);
      expect(joined(learnt)).toEqual(joined(served));
    }
  });

  it.each(["distilbert", "roberta", "electra"])("a head with a dense layer of its own: %s", async (family) => {
    const other = await tinyEncoder(family);
    const data = { name: "mood", train: labelledRows(24), dev: labelledRows(36) };
    const all = { ...TOY, epochs: 2 };
    const { learnt, served } = await scoresOf(other, await trainAdapter(other, data, all), data, all);
    expect(joined(learnt)).toEqual(joined(served));
  });

  it("DoRA on an encoder with a row of zeros", async () => {
    const files = editTensors(tinyFiles(), "model.safetensors", (tensor) => {
      if (!tensor.name.endsWith("layer.3.attention.self.value.weight")) return tensor;
      return { ...tensor, data: tensor.data.slice().fill(0, 0, tensor.shape[1]! * 4) };
    });
    const other = await loadEncoder(files);
    const data = { name: "mood", train: labelledRows(24), dev: labelledRows(36) };
    const all: TrainingOptions = { ...TOY, epochs: 4, method: "dora" };
    const trained = await trainAdapter(other, data, all);
    expect(trained.history.steps.at(-1)!.loss).toBeLessThan(trained.history.steps[0]!.loss);
    const magnitude = [...readTensorsOf(trained.files.get("adapter_model.safetensors")!)].find(([name]) => /3\.attention\.self\.value\.lora_magnitude/.test(name))![1];
    expect([magnitude[0], magnitude.every((m, row) => m > 0 || row === 0)]).toEqual([0, true]);
    const { learnt, served } = await scoresOf(other, trained, data, all);
    expect(joined(learnt)).toEqual(joined(served));
    other.dispose();
  });
});

describe("what is trained is served", () => {
  it("a toy's dev rows are answered as dev was measured", async () => {
    const dev = taggedRows(36);
    const trained = await trainAdapter(encoder, { name: "people", train: taggedRows(24), dev }, { ...TOY, epochs: 4 });
    await encoder.addAdapter("people", trained, { replace: true });
    const results = await encoder.runBatch(dev.map(({ tokens }) => ({ tokens, tasks: ["people"] })));
    const wrong = results.filter(({ people }, i) => {
      const text = dev[i]!.tokens.join(" ");
      const found = (people as EntityGroup[]).map(({ entity_group, start, end }) => `${entity_group} ${text.slice(start, end)}`);
      const tokens = dev[i]!.tokens;
      const gold = dev[i]!.tags.flatMap((tag, at) => (tag.startsWith("B-") ? [`${tag.slice(2)} ${tokens[at]}${dev[i]!.tags[at + 1]?.startsWith("I-") ? ` ${tokens[at + 1]}` : ""}`] : []));
      return found.join() !== gold.join();
    });
    // At most 20 are kept of them.
    expect(trained.mistakes.length).toBeLessThan(20);
    expect(wrong.length).toBe(trained.mistakes.length);
  });

  it.each(METHODS)("saved and loaded it gives the same logits: %s", async (name, options) => {
    const trained = await trainAdapter(encoder, { name: "mood", train: labelledRows(24) }, { ...TOY, epochs: 2, ...options });
    const path = join(folder, name.replaceAll(" ", "-"));
    await trained.save(path);
    expect(readdirSync(path).sort()).toEqual(["README.md", "adapter_config.json", "adapter_model.safetensors", "config.json"]);
    await encoder.addAdapter("kept", trained, { replace: true });
    await encoder.addAdapter("saved", path, { replace: true });
    const ids = [2, 5, 8, 11, 14, 20, 3];
    expect(await encoder.logits(ids, "saved")).toEqual(await encoder.logits(ids, "kept"));
    // The layers that were asked for, and no others.
    expect(encoder.info.tasks.find((task) => task.name === "saved")!.firstLayer).toBe(options.method === "head" ? 4 : 2);
  });

  it("an encoder of another fingerprint refuses it", async () => {
    const trained = await trainAdapter(encoder, { name: "mood", train: labelledRows(12) }, { ...TOY, epochs: 1 });
    const other = await tinyEncoder("bert-relu-wide");
    await expect(other.addAdapter("mood", trained)).rejects.toMatchObject({ code: "adapter-mismatch" });
  });
});

describe("saving", () => {
  it("is whole or not at all", async () => {
    const trained = await trainAdapter(encoder, { name: "mood", train: labelledRows(12) }, { ...TOY, epochs: 1 });
    const full = join(folder, "full");
    await trained.save(full);
    await expect(trained.save(full)).rejects.toMatchObject({ code: "argument-invalid" });
    const file = join(folder, "a-file");
    writeFileSync(file, "x");
    await expect(trained.save(file)).rejects.toMatchObject({ code: "argument-invalid" });
    await expect(trained.save(join(file, "below"))).rejects.toMatchObject({ code: "target-unwritable", message: expect.stringContaining("Nothing was left behind") as string });
    expect(readdirSync(folder).filter((name) => name.includes("partial"))).toEqual([]);
  });

  it("writes a model card that names data, metric and encoder", async () => {
    const trained = await trainAdapter(encoder, { name: "mood", train: labelledRows(12), dev: labelledRows(6) }, { ...TOY, epochs: 1 });
    const card = new TextDecoder().decode(trained.files.get("README.md"));
    const { settings, best } = trained.history;
    for (const words of [encoder.info.fingerprint, (settings["train"] as { digest: string }).digest, (settings["dev"] as { digest: string }).digest, best!.metric.toFixed(4), '"praise"']) {
      expect(card).toContain(words);
    }
    expect(JSON.parse(readFileSync(join(folder, "lora", "adapter_config.json"), "utf8"))).toMatchObject({
      peft_type: "LORA", task_type: "SEQ_CLS", r: 8, lora_alpha: 16, layers_to_transform: [2, 3], target_modules: ["attention.self.query", "attention.self.value"], modules_to_save: ["classifier"],
    });
  });
});
