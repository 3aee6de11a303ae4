import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEncoder, RootstockError, type Encoder, type FileMap } from "../../src/index.ts";
import { someLabels } from "../encoder/gap.ts";
import { editJson, editTensors, readFolder } from "./folder.ts";
import { refuses as isRefused } from "./refuses.ts";

const ENCODER = readFolder("tests/golden/tiny/bert");
const ADAPTER = readFolder("tests/golden/tiny/bert-adapters/lora-seq");
const LABELS = someLabels(3);
const IDS = [2, 45, 99, 17, 3];
const WEIGHTS = "adapter_model.safetensors";

const same: Parameters<typeof editTensors>[2] = (tensor) => tensor;

/** A loaded encoder with one task that must go on giving the same bits, whatever else is refused. */
let resident: Encoder;
let before: { logits: Float32Array; states: Float32Array[]; adapters: number };

async function results(): Promise<typeof before> {
  const logits = await resident.logits(IDS, "task");
  return { logits, states: await resident.hiddenStates(IDS, null), adapters: resident.info.memory.adapters };
}

beforeAll(async () => {
  resident = await loadEncoder(ENCODER);
  await resident.addAdapter("task", ADAPTER, { labels: LABELS });
  before = await results();
});

afterAll(() => resident.dispose());

/** Is refused with that code and message, and leaves the resident encoder alone. */
async function refuses(...refusal: Parameters<typeof isRefused>): Promise<void> {
  await isRefused(...refusal);
  expect(await results()).toEqual(before);
}

function without(files: ReadonlyMap<string, Uint8Array>, name: string): Map<string, Uint8Array> {
  const copy = new Map(files);
  copy.delete(name);
  return copy;
}

describe("encoder folders", () => {
  const load = (files: FileMap | string): Promise<unknown> => loadEncoder(files).then((encoder) => encoder.dispose());

  it("accepts the folder that the cases below are made from", async () => {
    await load(ENCODER);
  });

  for (const name of ["config.json", "model.safetensors"]) {
    it(`refuses a folder without ${name}`, () => refuses(load(without(ENCODER, name)), "source-missing", new RegExp(name)));
  }

  it("refuses a folder that is not there", () => refuses(load("tests/no-such-folder"), "source-missing", /tests\/no-such-folder/));

  it("refuses a file cut at any of 200 places", async () => {
    const bytes = ENCODER.get("model.safetensors")!;
    for (let i = 0; i < 200; i++) {
      const cut = new Map(ENCODER).set("model.safetensors", bytes.subarray(0, Math.floor((i * bytes.length) / 200)));
      await expect(load(cut)).rejects.toMatchObject({ code: expect.stringMatching(/^(source-truncated|header-invalid|not-a-model)$/) as unknown });
    }
    await refuses(load(new Map(ENCODER).set("model.safetensors", bytes.subarray(0, -1))), "source-truncated", /model\.safetensors/);
  });

  it("refuses a file with bytes behind its end", async () => {
    const bytes = ENCODER.get("model.safetensors")!;
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    await expect(load(new Map(ENCODER).set("model.safetensors", longer))).rejects.toBeInstanceOf(RootstockError);
  });

  it("refuses a web page in place of the weights", () => {
    const page = new TextEncoder().encode("<!DOCTYPE html><html><body>Not found</body></html>");
    return refuses(load(new Map(ENCODER).set("model.safetensors", page)), "not-a-model", /model\.safetensors/);
  });

  it("refuses a web page in place of JSON that it needs, whatever stands before its first tag", async () => {
    for (const page of ["<!DOCTYPE html>", "\ufeff<html>", " \r\n\t<html></html>", "<"]) {
      for (const name of ["config.json", "tokenizer.json"]) {
        await refuses(load(new Map(ENCODER).set(name, new TextEncoder().encode(page))), "not-a-model", new RegExp(`^${name} of the given files is an HTML page.*Check the path`));
      }
    }
  });

  it("takes a web page for a file that is not there where it can do without", async () => {
    const page = new TextEncoder().encode("<!DOCTYPE html>");
    using encoder = await loadEncoder(new Map(ENCODER).set("rootstock.json", page).set("tokenizer_config.json", page));
    expect(encoder.info.converted).toBe(false);
  });

  it("refuses a missing, an unknown, a misshapen, a wrongly typed and a poisoned tensor", async () => {
    const target = "encoder.layer.1.attention.self.key.weight";
    const edit = (change: Parameters<typeof editTensors>[2]): Map<string, Uint8Array> =>
      editTensors(ENCODER, "model.safetensors", (tensor) => (tensor.name === target ? change(tensor) : tensor));
    await refuses(load(edit(() => null)), "tensor-missing", /layer\.1\.attention\.self\.key/);
    const extra = { name: "encoder.layer.1.attention.self.gate.weight", dtype: "F32", shape: [1], data: new Uint8Array(4) } as const;
    await refuses(load(editTensors(ENCODER, "model.safetensors", same, [extra])), "tensor-unexpected", /self\.gate/);
    await refuses(load(edit((tensor) => ({ ...tensor, shape: [32, 128] }))), "tensor-shape", /32, 128/);
    await refuses(load(edit((tensor) => ({ ...tensor, dtype: "I32" }))), "tensor-dtype", /I32/);
    for (const poison of [NaN, Infinity, -Infinity]) {
      await refuses(load(edit((tensor) => ({ ...tensor, data: poisoned(tensor.data, poison) }))), "tensor-value", /layer\.1\.attention\.self\.key/);
    }
  });

  it("refuses configurations that are wrong or of another family", async () => {
    await refuses(load(editJson(ENCODER, "config.json", { model_type: "gpt2" })), "family-unsupported", /gpt2/);
    await refuses(load(editJson(ENCODER, "config.json", { num_attention_heads: 5 })), "config-invalid", /num_attention_heads|hidden_size/);
    await refuses(load(editJson(ENCODER, "config.json", { num_hidden_layers: 5 })), "tensor-missing", /layer\.4/);
    await refuses(load(editJson(ENCODER, "config.json", { vocab_size: 299 })), "tensor-shape", /word_embeddings/);
    await refuses(load(new Map(ENCODER).set("config.json", new TextEncoder().encode("{"))), "json-invalid", /config\.json/);
  });

  it("refuses arguments of the wrong kind", async () => {
    await refuses(loadEncoder(7 as never), "argument-invalid", /source/);
    await refuses(loadEncoder(ENCODER, { adapterBudget: -1 }), "argument-invalid", /adapterBudget/);
    await refuses(loadEncoder({ "config.json": "text" } as never), "argument-invalid", /Uint8Array/);
  });
});

