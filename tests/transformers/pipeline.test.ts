import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { Encoder, loadEncoder, RootstockError, type ErrorCode, type Source } from "../../src/index.ts";
import { pipeline, type ModelLike, type PipelineOptions, type PipelineType, type ProgressInfo } from "../../src/transformers/index.ts";
import { ProgressReport } from "../../src/transformers/progress.ts";
import { ENCODER, ENTITIES, golden, MOOD } from "./golden.ts";

async function refused(action: () => Promise<unknown>, code: ErrorCode, words: RegExp): Promise<void> {
  const error = await action().then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RootstockError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(words) });
}

const isLive = (encoder: { info: unknown }): boolean => {
  try {
    return encoder.info !== null;
  } catch {
    return false;
  }
};

describe("sharing one encoder", () => {
  it("keeps it until the last pipeline over it is disposed, and takes each adapter off with its own", async () => {
    const ner = await pipeline("ner", ENCODER, { adapter: ENTITIES });
    const mood = await pipeline("text-classification", ner, { adapter: MOOD });
    const features = await pipeline("embeddings", { encoder: mood });
    expect([ner.task, mood.task, features.task]).toEqual(["token-classification", "text-classification", "feature-extraction"]);
    expect(mood.encoder).toBe(ner.encoder);
    expect(features.encoder).toBe(ner.encoder);
    expect(ner.encoder.info.tasks).toHaveLength(2);

    await ner.dispose();
    expect(mood.encoder.info.tasks).toHaveLength(1);
    expect(await mood("fine")).toHaveLength(1);
    await ner.dispose(); // again: nothing
    await mood.dispose();
    expect(isLive(features.encoder)).toBe(true);
    await features[Symbol.asyncDispose]();
    expect(isLive(features.encoder)).toBe(false);
    const all: ((text: string) => Promise<unknown>)[] = [ner, mood, features];
    for (const pipe of all) await refused(() => pipe("late"), "disposed", /pipeline was disposed/);
    await refused(() => pipeline("ner", features, { adapter: ENTITIES }), "disposed", /encoder was disposed/);
  });

  it("leaves an encoder that the caller loaded, and its tasks", async () => {
    const encoder = await loadEncoder(ENCODER);
    await encoder.addAdapter("pipeline-1", ENTITIES);
    const mood = await pipeline("text-classification", encoder, { adapter: MOOD });
    const [again, too] = await Promise.all([pipeline("ner", encoder, { adapter: ENTITIES }), pipeline("ner", { encoder, adapter: ENTITIES })]);
    expect(encoder.info.tasks.map(({ name }) => name).sort()).toEqual(["pipeline-1", "pipeline-2", "pipeline-3", "pipeline-4"]);
    await Promise.all([mood.dispose(), again.dispose(), too.dispose()]);
    expect(encoder.info.tasks.map(({ name }) => name)).toEqual(["pipeline-1"]);
    const last = await pipeline("text-classification", encoder, { adapter: MOOD });
    encoder.dispose();
    await last.dispose();
    await refused(() => pipeline("feature-extraction", encoder), "disposed", /encoder/);
  });

  it("shares a pipeline's encoder as well where the encoder itself is given", async () => {
    const ner = await pipeline("ner", ENCODER, { adapter: ENTITIES });
    const features = await pipeline("feature-extraction", ner.encoder);
    await ner.dispose();
    expect((await features("still here")).dims[0]).toBe(1);
    await features.dispose();
    expect(isLive(features.encoder)).toBe(false);
  });

  it("lets calls under way finish when a pipeline is disposed", async () => {
    const mood = await pipeline("text-classification", ENCODER, { adapter: MOOD });
    const running = mood(Array.from({ length: 40 }, (_, index) => `text number ${index}`));
    await mood.dispose();
    expect(await running).toHaveLength(40);
    expect(isLive(mood.encoder)).toBe(false);
  });

  it("answers what it was asked, whatever its caller makes of the list and the options meanwhile", async () => {
    const features = await pipeline("feature-extraction", ENCODER);
    const ner = await pipeline("ner", features, { adapter: ENTITIES });
    const asked = Array.from({ length: 20 }, (_, index) => `Ana of Lisbon, number ${index}`);
    const changed = async <T>(call: (texts: string[], options: { quantize?: boolean }) => Promise<T>): Promise<T> => {
      const [texts, options] = [[...asked], {}];
      const running = call(texts, options);
      texts.fill(" ");
      Object.assign(options, { quantize: true });
      return running;
    };
    const cls = { pooling: "cls" } as const;
    const vectors = await changed((texts, options) => features(texts, Object.assign(options, cls)));
    expect(vectors.tolist()).toEqual((await features(asked, cls)).tolist());
    expect(await changed((texts) => ner(texts))).toEqual(await ner(asked));
    await Promise.all([ner.dispose(), features.dispose()]);
  });

  it("keeps nothing in memory when making a pipeline fails", async () => {
    const features = await pipeline("feature-extraction", ENCODER);
    await refused(() => pipeline("ner", features, { adapter: MOOD }), "argument-invalid", /"text-classification"/);
    await refused(() => pipeline("sentiment-analysis", features, { adapter: ENTITIES }), "argument-invalid", /"token-classification"/);
    await refused(() => pipeline("ner", features, { adapter: "models/adapters/none" }), "source-missing", /adapter_config/);
    await refused(() => pipeline("ner", features, { adapter: ENTITIES, labels: ["one"] }), "labels-mismatch", /label/);
    expect(features.encoder.info.tasks).toEqual([]);
    expect((await features("still here")).dims[0]).toBe(1);
    await features.dispose();
  });
});

