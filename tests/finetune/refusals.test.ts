import { beforeAll, describe, expect, it } from "vitest";
import { trainAdapter, type TrainingOptions, type TrainingProgress } from "../../src/finetune/index.ts";
import { loadEncoder, type Encoder } from "../../src/index.ts";
import { refuses } from "../runtime/refuses.ts";
import { labelledRows, MemoryStore, taggedRows, tinyEncoder, tinyFiles, TOY } from "./fixture.ts";

let encoder: Encoder;
beforeAll(async () => {
  encoder = await tinyEncoder();
});

const data = { name: "mood", train: labelledRows(24), dev: labelledRows(12) };

describe("wrong options", () => {
  it.each<[string, object, RegExp]>([
    ["method", { method: "qlora" }, /^method is "qlora"/],
    ["rank", { rank: 0 }, /^rank is 0/],
    ["rank of no number", { rank: "8" }, /^rank is "8"/],
    ["alpha", { alpha: Infinity }, /^alpha is Infinity/],
    ["rsLora", { rsLora: 1 }, /^rsLora is 1/],
    ["dropout", { dropout: 1 }, /^dropout is 1; give a number from 0 to 0\.99/],
    ["dropout below 0", { dropout: -0.1 }, /^dropout is -0\.1/],
    ["loraDropout", { loraDropout: 1 }, /^loraDropout is 1; give a number from 0 to 0\.99/],
    ["loraDropout of no number", { loraDropout: "0.1" }, /^loraDropout is "0\.1"/],
    ["targets", { targets: ["q_proj"] }, /^a target is "q_proj"/],
    ["no targets", { targets: [] }, /^targets must be/],
    ["a layer beyond", { layers: [4] }, /^a layer is 4/],
    ["no layers", { layers: [] }, /^layers must be/],
    ["layers 0", { layers: 0 }, /^layers is 0/],
    ["epochs", { epochs: 1.5 }, /^epochs is 1\.5/],
    ["more updates than a checkpoint holds", { epochs: 100_000, batchSize: 1 }, /^100000 epochs of 24 rows are 2400000 updates of 1; at most 2000000 are made/],
    ["learningRate", { learningRate: Number.NaN }, /^learningRate is NaN/],
    ["headLearningRate", { headLearningRate: -1 }, /^headLearningRate is -1/],
    ["batchSize", { batchSize: 0 }, /^batchSize is 0/],
    ["schedule", { schedule: "step" }, /^schedule is "step"/],
    ["warmup", { warmup: 2 }, /^warmup is 2/],
    ["weightDecay", { weightDecay: -1 }, /^weightDecay is -1/],
    ["clip", { clip: 0 }, /^clip is 0/],
    ["labelSmoothing", { labelSmoothing: 1 }, /^labelSmoothing is 1/],
    ["classWeights", { classWeights: "some" }, /^classWeights: expected an object/],
    ["class weights of no label", { classWeights: { odd: 2 } }, /^classWeights: "odd" is no label/],
    ["class weights of 0", { classWeights: { fact: 0 } }, /^classWeights: fact: expected a number/],
    ["patience", { patience: 0 }, /^patience is 0/],
    ["maxLength", { maxLength: 65 }, /^maxLength is 65/],
    ["evaluateEvery", { evaluateEvery: "step" }, /^evaluateEvery is "step"/],
    ["seed", { seed: -1 }, /^seed is -1/],
    ["offsets", { offsets: "bytes" }, /^offsets is "bytes"/],
    ["peers that are a number", { peers: 2 }, /^peers is 2; give what runPeer hands over/],
    ["a peer of no rank", { peers: { rank: -1, size: 2, sum() {} } }, /^peers is an object/],
    ["peers that cannot sum", { peers: { rank: 0, size: 2 } }, /^peers is an object/],
    ["a checkpoint that cannot be written", { checkpoint: { read: () => null } }, /^checkpoint is an object; give an object with read\(\) and write\(bytes\)/],
    ["from and its shape", { from: {}, rank: 4 }, /^rank is what the adapter of "from" says/],
  ])("%s", async (_, options, says) => refuses(trainAdapter(encoder, data, options as TrainingOptions), "argument-invalid", says));

  it("wrong arguments", async () => {
    await refuses(trainAdapter({} as Encoder, data), "argument-invalid", /^give the encoder/);
    await refuses(trainAdapter(encoder, null as never), "argument-invalid", /^give the data/);
    await refuses(trainAdapter(encoder, { ...data, validation: data.dev } as never), "argument-invalid", /no option "validation" here, only name, train, dev, nameRow/);
    await refuses(trainAdapter(encoder, { ...data, nameRow: 3 as never }), "argument-invalid", /^nameRow is 3; give a function/);
    await refuses(trainAdapter(encoder, data, null as never), "argument-invalid", /^the options are null; give an object/);
    await refuses(trainAdapter(encoder, { ...data, name: "My Task" }), "task-invalid", /My Task/);
  });

  it("an encoder without a tokenizer, or disposed", async () => {
    const files = tinyFiles();
    files.delete("tokenizer.json");
    await refuses(trainAdapter(await loadEncoder(files), data), "source-missing", /tokenizer\.json/);
    const gone = await tinyEncoder();
    gone.dispose();
    await refuses(trainAdapter(gone, data), "disposed", /disposed/);
  });
});