function poisoned(data: Uint8Array, value: number): Uint8Array {
  const copy = data.slice();
  new DataView(copy.buffer).setFloat32(copy.length - 4, value, true);
  return copy;
}

describe("adapter folders", () => {
  const add = (files: FileMap | string, labels: readonly string[] = LABELS): Promise<void> => resident.addAdapter("other", files, { labels });

  it("refuses an adapter for another encoder", async () => {
    await refuses(add("tests/golden/peft/adapters/bert-odd-seq"), "adapter-mismatch", /42|64/);
    const metadata = new Map([["rootstock_encoder", `sha256:${"0".repeat(64)}`]]);
    await refuses(add(editTensors(ADAPTER, WEIGHTS, same, [], metadata)), "adapter-mismatch", /sha256/);
  });

  it("takes an adapter that names this encoder", async () => {
    const metadata = new Map([["rootstock_encoder", resident.info.fingerprint]]);
    await resident.addAdapter("named", editTensors(ADAPTER, WEIGHTS, same, [], metadata), { labels: LABELS });
    expect(await resident.logits(IDS, "named")).toEqual(before.logits);
    await resident.removeAdapter("named");
  });

  it("refuses labels that do not fit the head, and a head without labels", async () => {
    await refuses(add(ADAPTER, someLabels(4)), "labels-mismatch", /4.*3|3.*4/);
    await refuses(resident.addAdapter("other", ADAPTER), "labels-mismatch", /id2label/);
  });

  it("refuses missing and extra files and tensors", async () => {
    await refuses(add(without(ADAPTER, "adapter_config.json")), "source-missing", /adapter_config\.json/);
    await refuses(add(without(ADAPTER, WEIGHTS)), "source-missing", /adapter_model\.safetensors/);
    let first = true;
    const dropFirst = editTensors(ADAPTER, WEIGHTS, (tensor) => (first ? ((first = false), null) : tensor));
    await refuses(add(dropFirst), "tensor-missing", /lora_|classifier/);
    const extra = { name: "base_model.model.bert.encoder.layer.0.extra", dtype: "F32", shape: [1], data: new Uint8Array(4) } as const;
    await refuses(add(editTensors(ADAPTER, WEIGHTS, same, [extra])), "tensor-unexpected", /extra/);
  });

  it("refuses a pooler beside a token head, which would read it on every row", async () => {
    const token = editJson(readFolder("tests/golden/tiny/bert-adapters/lora-token"), "adapter_config.json", { modules_to_save: ["classifier", "pooler"] });
    const dense = "base_model.model.bert.pooler.dense";
    const pooler = [
      { name: `${dense}.weight`, dtype: "F32", shape: [64, 64], data: new Uint8Array(64 * 64 * 4) },
      { name: `${dense}.bias`, dtype: "F32", shape: [64], data: new Uint8Array(64 * 4) },
    ] as const;
    await refuses(add(editTensors(token, WEIGHTS, same, [...pooler]), someLabels(5)), "tensor-unexpected", /pooler/);
  });

  it("refuses wrong shapes, dtypes and values", async () => {
    const edit = (change: Parameters<typeof editTensors>[2]): Map<string, Uint8Array> =>
      editTensors(ADAPTER, WEIGHTS, (tensor) => (tensor.name.endsWith("layer.3.attention.self.value.lora_A.weight") ? change(tensor) : tensor));
    await refuses(add(edit((tensor) => ({ ...tensor, shape: tensor.shape.toReversed() }))), "tensor-shape", /lora_A/);
    await refuses(add(edit((tensor) => ({ ...tensor, dtype: "I32" }))), "tensor-dtype", /I32/);
    await refuses(add(edit((tensor) => ({ ...tensor, data: poisoned(tensor.data, NaN) }))), "tensor-value", /lora_A/);
  });

  it("refuses what PEFT knows and this runtime does not, by name and with the list of what it does", async () => {
    for (const fields of [{ peft_type: "LOHA" }, { init_lora_weights: "pissa" }, { use_qalora: true }, { layer_replication: [[0, 2]] }]) {
      await refuses(add(editJson(ADAPTER, "adapter_config.json", fields)), "adapter-unsupported", /supported are LORA/);
    }
  });

  it("refuses a task name that is taken or not a name", async () => {
    await refuses(resident.addAdapter("task", ADAPTER, { labels: LABELS }), "task-exists", /"task"/);
    for (const name of ["", "Task", "a b", "__proto__", "../x", "a".repeat(65), 7]) {
      await refuses(resident.addAdapter(name as string, ADAPTER, { labels: LABELS }), "task-invalid", /task name/);
    }
    for (const name of ["constructor", "tostring", "a.b-c_d"]) {
      await resident.addAdapter(name, ADAPTER, { labels: LABELS });
      await resident.removeAdapter(name);
    }
  });

  it("refuses an adapter larger than the whole budget", async () => {
    using small = await loadEncoder(ENCODER, { adapterBudget: 4096 });
    await refuses(small.addAdapter("one", ADAPTER, { labels: LABELS }), "no-memory-left", /needs \d+ bytes.*4096.*adapterBudget/);
    expect(small.info.tasks).toEqual([]);
  });
});