describe("what it is made from", () => {
  it("takes files in memory, where one may be called encoder, and an own source", async () => {
    const files = (folder: string, names: readonly string[]): Record<string, Uint8Array> => Object.fromEntries(names.map((name) => [name, readFileSync(`${folder}/${name}`)]));
    const encoder = { ...files(ENCODER, ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors", "rootstock.json"]), encoder: new Uint8Array(1) };
    const adapter = new Map(Object.entries(files(MOOD, ["adapter_config.json", "adapter_model.safetensors", "config.json"])));
    const mood = await pipeline("text-classification", { encoder, adapter }, { labels: ["down", "up"] });
    expect(await mood("lovely")).toMatchObject([{ label: "up" }]);
    const features = await pipeline("feature-extraction", encoder);
    expect(features.encoder).not.toBe(mood.encoder);
    await Promise.all([mood.dispose(), features.dispose()]);
  });

  it("passes load on to the encoder it loads", async () => {
    const features = await pipeline("feature-extraction", new URL(`../../${ENCODER}`, import.meta.url), { load: { kernel: "fixed", adapterBudget: 0 } });
    expect(features.encoder.info).toMatchObject({ kernel: "fixed", memory: { adapterBudget: 0 } });
    await refused(() => pipeline("feature-extraction", features, { load: { kernel: "fixed" } }), "argument-invalid", /load is for/);
    await features.dispose();
  });

  const folder = ENCODER;
  const cyclic: { self?: object } = {};
  cyclic.self = cyclic;
  it.each<[string, PipelineType | "fill-mask", ModelLike | null, object, RegExp]>([
    ["a task that is not served", "fill-mask", folder, {}, /"fill-mask".*"feature-extraction"/],
    ["no model", "ner", null, {}, /no default/],
    ["no adapter for a head", "ner", folder, {}, /needs an adapter/],
    ["two adapters", "ner", { encoder: folder, adapter: MOOD }, { adapter: MOOD }, /twice/],
    ["an unknown option", "feature-extraction", folder, { quantised: true }, /no option "quantised"/],
    ["another device", "feature-extraction", folder, { device: "webgpu" }, /device is "webgpu".*"wasm" or "cpu"/],
    ["a device that JSON does not have", "feature-extraction", folder, { device: 1n }, /^device is a bigint, but/],
    ["a value within itself", "feature-extraction", folder, { dtype: cyclic }, /^dtype is an object, but/],
    ["a boolean that JSON does not have", "feature-extraction", folder, { local_files_only: 1n }, /^local_files_only is a bigint; give/],
    ["another dtype", "feature-extraction", folder, { dtype: "fp32" }, /dtype is "fp32".*int8/],
    ["dtypes by file", "feature-extraction", folder, { dtype: { model: "q8" } }, /dtype is an object, but/],
    ["quantized: false", "feature-extraction", folder, { quantized: false }, /quantized is false/],
    ["another revision", "feature-extraction", folder, { revision: "v2" }, /revision is "v2"/],
    ["a cache", "feature-extraction", folder, { cache_dir: "cache" }, /cache_dir.*leave it out/],
    ["a config", "feature-extraction", folder, { config: {} }, /config is an object, but/],
    ["session options", "feature-extraction", folder, { session_options: { intraOpNumThreads: 1 } }, /session_options has intraOpNumThreads/],
    ["session options that are none", "feature-extraction", folder, { session_options: 5 }, /session_options must be an object/],
    ["an unknown option of loading", "feature-extraction", folder, { load: { bogus: 5 } }, /load has no option "bogus"; it has adapterBudget/],
    ["an option of loading that has a place of its own", "feature-extraction", folder, { load: { signal: new AbortController().signal } }, /load has no option "signal"/],
    ["options of loading that are none", "feature-extraction", folder, { load: 5 }, /options of load must be an object/],
    ["a list of options", "feature-extraction", folder, [], /options of pipeline\(\) must be an object/],
    ["a URL that is not local", "feature-extraction", "https://example.org/model", { local_files_only: true }, /local_files_only/],
    ["a word for a boolean", "feature-extraction", "https://example.org/model", { local_files_only: "true" }, /local_files_only is "true"/],
    ["load that is no object", "feature-extraction", folder, { load: "fixed" }, /load must be an object/],
    ["a source without a prototype, by its files", "feature-extraction", Object.create(null), { local_files_only: true, signal: {} }, /^signal is an object; give an AbortSignal/],
    ["a callback that is none", "feature-extraction", folder, { progress_callback: true }, /progress_callback/],
  ])("refuses %s by name", async (_, task, model, options, words) => {
    await refused(() => pipeline(task as PipelineType, model!, options as PipelineOptions), "argument-invalid", words);
  });

  it("says of a hub's name that nothing is downloaded by it, and what to do; not of a folder that is there", async () => {
    const hint = /^there is no folder "Xenova\/all-MiniLM-L6-v2", and models are not downloaded by name.*download its files.*docs\/transformers\.md\. \(config\.json is not in/;
    await refused(() => pipeline("feature-extraction", "Xenova/all-MiniLM-L6-v2"), "source-missing", hint);
    const features = await pipeline("feature-extraction", ENCODER);
    await refused(() => pipeline("ner", features, { adapter: "owner/ner-lora" }), "source-missing", /^there is no folder "owner\/ner-lora", and models are not downloaded by name.*adapter_config\.json is not in/);
    await features.dispose();
    await refused(() => pipeline("feature-extraction", "models/adapters"), "source-missing", /^config\.json is not in \/.*models\/adapters\./);
    await refused(() => pipeline("feature-extraction", "./no-folder"), "source-missing", /^config\.json is not in/);
    // A page has no file system, and a server may answer whatever it is asked with a page of its own.
    vi.stubGlobal("process", { ...process, versions: {}, getBuiltinModule: undefined });
    vi.stubGlobal("location", new URL("http://localhost/app/"));
    vi.stubGlobal("fetch", async () => new Response("<!doctype html>"));
    try {
      await refused(() => pipeline("feature-extraction", "Xenova/all-MiniLM-L6-v2"), "not-a-model", /^there is no folder "Xenova/);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("takes options of transformers.js that change nothing", async () => {
    const harmless: PipelineOptions[] = [
      { device: "wasm", dtype: "q8", quantized: true, revision: "main", subfolder: "onnx", local_files_only: true },
      { device: "cpu", dtype: "int8", subfolder: "", use_external_data_format: false, local_files_only: false, session_options: {} },
      { device: null, dtype: null, config: null, cache_dir: null, model_file_name: null, session_options: null, progress_callback: null },
    ];
    for (const options of harmless) await (await pipeline("feature-extraction", ENCODER, options)).dispose();
  });
});

describe("calls", () => {
  it("refuse wrong options by name, and wrong input", async () => {
    const ner = await pipeline("ner", ENCODER, { adapter: ENTITIES });
    const mood = await pipeline("text-classification", ner, { adapter: MOOD });
    const features = await pipeline("feature-extraction", ner);
    const options = (given: object): never => given as never;
    const cyclic: { self?: object } = {};
    cyclic.self = cyclic;
    await refused(() => ner("text", options({ aggregation: "first" })), "argument-invalid", /no option "aggregation"/);
    await refused(() => ner("text", options({ aggregation_strategy: "best" })), "argument-invalid", /^aggregation_strategy is "best"; give one of "none"/);
    await refused(() => ner("text", options({ ignore_labels: "O" })), "argument-invalid", /^ignore_labels must be a list/);
    await refused(() => ner("text", options({ offsets: "bytes" })), "argument-invalid", /^offsets is "bytes"/);
    await refused(() => ner("", options({ aggregation_strategy: "best" })), "argument-invalid", /^aggregation_strategy/);
    await refused(() => mood("text", { top_k: 0 }), "argument-invalid", /^top_k is 0/);
    await refused(() => mood("text", { topk: 1.5 }), "argument-invalid", /^topk is 1.5/);
    await refused(() => mood("text", options({ top_k: "all", topk: 2 })), "argument-invalid", /^top_k is "all"/);
    await refused(() => mood([1] as never), "argument-invalid", /list of strings/);
    await refused(() => mood(["fine", ""]), "text-empty", /request 1/);
    const tooLong = "word ".repeat(600);
    await refused(() => ner(["", "fine", tooLong], { overflow: "error" }), "text-too-long", /^request 2: /);
    await refused(() => ner(["", tooLong], { overflow: "error" }), "text-too-long", /^request 1: /);
    expect(await ner([" ", "Marie Curie", ""], { aggregation_strategy: "simple" })).toEqual([[], [expect.objectContaining({ word: "Marie Curie" })], []]);
    await refused(() => features("text", options({ pooling: "sum" })), "argument-invalid", /pooling is "sum"/);
    await refused(() => features("text", { quantize: true }), "argument-invalid", /give a pooling/);
    for (const name of ["normalize", "quantize"]) {
      for (const value of [1, "false", {}, 1n, cyclic]) await refused(() => features("text", options({ pooling: "cls", [name]: value })), "argument-invalid", new RegExp(`${name} is .*; give true or false`));
    }
    expect((await features("text", options({ pooling: "cls", normalize: null, quantize: undefined }))).type).toBe("float32");
    await refused(() => features("text", options({ precision: "int4" })), "argument-invalid", /precision/);
    await refused(() => features("a ".repeat(600), { overflow: "error" }), "text-too-long", /600|602/);
    const long = ["fine", "a ".repeat(600)];
    for (const pooling of ["none", "cls", "mean"] as const) {
      await refused(() => features(Array.from({ length: 20 }, (_, index) => (index === 17 ? " " : "fine")), { pooling }), "text-empty", /^request 17: /);
      await refused(() => features(long, { pooling, overflow: "error" }), "text-too-long", /^request 1: .*Pass overflow: "truncate".*"windows", where the call has it/);
      await expect(features([], { pooling, signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
    }
    await Promise.all([ner.dispose(), mood.dispose(), features.dispose()]);
  });

  it.each([undefined, { queueLimit: 1 }])("refuse what is no signal before they wait for a place (load %o)", async (load) => {
    const ner = await pipeline("ner", ENCODER, { adapter: ENTITIES, load });
    const mood = await pipeline("text-classification", ner, { adapter: MOOD });
    const features = await pipeline("feature-extraction", ner);
    const running = Promise.all([mood("one"), mood("two"), mood("three")]);
    const message = /^signal is .*; give an AbortSignal: a controller's is its \.signal\.$/;
    for (const signal of [{}, 5, new AbortController()] as never[]) {
      await refused(() => ner("text", { signal }), "argument-invalid", message);
      await refused(() => mood("text", { signal }), "argument-invalid", message);
      for (const pooling of ["none", "mean"] as const) await refused(() => features("text", { signal, pooling }), "argument-invalid", message);
      await refused(() => features("text", { signal, pooling: "mean", normalize: true }), "argument-invalid", message);
    }
    expect(await running).toHaveLength(3);
    expect((await features("text", { signal: null as never, pooling: "mean" })).dims[0]).toBe(1);
    await Promise.all([ner.dispose(), mood.dispose(), features.dispose()]);
  });

  it("end with the reason of their signal, as loading does", async () => {
    const reason = new Error("enough");
    await expect(pipeline("ner", ENCODER, { adapter: ENTITIES, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const mood = await pipeline("text-classification", ENCODER, { adapter: MOOD });
    const features = await pipeline("feature-extraction", mood);
    const texts = Array.from({ length: 60 }, (_, index) => `a text that takes a while, number ${index}`);
    const both: ((texts: string[], options: { signal: AbortSignal }) => Promise<unknown>)[] = [mood, features];
    for (const pipe of both) {
      const controller = new AbortController();
      const running = pipe(texts, { signal: controller.signal });
      setTimeout(() => controller.abort(reason), 0);
      await expect(running).rejects.toBe(reason);
    }
    expect(await mood("fine")).toHaveLength(1);
    await Promise.all([mood.dispose(), features.dispose()]);
  });
});

describe("more calls at once than the encoder's queue has places for", () => {
  const texts = Array.from({ length: 300 }, (_, index) => `text number ${index}`);

  it.each([{}, { queueLimit: 3 }])("wait for a place and are answered in order, of all pipelines over the encoder (%o)", async (load) => {
    const encoder = await loadEncoder(ENCODER, load);
    const mood = await pipeline("text-classification", encoder, { adapter: MOOD });
    const ner = await pipeline("ner", encoder, { adapter: ENTITIES });
    const features = await pipeline("feature-extraction", mood);
    const ended: number[] = [];
    const [labels] = await Promise.all([
      Promise.all(texts.map(async (text, index) => {
        const [label] = await mood(text);
        ended.push(index);
        return label;
      })),
      Promise.all(texts.slice(0, 100).map((text) => ner(text))),
      Promise.all(texts.slice(0, 100).map((text) => features(text, { pooling: "cls" }))),
    ]);
    expect(labels).toEqual(await mood(texts));
    expect(ended).toEqual(texts.map((_, index) => index));
    encoder.dispose();
  });

  it.each([2, 3, 64])("leave a place for the encoder's own calls (queueLimit %i)", async (queueLimit) => {
    const encoder = await loadEncoder(ENCODER, { queueLimit });
    const mood = await pipeline("text-classification", encoder, { adapter: MOOD });
    const calls = Promise.all(texts.slice(0, 100).map((text) => mood(text)));
    expect(await encoder.embed(["its own"])).toHaveLength(1);
    expect(await calls).toHaveLength(100);
    encoder.dispose();
  });

  it("leave the wait by their signal, which is heard at once, and keep no listener on it", async () => {
    const mood = await pipeline("text-classification", ENCODER, { adapter: MOOD, load: { queueLimit: 2 } });
    const controller = new AbortController();
    const [add, remove] = [vi.spyOn(controller.signal, "addEventListener"), vi.spyOn(controller.signal, "removeEventListener")];
    const first = texts.slice(0, 20).map((text) => mood(text));
    const waiting = texts.slice(0, 20).map((text) => mood(text, { signal: controller.signal }));
    const last = mood("the last one");
    controller.abort("enough");
    for (const call of waiting) await expect(call).rejects.toBe("enough");
    await expect(mood("late", { signal: controller.signal })).rejects.toBe("enough");
    expect(await Promise.race([first.at(-1), "not yet"])).toBe("not yet");
    expect([...(await Promise.all(first)), await last]).toHaveLength(21);
    expect(new Set(add.mock.calls.map(([, listener]) => listener)).size).toBe(new Set(remove.mock.calls.map(([, listener]) => listener)).size);
    await mood.dispose();
  });

  it("are awaited by dispose, and end with disposed when the encoder goes", async () => {
    const mood = await pipeline("text-classification", ENCODER, { adapter: MOOD, load: { queueLimit: 2 } });
    const calls = Promise.all(texts.slice(0, 30).map((text) => mood(text)));
    await mood.dispose();
    expect(await Promise.race([calls, "not yet"])).toHaveLength(30);
    const again = await pipeline("text-classification", ENCODER, { adapter: MOOD, load: { queueLimit: 2 } });
    const lost = Promise.allSettled(texts.map((text) => again(text)));
    again.encoder.dispose();
    for (const result of await lost) expect(result).toMatchObject({ status: "rejected", reason: { code: "disposed" } });
    await again.dispose();
  });

  it("are answered what they were asked, whatever their caller makes of the lists meanwhile", async () => {
    const ner = await pipeline("ner", ENCODER, { adapter: ENTITIES, load: { queueLimit: 1 } });
    const list = ["Ana of Lisbon"];
    const ignore_labels = ["O"];
    const asked = [ner(list), ner(list, { ignore_labels })];
    list.fill("rain");
    ignore_labels.push("B-LOC", "B-PER");
    expect((await asked[1])![0]).toEqual((await asked[0])![0]);
    expect((await asked[1])![0]).toHaveLength(2);
    await ner.dispose();
  });
});

describe("long texts", () => {
  it.each(["none", "cls", "mean"] as const)("let the event loop turn between them, and a signal end the call there (pooling %s)", async (pooling) => {
    const features = await pipeline("feature-extraction", ENCODER);
    const encode = vi.spyOn(features.encoder.loaded.tokenizer!, "encode");
    const controller = new AbortController();
    setImmediate(() => controller.abort("enough"));
    const texts = Array.from({ length: 8 }, (_, index) => `number ${index} `.repeat(20_000));
    await expect(features(texts, { pooling, normalize: pooling === "mean", signal: controller.signal })).rejects.toBe("enough");
    expect(encode.mock.calls.length).toBeLessThan(texts.length);
    await features.dispose();
  });
});

describe("progress_callback", () => {
  it("is called with transformers.js's events, in its order, and ends with ready", async () => {
    const seen: ProgressInfo[] = [];
    const ner = await pipeline("ner", ENCODER, { adapter: ENTITIES, progress_callback: (info) => seen.push(info) });
    await ner.dispose();
    for (const info of seen) expect(Object.keys(info).sort()).toEqual(golden.progress.keys[info.status]);
    const weights = seen.filter((info) => "file" in info && info.file === "model.safetensors");
    expect([...new Set(weights.map(({ status }) => status))]).toEqual(golden.progress.order);
    expect(weights.filter(({ status }) => status === "progress").at(-1)).toMatchObject({ name: ENCODER, progress: 100 });
    const done = seen.flatMap((info) => (info.status === "done" ? [info.file] : []));
    expect(new Set(done).size).toBe(done.length);
    expect(done).toContain("adapter/adapter_model.safetensors");
    const totals = seen.filter((info) => info.status === "progress_total");
    expect(totals.at(-1)).toMatchObject({ progress: 100 });
    expect(Object.keys(totals.at(-1)!.files)).toEqual(done);
    expect(seen.at(-1)).toEqual({ status: golden.progress.last, task: "token-classification", model: ENCODER });
  });

  it("leaves a file's close to whoever refuses it unread", async () => {
    const close = vi.fn(async () => undefined);
    const source: Source = { location: "a store", open: async () => ({ size: 0, chunks: (async function* () {})(), close }) }; // prettier-ignore
    const file = await new ProgressReport(() => undefined).watch(source, "").open("config.json", { signal: undefined });
    await file.close!();
    expect(close).toHaveBeenCalledOnce();
  });

  it("that throws closes the file it was told of; and whether a file is checked already is passed on", async () => {
    const reason = new Error("no more");
    const close = vi.fn(async () => undefined);
    const source: Source = { location: "a store", open: async () => ({ size: 0, isChecked: true, chunks: (async function* () {})(), close }) }; // prettier-ignore
    const options = { signal: undefined };
    await expect(new ProgressReport(() => { throw reason; }).watch(source, "").open("config.json", options)).rejects.toBe(reason); // prettier-ignore
    expect(close).toHaveBeenCalledOnce();
    expect((await new ProgressReport(() => undefined).watch(source, "").open("config.json", options)).isChecked).toBe(true);
  });

  it("that throws at ready makes no pipeline, and nothing stays in memory", async () => {
    const reason = new Error("no more");
    const progress_callback = ({ status }: ProgressInfo): void => {
      if (status === "ready") throw reason;
    };
    const encoder = await loadEncoder(ENCODER);
    await expect(pipeline("ner", encoder, { adapter: ENTITIES, progress_callback })).rejects.toBe(reason);
    expect(encoder.info.tasks).toEqual([]);
    encoder.dispose();
    const dispose = vi.spyOn(Encoder.prototype, "dispose");
    await expect(pipeline("ner", ENCODER, { adapter: ENTITIES, progress_callback })).rejects.toBe(reason);
    expect(dispose).toHaveBeenCalledOnce();
    dispose.mockRestore();
  });
});
