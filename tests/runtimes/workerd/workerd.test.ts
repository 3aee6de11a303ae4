import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { loadEncoder } from "../../../src/index.ts";
import { pipeline } from "../../../src/transformers/index.ts";
import { expectedAnswer } from "../answers.ts";
import { runtime } from "../asked.ts";
import { MEMORY_LIMIT, resident, serveWorker, type Worker } from "./serve.ts";

const { path, why } = runtime("workerd");
const app = inject("app");
const assets = join(app, "assets");
const TEXT = "My card was stolen in Warsaw, please block it. Marie Curie";

/** Cloudflare's own, for one asset. */
const ASSET_LIMIT = 25 << 20;

const serve = (worker: string): Promise<Worker> => serveWorker(join(app, worker), assets);
const post = (url: string, body: string): Promise<Response> => fetch(url, { method: "POST", body });

describe.skipIf(path === null)(`the example of a Cloudflare Worker, in workerd${why}`, () => {
  let worker: Worker;
  let before: number | undefined;
  beforeAll(async () => {
    // As its README says.
    await promisify(execFile)(join(app, "node_modules/.bin/rootstock"), ["convert", "node_modules/rootstock/models/mtpf-minilm-l6", "assets/mtpf-minilm-l6", "--part-bytes", "8388608"], { cwd: app });
    for (const name of ["wikigold", "banking77"]) cpSync(join(app, "node_modules/rootstock/models/adapters", name), join(assets, name), { recursive: true });
    mkdirSync(assets, { recursive: true });
    cpSync("examples/cloudflare-worker/worker.js", join(app, "worker.js"));
    worker = await serve("worker.js");
    before = resident(worker.pid);
  });
  afterAll(() => worker?.end());

  it("has no asset beyond the limit, and the weights in parts", () => {
    const files = readdirSync(join(assets, "mtpf-minilm-l6"));
    expect(files.filter((name) => name.startsWith("model.safetensors"))).toEqual(["model.safetensors.part0", "model.safetensors.part1", "model.safetensors.part2"]);
    for (const name of files) expect(statSync(join(assets, "mtpf-minilm-l6", name)).size).toBeLessThanOrEqual(ASSET_LIMIT);
  });

  it("goes on loading for others when the first client leaves", async () => {
    await expect(fetch(worker.url, { method: "POST", body: TEXT, signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ name: "TimeoutError" });
    expect((await post(worker.url, TEXT)).status).toBe(200);
    await worker.end();
    worker = await serve("worker.js");
    before = resident(worker.pid);
  });

  it("answers two tasks with the same bits, requests that meet while it loads included", async () => {
    const { results } = await expectedAnswer();
    const responses = await Promise.all(Array.from({ length: 8 }, () => post(worker.url, TEXT)));
    for (const response of responses) expect(await response.json()).toEqual(results);
    for (let i = 0; i < 20; i++) expect(await (await post(worker.url, TEXT)).json()).toEqual(results);
  });

  it("runs a relaxed product and stays below the memory of an isolate", async () => {
    const info = (await (await fetch(worker.url)).json()) as { kernel: string; notes: string[]; memory: { total: number } };
    expect(info).toMatchObject({ kernel: expect.stringMatching(/^rel[12]$/) as string, notes: [] });
    expect(info.memory.total).toBeLessThan(MEMORY_LIMIT / 2);
    const after = resident(worker.pid);
    if (before !== undefined && after !== undefined) expect(after - before).toBeLessThan(MEMORY_LIMIT);
  });

  it("tells a wrong text by its code and goes on", async () => {
    const response = await post(worker.url, " ");
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "text-empty" });
    expect((await post(worker.url, TEXT)).status).toBe(200);
  });
});

describe.skipIf(path === null)(`rootstock/workerd${why}`, () => {
  it("is what rootstock means there, has three products with the same bits, and errors with codes", async () => {
    using encoder = await loadEncoder("models/mtpf-minilm-l6");
    const [row] = await encoder.embed(["the same bits"]);
    const states = Array.from(row!);
    const worker = await serve("worker-checks.js");
    try {
      expect(await (await fetch(worker.url)).json()).toEqual({
        sameEntry: true,
        missing: "source-missing",
        aborted: "enough",
        states: { fixed: states, rel1: states, rel2: states },
      });
    } finally {
      await worker.end();
    }
  });

  it("has pipelines, with the bits of every other runtime", async () => {
    const ner = await pipeline("ner", "models/mtpf-minilm-l6", { adapter: "models/adapters/wikigold" });
    const features = await pipeline("feature-extraction", ner);
    const entities = await ner(TEXT, { aggregation_strategy: "simple" });
    const [vector] = (await features(TEXT, { pooling: "mean", normalize: true })).tolist();
    await Promise.all([ner.dispose(), features.dispose()]);
    const worker = await serve("worker-pipelines.js");
    try {
      for (let i = 0; i < 2; i++) expect(await (await post(worker.url, TEXT)).json()).toEqual({ sameClass: true, entities, vector });
    } finally {
      await worker.end();
    }
  });
});