describe("calls", () => {
  it("refuses input ids that are none, too many, or outside the vocabulary", async () => {
    await refuses(resident.forward([], null), "ids-invalid", /empty/);
    await refuses(resident.forward(new Int32Array(65), null), "text-too-long", /65.*64/);
    for (const id of [300, -1, 1.5, NaN, "7"]) await refuses(resident.logits([1, id as number], "task"), "ids-invalid", /vocabulary/);
    await refuses(resident.forward(undefined as never, null), "ids-invalid", /./);
    await refuses(resident.forward(IDS, null, { attentionMask: [1] }), "ids-invalid", /mask/);
  });

  it("refuses tasks that were never added or were removed", async () => {
    await refuses(resident.logits(IDS, "missing"), "task-unknown", /"missing".*"task"/);
    await refuses(resident.removeAdapter("missing"), "task-unknown", /"missing"/);
    await refuses(resident.hiddenStates(IDS, "missing"), "task-unknown", /addAdapter/);
  });

  it("says that text needs a tokenizer where the folder has none", () =>
    refuses(resident.run("hello", ["task"]), "source-missing", /tokenizer\.json/));

  it("rejects with the signal's reason, and does nothing", async () => {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await expect(loadEncoder(ENCODER, { signal })).rejects.toBe(reason);
    await expect(resident.addAdapter("other", ADAPTER, { labels: LABELS, signal })).rejects.toBe(reason);
    await expect(resident.forward(IDS, null, { signal })).rejects.toBe(reason);
    await expect(resident.embed(["text"], { signal })).rejects.toBe(reason);
    await expect(resident.run("text", ["task"], { signal })).rejects.toBe(reason);
    expect(resident.info.tasks.map(({ name }) => name)).toEqual(["task"]);
  });

  it("refuses everything after dispose, and disposing twice is nothing", async () => {
    const encoder = await loadEncoder(ENCODER);
    encoder.dispose();
    encoder.dispose();
    await expect(encoder.forward(IDS, null)).rejects.toMatchObject({ code: "disposed" });
    await expect(encoder.run("text", [])).rejects.toMatchObject({ code: "disposed" });
    await expect(encoder.addAdapter("task", ADAPTER)).rejects.toMatchObject({ code: "disposed" });
    await expect(encoder.removeAdapter("task")).rejects.toMatchObject({ code: "disposed" });
    expect(() => encoder.info).toThrow(RootstockError);
  });
});

describe("adapters come and go", () => {
  it("gives the same bits for a task that is added again, and takes no more memory", async () => {
    const used = resident.info.memory;
    const odd = "tests/golden/tiny/bert-adapters/dora";
    const labels = someLabels((JSON.parse(readFileSync(`${odd}/golden.json`, "utf8")) as { num_labels: number }).num_labels);
    let logits: Float32Array | null = null;
    for (let round = 0; round < 20; round++) {
      await resident.addAdapter("dora", odd, { labels });
      logits ??= await resident.logits(IDS, "dora");
      expect(await resident.logits(IDS, "dora")).toEqual(logits);
      expect(await resident.logits(IDS, "task")).toEqual(before.logits);
      await resident.removeAdapter("dora");
    }
    expect(resident.info.memory).toEqual(used);
  });
});
