// Training that goes on from an adapter.
import { beforeAll, describe, expect, it } from "vitest";
import { trainAdapter, type TrainingOptions } from "../../src/finetune/index.ts";
import type { Encoder } from "../../src/index.ts";
import { refuses } from "../runtime/refuses.ts";
import { editJson, editTensors, readFolder } from "../runtime/folder.ts";
import { labelledRows, taggedRows, tinyEncoder, TOY } from "./fixture.ts";

const ADAPTERS = "tests/golden/tiny/bert-adapters";

let encoder: Encoder;
beforeAll(async () => {
  encoder = await tinyEncoder();
});

const still: TrainingOptions = { epochs: 1, learningRate: 0, weightDecay: 0, seed: 3 };

describe("from an adapter", () => {
  it.each<[string, TrainingOptions]>([
    ["lora", {}], ["rsLoRA", { rsLora: true, targets: "all-linear" }], ["dora", { method: "dora" }], ["ia3", { method: "ia3", targets: ["value", "output"] }], ["a head alone", { method: "head" }],
  ])("%s: a rate of 0 gives it back, with its head", async (_, options) => {
    const { layers: __, ...toy } = TOY;
    const data = { name: "mood", train: labelledRows(24), dev: labelledRows(12) };
    const first = await trainAdapter(encoder, data, { ...toy, ...(options.method === "head" ? {} : { layers: [1, 3] }), ...options, epochs: 3 });
    const second = await trainAdapter(encoder, data, { ...still, from: first });
    expect(second.files.get("adapter_model.safetensors")).toEqual(first.files.get("adapter_model.safetensors"));
    expect(second.files.get("adapter_config.json")).toEqual(first.files.get("adapter_config.json"));
    expect(second.history.warnings).toEqual([]);
    expect(second.history.best!.metric).toBe(first.history.best!.metric);
  });

  it("fewer labels keep its head, new ones get a fresh head", async () => {
    const first = await trainAdapter(encoder, { name: "mood", train: labelledRows(24) }, TOY);
    const fewer = await trainAdapter(encoder, { name: "mood", train: labelledRows(24).filter(({ label }) => label !== "fact") }, { ...still, from: first });
    expect(fewer.history.labels).toEqual(["blame", "fact", "praise"]);
    const renamed = labelledRows(24).map(({ text, label }) => ({ text, label: `${label}!` }));
    const fresh = await trainAdapter(encoder, { name: "mood", train: renamed }, { ...still, from: first });
    expect(fresh.history.labels).toEqual(["blame!", "fact!", "praise!"]);
    expect(fresh.history.warnings).toEqual(["from: it has no head for these labels, so a fresh one is trained."]);
    const ner = await trainAdapter(encoder, { name: "people", train: taggedRows(36), dev: taggedRows(12) }, { ...TOY, layers: undefined, from: first });
    expect(ner.history.best!.metric).toBe(1);
  });

  it.each(["lora-token", "lora-seq", "lora-one-layer", "lora-regex", "rslora", "dora", "ia3", "ia3-token-ff", "lora-bias-lora-only"])("PEFT's own %s trains on", async (name) => {
    const isToken = JSON.parse(Buffer.from(readFolder(`${ADAPTERS}/${name}`).get("adapter_config.json")!).toString("utf8")).task_type === "TOKEN_CLS";
    const rows = isToken ? taggedRows(36) : labelledRows(36);
    const { history, files } = await trainAdapter(encoder, { name: "task", train: rows, dev: rows.slice(0, 12) }, { epochs: 2, from: readFolder(`${ADAPTERS}/${name}`), learningRate: 1e-2, batchSize: 8, dropout: 0 });
    expect(history.steps.at(-1)!.loss).toBeLessThan(history.steps[0]!.loss);
    await encoder.addAdapter("task", files, { replace: true });
    // And on again, from what was written.
    const again = await trainAdapter(encoder, { name: "task", train: rows }, { ...still, from: files });
    expect(again.files.get("adapter_model.safetensors")).toEqual(files.get("adapter_model.safetensors"));
  });

  it("an adapter of lora_only that PEFT before 0.21 saved, without its biases, trains on with the encoder's", async () => {
    const files = editTensors(readFolder(`${ADAPTERS}/lora-bias-lora-only`), "adapter_model.safetensors", (tensor) => (tensor.name.endsWith(".base_layer.bias") ? null : tensor));
    const isToken = JSON.parse(Buffer.from(files.get("adapter_config.json")!).toString("utf8")).task_type === "TOKEN_CLS";
    const { files: made } = await trainAdapter(encoder, { name: "task", train: isToken ? taggedRows(12) : labelledRows(12) }, { epochs: 1, from: files });
    const config = JSON.parse(new TextDecoder().decode(made.get("adapter_config.json"))) as { bias: string };
    expect(config.bias).toBe("none");
    await encoder.addAdapter("task", made, { replace: true });
  });

  it.each<[string, RegExp]>([
    ["rank-alpha-pattern", /different targets, ranks or scales/],
    ["lora-b-bias", /low-rank terms have biases/],
    ["embedding-lora", /changes the embeddings/],
  ])("refuses %s, which serves and cannot be trained", async (name, says) => {
    await refuses(trainAdapter(encoder, { name: "task", train: labelledRows(12) }, { from: readFolder(`${ADAPTERS}/${name}`) }), "adapter-unsupported", says);
  });

  it("an adapter that is a head alone has a head", async () => {
    const head = await trainAdapter(encoder, { name: "mood", train: labelledRows(12) }, { method: "head", epochs: 1 });
    expect(JSON.parse(new TextDecoder().decode(head.files.get("adapter_config.json")))).toMatchObject({ peft_type: "LORA", target_modules: "dummy-target-modules" });
    await encoder.addAdapter("head", head, { replace: true });
    const files = editJson(new Map(head.files), "adapter_config.json", { task_type: null });
    await refuses(encoder.addAdapter("none", files), "adapter-mismatch", /names no module/);
  });

  it("an adapter of another encoder, or none", async () => {
    const train = labelledRows(12);
    await refuses(trainAdapter(encoder, { name: "task", train }, { from: "tests/nowhere" }), "source-missing", /nowhere/);
    const other = await trainAdapter(await tinyEncoder("bert-relu-wide"), { name: "task", train }, { ...TOY, epochs: 1 });
    await refuses(trainAdapter(encoder, { name: "task", train }, { from: other }), "adapter-mismatch", /another|trained on/);
    const files = editJson(readFolder(`${ADAPTERS}/lora-seq`), "adapter_config.json", { task_type: null });
    await refuses(trainAdapter(encoder, { name: "task", train }, { from: files }), "adapter-unsupported", /task_type/);
  });
});
