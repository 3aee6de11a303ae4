import { getEventListeners } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EncoderPool } from "../../src/pool/index.ts";
import { TEXTS } from "../convert/tiny-folder.ts";
import { loadEncoder, loadPool, RootstockError } from "./built.ts";
import { watchedPool, type Watched } from "./faults.ts";
import { addTasks, FOLDER, SEQUENCE, SEQUENCE_LABELS } from "./tiny.ts";

const REASON = { of: "the caller's own" };
const MANY = Array.from({ length: 3000 }, (_, i) => TEXTS[i % TEXTS.length]!);
const IDS = [2, 9, 11, 30, 41, 3];

let made: Watched;

beforeAll(async () => {
  made = await watchedPool(FOLDER, { workers: 2 });
  await addTasks(made.pool);
});

afterAll(() => made.pool.dispose());

/** Every call that takes a signal. */
const CALLS: Record<string, (pool: EncoderPool, signal: AbortSignal) => Promise<unknown>> = {
  addAdapter: (pool, signal) => pool.addAdapter("late", SEQUENCE, { ...SEQUENCE_LABELS, signal }),
  run: (pool, signal) => pool.run(TEXTS[0]!, ["topic"], { signal }),
  runBatch: (pool, signal) => pool.runBatch(MANY.map((text) => ({ text, tasks: ["topic", "names"] })), { signal }),
  embed: (pool, signal) => pool.embed(MANY, { signal }),
  logits: (pool, signal) => pool.logits(IDS, "topic", { signal }),
  hiddenStates: (pool, signal) => pool.hiddenStates(IDS, null, { signal }),
  forward: (pool, signal) => pool.forward(IDS, null, { signal }),
};

describe.each(Object.entries(CALLS))("%s", (name, call) => {
  it("rejects with the reason of a signal that was aborted before", async () => {
    const before = made.posted.length;
    await expect(call(made.pool, AbortSignal.abort(REASON))).rejects.toBe(REASON);
    expect(made.posted.length).toBe(before);
  });

  it("rejects with the very reason when it is aborted on its way, and nothing of it is left", async () => {
    const controller = new AbortController();
    const underWay = made.sending(({ m }) => m === (name === "addAdapter" ? name : "call"));
    const running = call(made.pool, controller.signal);
    await underWay;
    controller.abort(REASON);
    await expect(running).rejects.toBe(REASON);
    expect(getEventListeners(controller.signal, "abort").length).toBe(0);
    expect(made.pool.info.tasks.map((task) => task.name)).toEqual(["topic", "names"]);
    await expect(made.pool.run("w1", ["late"])).rejects.toMatchObject({ code: "task-unknown" });
    expect(made.workers.length).toBe(2);
  });

  it("leaves no listener on the signal when it ends", async () => {
    if (name === "addAdapter") return;
    const { signal } = new AbortController();
    await call(made.pool, signal);
    expect(getEventListeners(signal, "abort").length).toBe(0);
  });
});

it("a worker stops the run that was aborted", async () => {
  const { pool, posted } = made;
  const controller = new AbortController();
  const from = posted.length;
  const firstAnswer = made.receiving(() => true);
  const running = CALLS.embed!(pool, controller.signal);
  await firstAnswer;
  controller.abort(REASON);
  await expect(running).rejects.toBe(REASON);
  const calls = posted.slice(from);
  const aborted = calls.filter(({ m }) => m === "abort").map(({ a }) => a![0]);
  expect(aborted.length).toBeGreaterThan(0);
  // No part of the list goes out afterwards.
  const parts = calls.filter(({ m }) => m === "call").length;
  await pool.embed(["w1"]);
  expect(posted.slice(from).filter(({ m }) => m === "call").length).toBe(parts + 1);
});

it("many calls may share one signal", async () => {
  const warnings: string[] = [];
  const listen = (warning: Error): void => void warnings.push(warning.message);
  process.on("warning", listen);
  const controller = new AbortController();
  const calls = TEXTS.map((text) => made.pool.run(text, ["topic"], { signal: controller.signal }));
  controller.abort(REASON);
  for (const { status } of await Promise.allSettled(calls)) expect(status).toBe("rejected");
  await made.pool.embed(MANY.slice(0, 500), { signal: new AbortController().signal });
  process.off("warning", listen);
  expect(warnings).toEqual([]);
});

describe("loadPool", () => {
  it("rejects with the signal's reason, before and while it loads", async () => {
    await expect(loadPool(FOLDER, { signal: AbortSignal.abort(REASON) })).rejects.toBe(REASON);
    const controller = new AbortController();
    const loading = watchedPool(FOLDER, { workers: 2, signal: controller.signal });
    controller.abort(REASON);
    await expect(loading).rejects.toBe(REASON);
    expect(getEventListeners(controller.signal, "abort").length).toBe(0);
  });
});

describe("dispose", () => {
  it("lets pending calls of every kind reject with disposed, and later ones; twice does nothing", async () => {
    const pool = await addTasks(await loadPool(FOLDER, { workers: 2 }));
    const { signal } = new AbortController();
    const running = [...Object.values(CALLS).map((call) => call(pool, signal)), pool.removeAdapter("topic")];
    pool.dispose();
    pool.dispose();
    for (const call of running) await expect(call).rejects.toMatchObject({ code: "disposed" });
    for (const call of Object.values(CALLS)) await expect(call(pool, signal)).rejects.toBeInstanceOf(RootstockError);
    await expect(pool.removeAdapter("topic")).rejects.toMatchObject({ code: "disposed" });
    expect(() => pool.info).toThrow(expect.objectContaining({ code: "disposed" }));
  });

  it("ends the workers, and `using` calls it", async () => {
    const { pool, workers } = await watchedPool(FOLDER, { workers: 2 });
    const ended = workers.map((worker) => new Promise((resolve) => worker.once("exit", resolve)));
    pool[Symbol.dispose]();
    await Promise.all(ended);
    await expect(pool.embed(["w1"])).rejects.toMatchObject({ code: "disposed" });
  });

  it("says the same as a disposed encoder, but for its own name", async () => {
    const encoder = await loadEncoder(FOLDER);
    const pool = await loadPool(FOLDER, { workers: 1 });
    for (const one of [encoder, pool]) one.dispose();
    const messages = await Promise.all([encoder, pool].map((one) => one.embed([]).catch((error: Error) => error.message)));
    expect(messages).toEqual(["the encoder was disposed. Load it again.", "the pool was disposed. Load it again."]);
  });
});
