import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cached, clearCache } from "../../src/browser/index.ts";
import { trainAdapter } from "../../src/finetune/index.ts";
import { loadEncoder, RootstockError, type Encoder } from "../../src/index.ts";
import type { EncoderPool, PoolOptions } from "../../src/pool/index.ts";
import { loadPoolOf } from "../../src/pool/load.ts";
import { nodeThread } from "../../src/pool/thread.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";
import { someLabels } from "../encoder/gap.ts";
import { refuses } from "./refuses.ts";

const ADAPTER = "tests/golden/peft/adapters/bert-odd-seq";
const FOLDER = tinyFolder("bert");

/** Workers run built files. */
const loadPool = (folder: typeof FOLDER, options: PoolOptions): Promise<EncoderPool> => loadPoolOf(() => nodeThread(new Worker("./dist/pool/worker.js")), folder, options);

let encoder: Encoder;
let pool: EncoderPool;

beforeAll(async () => {
  encoder = await loadEncoder(FOLDER);
  pool = await loadPool(FOLDER, { workers: 1 });
  for (const to of [encoder, pool]) await to.addAdapter("task", ADAPTER, { labels: someLabels(3) });
});

afterAll(() => {
  encoder.dispose();
  pool.dispose();
});

type Call = (options: never) => Promise<unknown>;

/** Every call that takes options, and those that it has. */
const TEXTS = "maxTokens, overflow, stride, signal";
const CALLS: Record<string, { call: Call; names: string }> = {
  loadEncoder: { call: (options) => loadEncoder(FOLDER, options), names: "signal, onProgress, adapterBudget, verify, wasm, kernel, queueLimit, trunkCacheBytes" },
  loadPool: { call: (options) => loadPool(FOLDER, options), names: "signal, onProgress, adapterBudget, verify, wasm, kernel, queueLimit, trunkCacheBytes, workers" },
  trainAdapter: { call: (options) => trainAdapter(encoder, { name: "made", train: [] }, options), names: "method, rank, alpha, .*, signal, onProgress" },
};
const calls = { encoder: () => encoder, pool: () => pool };
for (const [who, on] of Object.entries(calls)) {
  CALLS[`${who}.addAdapter`] = { call: (options) => on().addAdapter("other", ADAPTER, options), names: "labels, replace, signal" };
  CALLS[`${who}.run`] = { call: (options) => on().run("w1", ["task"], options), names: `aggregation, ignoreLabels, offsets, topK, ${TEXTS}` };
  CALLS[`${who}.runBatch`] = { call: (options) => on().runBatch([{ text: "w1", tasks: ["task"] }], options), names: `aggregation, ignoreLabels, offsets, topK, ${TEXTS}` };
  CALLS[`${who}.embed`] = { call: (options) => on().embed(["w1"], options), names: `task, pooling, ${TEXTS}` };
  CALLS[`${who}.logits`] = { call: (options) => on().logits([2, 3], "task", options), names: "attentionMask, signal" };
  CALLS[`${who}.forward`] = { call: (options) => on().forward([2, 3], null, options), names: "attentionMask, signal" };
  CALLS[`${who}.hiddenStates`] = { call: (options) => on().hiddenStates([2, 3], null, options), names: "attentionMask, signal" };
}
CALLS["encoder.trunk"] = { call: (options) => encoder.trunk("w1", options), names: `tasks, ${TEXTS}` };

