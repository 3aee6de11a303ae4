import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { convertEncoder } from "../../src/convert/convert.ts";
import { packCheckpoint, unpackCheckpoint } from "../../src/finetune/checkpoint-format.ts";
import { trainAdapter, type TrainedAdapter, type TrainingOptions, type TrainingProgress } from "../../src/finetune/index.ts";
import { loadEncoder, type Encoder } from "../../src/index.ts";
import { editJson, editTensors, readFolder } from "../runtime/folder.ts";
import { MAX_TENSORS } from "../../src/limits.ts";
import { refuses } from "../runtime/refuses.ts";
import { labelledRows, MemoryStore, multiRows, taggedRows, tinyEncoder, tinyFiles, TOY } from "./fixture.ts";

let encoder: Encoder;
beforeAll(async () => {
  encoder = await tinyEncoder();
});

afterEach(() => vi.restoreAllMocks());

async function calibrated(): Promise<Map<string, Uint8Array>> {
  const folder = mkdtempSync(join(tmpdir(), "rootstock-resume-"));
  try {
    await convertEncoder(tinyFiles(), join(folder, "calibrated"), { calibrate: labelledRows(30).map(({ text }) => text) });
    return readFolder(join(folder, "calibrated"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Its tokenizer gives "good" the number of "bad". */
function exchanged(): Map<string, Uint8Array> {
  const files = tinyFiles();
  const { model } = JSON.parse(new TextDecoder().decode(files.get("tokenizer.json"))) as { model: { vocab: Record<string, number> } };
  const { good, bad } = model.vocab;
  return editJson(files, "tokenizer.json", { model: { ...model, vocab: { ...model.vocab, good: bad, bad: good } } });
}

/** With one row of numbers alone. */
function cutNumbers(blob: Uint8Array): Uint8Array {
  const cut = editTensors(new Map([["blob", blob]]), "blob", (tensor) => (tensor.name === "numbers" ? { ...tensor, shape: [1, 4096], data: tensor.data.slice(0, 4 * 4096) } : tensor));
  return cut.get("blob")!;
}

/** Everything but how long it took. */
const resultOf = ({ files, history }: TrainedAdapter) => ({
  history: { ...history, seconds: 0 },
  config: files.get("adapter_config.json"), labels: files.get("config.json"), weights: files.get("adapter_model.safetensors"),
});

it("takes class weights in any order for those of the same run, as they were when it began", async () => {
  const store = new MemoryStore();
  const classWeights: Record<string, number> = { fact: 2, blame: 3 };
  const options = { ...TOY, epochs: 1, checkpoint: store };
  const data = { name: "toy", train: labelledRows(30) };
  const running = trainAdapter(encoder, data, { ...options, classWeights });
  classWeights.fact = 9;
  const first = await running;
  expect(first.history.settings).toMatchObject({ classWeights: { blame: 3, fact: 2 } });
  expect(resultOf(await trainAdapter(encoder, data, { ...options, classWeights: { blame: 3, fact: 2 } }))).toEqual(resultOf(first));
  await refuses(trainAdapter(encoder, data, { ...options, classWeights: { blame: 3, fact: 9 } }), "checkpoint-invalid", /whose classWeights was/);
});

describe("a run goes on from each of its checkpoints and ends with the same bits", () => {
  const cases: [string, () => unknown[], TrainingOptions][] = [
    ["classes, with dropout and patience", () => labelledRows(40), { dropout: 0.2, loraDropout: 0.3, patience: 2, evaluateEvery: 3 }],
    ["entities, DoRA", () => taggedRows(30), { method: "dora" }],
    ["labels, (IA)³", () => multiRows(30), { method: "ia3", evaluateEvery: 2, classWeights: "balanced" }],
  ];

  it.each(cases)("%s", async (_, rows, options) => {
    const all = { ...TOY, epochs: 4, ...options };
    const data = { name: "task", train: rows(), dev: rows().slice(0, 12) };
    const store = new MemoryStore();
    const whole = await trainAdapter(encoder, data, { ...all, checkpoint: store });
    expect(store.blobs.length).toBeGreaterThan(3);
    expect(resultOf(await trainAdapter(encoder, data, all))).toEqual(resultOf(whole));
    for (const blob of store.blobs) {
      const resumed = await trainAdapter(encoder, data, { ...all, checkpoint: new MemoryStore(blob) });
      expect(resultOf(resumed)).toEqual(resultOf(whole));
    }
  });

  it("after an abort at each update, as well", async () => {
    const all = { ...TOY, epochs: 2, evaluateEvery: 2 };
    const data = { name: "task", train: labelledRows(20), dev: labelledRows(6) };
    const whole = await trainAdapter(encoder, data, all);
    for (let killed = 1; killed < 6; killed++) {
      const [store, controller] = [new MemoryStore(), new AbortController()];
      const onProgress = ({ step }: { step: number }): void => void (step === killed && controller.abort("killed"));
      await expect(trainAdapter(encoder, data, { ...all, checkpoint: store, signal: controller.signal, onProgress })).rejects.toBe("killed");
      expect(resultOf(await trainAdapter(encoder, data, { ...all, checkpoint: store }))).toEqual(resultOf(whole));
    }
  });

  it("a finished run is not run again", async () => {
    const data = { name: "task", train: labelledRows(20), dev: labelledRows(6) };
    const store = new MemoryStore();
    const whole = await trainAdapter(encoder, data, { ...TOY, epochs: 2, checkpoint: store });
    let updates = 0;
    const again = await trainAdapter(encoder, data, { ...TOY, epochs: 2, checkpoint: store, onProgress: () => updates++ });
    expect(updates).toBe(0);
    expect(resultOf(again)).toEqual(resultOf(whole));
  });

  it("nor is one that was ended on its way to its last evaluation, once that was made", async () => {
    const data = { name: "task", train: labelledRows(20), dev: labelledRows(6) };
    const whole = await trainAdapter(encoder, data, { ...TOY, epochs: 2 });
    const [store, controller] = [new MemoryStore(), new AbortController()];
    const onProgress = ({ step, phase }: TrainingProgress): void => void (step === 6 && phase === "train" && controller.abort("ended"));
    await expect(trainAdapter(encoder, data, { ...TOY, epochs: 2, checkpoint: store, signal: controller.signal, onProgress })).rejects.toBe("ended");
    const reports: string[] = [];
    const again = () => trainAdapter(encoder, data, { ...TOY, epochs: 2, checkpoint: store, onProgress: ({ phase }) => reports.push(phase) });
    expect(resultOf(await again())).toEqual(resultOf(whole));
    expect(reports.splice(0)).toContain("dev");
    expect(resultOf(await again())).toEqual(resultOf(whole));
    expect(reports).toEqual([]);
  });
});

describe("within an epoch", () => {
  /** The updates after which a run of two epochs of nine wrote, each of which took 10 s. */
  async function updatesWritten(first: Uint8Array | null): Promise<{ updates: number[]; seconds: number; store: MemoryStore }> {
    using own = await tinyEncoder();
    let clock = 1e9; // whole, so that 30 s are 30 s
    vi.spyOn(performance, "now").mockImplementation(() => clock);
    const store = new MemoryStore(first);
    const onProgress = ({ phase }: TrainingProgress): void => void (phase === "train" && (clock += 10_000));
    const { history } = await trainAdapter(own, { name: "task", train: labelledRows(72) }, { ...TOY, epochs: 2, checkpoint: store, onProgress });
    vi.restoreAllMocks();
    return { updates: store.blobs.map((blob) => (unpackCheckpoint(blob).state as { step: number }).step), seconds: history.seconds, store };
  }

  it("a checkpoint is written when more than 30 s have passed since the last, whatever that was written for", async () => {
    const { updates, seconds, store } = await updatesWritten(null);
    expect(updates).toEqual([4, 8, 9, 13, 17, 18]);
    expect(seconds).toBeCloseTo(180, 6);
    const resumed = await updatesWritten(store.blobs[1]!);
    expect(resumed.updates).toEqual([9, 13, 17, 18]);
    expect(resumed.seconds).toBeCloseTo(180, 6);
  });
});

describe("a checkpoint of something else", () => {
  const data = { name: "task", train: labelledRows(20), dev: labelledRows(6) };
  const options = { ...TOY, epochs: 2 };
  const blobOf = async (given = data, settings: TrainingOptions = options): Promise<Uint8Array> => {
    const store = new MemoryStore();
    await trainAdapter(encoder, given, { ...settings, checkpoint: store });
    return store.blobs[0]!;
  };
  const resume = (blob: Uint8Array): Promise<TrainedAdapter> => trainAdapter(encoder, data, { ...options, checkpoint: new MemoryStore(blob) });

  it.each<[string, () => Promise<Uint8Array>, RegExp]>([
    ["other options", () => blobOf(data, { ...options, learningRate: 1e-3 }), /another run, whose learningRate was 0\.001 and is 0\.01\./],
    ["another dropout", () => blobOf(data, { ...options, dropout: 0.1 }), /whose dropout was 0\.1 and is 0\./],
    ["another dropout of LoRA", () => blobOf(data, { ...options, loraDropout: 0.1 }), /whose loraDropout was 0\.1 and is 0\./],
    ["another seed", () => blobOf(data, { ...options, seed: 9 }), /whose seed was 9 and is 3\./],
    ["other rows", () => blobOf({ ...data, train: labelledRows(21) }), /whose train was \{"rows":21,.* and is \{"rows":20,/],
    ["nothing", async () => new Uint8Array(0), /cannot be gone on from/],
    ["noise", async () => new Uint8Array(1000).fill(77), /cannot be gone on from/],
    ["cut short", async () => (await blobOf()).slice(0, -1), /cannot be gone on from/],
    ["no state", async () => packCheckpoint({ state: 5, tensors: new Map() }), /expected an object/],
    ["fewer numbers than it names", async () => cutNumbers(await blobOf()), /fewer numbers than it names/],
    ["no parameters", async () => packCheckpoint({ ...unpackCheckpoint(await blobOf()), tensors: new Map() }), /parameters are not those/],
    ["a step of no number", async () => { const { state, tensors } = unpackCheckpoint(await blobOf()); return packCheckpoint({ state: { ...(state as object), step: -1 }, tensors }); }, /step: expected a whole number/], // prettier-ignore
  ])("%s", async (_, make, says) => refuses(resume(await make()), "checkpoint-invalid", says));

  it.each<[string, () => Map<string, Uint8Array> | Promise<Map<string, Uint8Array>>, RegExp]>([
    ["weights of the same source, rounded with calibration", calibrated, /whose weights was -?\d+ and is -?\d+\./],
    ["another activation", () => editJson(tinyFiles(), "config.json", { hidden_act: "relu" }), /whose config was "sha256:[0-9a-f]+" and is "sha256:/],
    ["a tokenizer that makes other tokens of the rows", exchanged, /whose tokenization was \{"train":"sha256:/],
  ])("an encoder with %s", async (_, make, says) => {
    const other = await loadEncoder(await make());
    expect(other.info.fingerprint).toBe(encoder.info.fingerprint);
    await refuses(trainAdapter(other, data, { ...options, checkpoint: new MemoryStore(await blobOf()) }), "checkpoint-invalid", says);
    other.dispose();
  });

  it("keeps a tensor of more numbers than one dimension may have", () => {
    // A prime, so that no shape but one row holds it.
    const values = new Float32Array(2 ** 24 + 43);
    values[2 ** 24 + 42] = 7;
    const { tensors } = unpackCheckpoint(packCheckpoint({ state: {}, tensors: new Map([["table", values]]) }));
    expect([tensors.get("table")!.length, tensors.get("table")!.at(-1)]).toEqual([values.length, 7]);
  });

  it("keeps more tensors than a file of safetensors may have: DoRA on all linear layers of an encoder of 57 layers", () => {
    const names = Array.from({ length: 57 * 6 * 3 * 4 }, (_, i) => `value/task/${i}`);
    const tensors = new Map(names.map((name, i) => [name, Float32Array.of(i, -i)]));
    expect(names.length).toBeGreaterThan(MAX_TENSORS);
    expect(unpackCheckpoint(packCheckpoint({ state: {}, tensors })).tensors).toEqual(tensors);
  });

  it("keeps what it was given", () => {
    const tensors = new Map([["a/b", Float32Array.of(1, -0, Infinity)], ["__proto__", Float32Array.of(2)]]);
    const state = { list: Array.from({ length: 20_000 }, (_, i) => i / 3), text: "😀" };
    expect(unpackCheckpoint(packCheckpoint({ state, tensors }))).toEqual({ state, tensors });
  });
});