describe("numbers beyond all bounds", () => {
  it.each([1e9, 1e12])("a learning rate of %d ends training with an error", async (learningRate) => {
    for (const rows of [labelledRows(48), taggedRows(48)]) {
      await refuses(trainAdapter(encoder, { name: "mood", train: rows, dev: rows }, { ...TOY, learningRate }), "training-diverged", /smaller learningRate/);
    }
  });
});

describe("an abort", () => {
  it("before it began, with the signal's reason", async () => {
    const reason = new Error("not today");
    await expect(trainAdapter(encoder, data, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("at any moment, and the encoder serves on", async () => {
    const before = await encoder.embed(["ada met ben"]);
    // Moments: every progress there is, and every turn while rows are read.
    let moments = 0;
    await trainAdapter(encoder, data, { ...TOY, epochs: 1, onProgress: () => moments++ });
    expect(moments).toBeGreaterThan(6);
    for (let at = 1; at <= moments; at++) {
      const controller = new AbortController();
      const reason = { at };
      let seen = 0;
      const store = new MemoryStore();
      const onProgress = (): void => void (++seen === at && controller.abort(reason));
      await expect(trainAdapter(encoder, data, { ...TOY, epochs: 1, signal: controller.signal, checkpoint: store, onProgress })).rejects.toBe(reason);
      expect(seen).toBe(at);
    }
    const controller = new AbortController();
    const reading = (function* rows() {
      yield* labelledRows(2000);
      controller.abort("reading");
      yield* labelledRows(2000);
    })();
    await expect(trainAdapter(encoder, { name: "mood", train: reading }, { signal: controller.signal })).rejects.toBe("reading");
    expect(await encoder.embed(["ada met ben"])).toEqual(before);
    expect(encoder.info.tasks).toEqual([]);
  });

  it("from a timer, while an update is under way", async () => {
    const signal = AbortSignal.timeout(50);
    const error = await trainAdapter(encoder, data, { ...TOY, epochs: 10_000, signal }).catch((reason: unknown) => reason);
    expect(error).toBe(signal.reason);
  });
});

describe("what others throw", () => {
  it("the encoder disposed in between", async () => {
    const own = await tinyEncoder();
    const onProgress = ({ step }: TrainingProgress): void => void (step === 2 && own.dispose());
    await refuses(trainAdapter(own, data, { ...TOY, onProgress }), "disposed", /disposed/);
  });

  it("rows, stores and listeners that fail fail the call with their own error", async () => {
    const failure = new Error("mine");
    const fail = (): never => {
      throw failure;
    };
    await expect(trainAdapter(encoder, data, { ...TOY, onProgress: fail })).rejects.toBe(failure);
    await expect(trainAdapter(encoder, data, { ...TOY, checkpoint: { read: fail, write: fail } })).rejects.toBe(failure);
    await expect(trainAdapter(encoder, data, { ...TOY, checkpoint: { read: async () => null, write: fail } })).rejects.toBe(failure);
    await expect(trainAdapter(encoder, { name: "mood", train: (function* () { yield fail(); })() }, TOY)).rejects.toBe(failure); // prettier-ignore
  });

  it("a full queue holds it up for its turn only", async () => {
    const own = await loadEncoder(tinyFiles(), { queueLimit: 1 });
    let isOver = false;
    const serving = (async () => {
      while (!isOver) await own.embed(["ada"]).catch(({ code }: { code: string }) => new Promise((resolve) => setTimeout(resolve, code === "queue-full" ? 1 : 0)));
    })();
    const trained = await trainAdapter(own, data, { ...TOY, epochs: 1 });
    isOver = true;
    await serving;
    const file = "adapter_model.safetensors";
    expect(trained.files.get(file)).toEqual((await trainAdapter(encoder, data, { ...TOY, epochs: 1 })).files.get(file));
  });
});