describe.each(Object.entries(CALLS))("options of %s", (_, { call, names }) => {
  it("are an object", async () => {
    for (const [options, found] of [[null, "null"], [7, "7"], ["topK", '"topK"'], [() => 1, "a function"]]) {
      await refuses(call(options as never), "argument-invalid", new RegExp(`^the options are ${String(found)}; give an object\\.$`));
    }
  });

  it("have no other names than those it takes, which the message lists", async () => {
    for (const name of ["topk", "aggregation_strategy", "adapterbudget", "Signal", "__proto__", "constructor", "0"]) {
      const options = JSON.parse(`{${JSON.stringify(name)}: 1}`) as never;
      await refuses(call(options), "argument-invalid", new RegExp(`^there is no option "${name}" here, only ${names}\\.$`));
    }
  });

  it("have a signal that is one: a controller is told from it", async () => {
    for (const signal of [new AbortController(), {}, { throwIfAborted() {}, addEventListener() {} }, 1, "abort", () => 1]) {
      await refuses(call({ signal } as never), "argument-invalid", /^signal is .+; give an AbortSignal: a controller's is its \.signal\.$/);
    }
  });
});

describe("options of a wrong kind", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const bare = Object.create(null) as object;

  it("are refused whatever they are, and the message shows them", async () => {
    for (const value of [bare, circular, 1n, Symbol("s"), () => 1, [circular], "x".repeat(10_000)]) {
      for (const name of ["aggregation", "topK", "overflow", "offsets", "maxTokens", "stride"]) {
        await refuses(encoder.run("w1", ["task"], { [name]: value }), "argument-invalid", new RegExp(`^${name} .{1,200}$`));
      }
      for (const name of ["kernel", "adapterBudget", "queueLimit", "trunkCacheBytes"]) await refuses(loadEncoder(FOLDER, { [name]: value }), "argument-invalid", new RegExp(`^${name} is .{1,200}$`));
    }
    await refuses(loadEncoder(FOLDER, { kernel: 1n } as never), "argument-invalid", /^kernel is a bigint; give one of "rel2", "rel1", "fixed"\.$/);
    await refuses(encoder.run("w1", ["task"], { topK: "1" } as never), "argument-invalid", /^topK is "1"; give a whole number/);
    await refuses(loadPool(FOLDER, { workers: bare } as never), "argument-invalid", /^workers is an object; give a whole number/);
    await refuses(trainAdapter(encoder, { name: "made", train: [] }, { rank: bare } as never), "argument-invalid", /^rank is an object/);
    await refuses(trainAdapter(encoder, { name: "made", train: [] }, { rsLora: circular } as never), "argument-invalid", /^rsLora is an object; give true or false/);
  });

  it("flags are true or false, callbacks functions", async () => {
    for (const value of [0, 1, "false", {}]) {
      await refuses(loadEncoder(FOLDER, { verify: value } as never), "argument-invalid", /^verify is .+; give true or false\.$/);
      for (const to of [encoder, pool]) await refuses(to.addAdapter("task", ADAPTER, { replace: value } as never), "argument-invalid", /^replace is .+; give true or false\.$/);
      for (const load of [loadEncoder, loadPool]) await refuses(load(FOLDER, { onProgress: value } as never), "argument-invalid", /^onProgress is .+; give a function\.$/);
    }
  });

  it("null and undefined are not given", async () => {
    const expected = await encoder.run("w1", ["task"]);
    for (const to of [encoder, pool]) expect(await to.run("w1", ["task"], { signal: null, topK: undefined, nothing: undefined } as never)).toEqual(expected);
    using many = await loadPool(FOLDER, { workers: 1, signal: null, onProgress: null } as never);
    expect(many.info.tasks).toEqual([]);
    using loaded = await loadEncoder(FOLDER, { signal: null, onProgress: null, verify: null } as never);
    expect(loaded.info.tasks).toEqual([]);
  });

  it("nothing was changed by any of them", async () => {
    expect(encoder.info.tasks.map(({ name }) => name)).toEqual(["task"]);
    expect(pool.info.tasks.map(({ name }) => name)).toEqual(["task"]);
  });
});

it("a signal of another realm, or of a polyfill, is one", async () => {
  const target = new EventTarget();
  const signal = { aborted: false, reason: undefined, throwIfAborted: () => undefined, addEventListener: target.addEventListener.bind(target), removeEventListener: target.removeEventListener.bind(target) };
  expect(await encoder.run("w1", ["task"], { signal } as never)).toEqual(await encoder.run("w1", ["task"]));
});

it("an encoder, or a pool, is no source", async () => {
  for (const given of [encoder, pool]) {
    for (const attempt of [loadEncoder(given as never), loadPool(given as never, { workers: 1 }), encoder.addAdapter("other", given as never), pool.addAdapter("other", given as never)]) {
      await refuses(attempt, "argument-invalid", /got an encoder or pool, which is loaded\.$/);
    }
  }
});

it("cached and clearCache have options of their own", async () => {
  const refusal = (names: string): unknown => expect.objectContaining({ code: "argument-invalid", message: `there is no option "cachename" here, only ${names}.` });
  expect(() => cached("https://example.org/model", { cachename: "x" } as never)).toThrow(RootstockError);
  expect(() => cached("https://example.org/model", { cachename: "x" } as never)).toThrow(refusal("cacheName, caches") as Error);
  expect(() => cached("https://example.org/model", null as never)).toThrow(/the options are null/);
  await expect(clearCache({ cachename: "x" } as never)).rejects.toEqual(refusal("cacheName, caches, url"));
});
