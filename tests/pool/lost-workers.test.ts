import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import type { Source } from "../../src/index.ts";
import type { EncoderPool } from "../../src/pool/index.ts";
import { TEXTS, tinyFolder } from "../convert/tiny-folder.ts";
import { eventually } from "../eventually.ts";
import { loadEncoder, loadPoolOf, nodeThread, RootstockError } from "./built.ts";
import { watchedPool, type Watched } from "./faults.ts";
import { addTasks, FOLDER, REQUESTS, SEQUENCE, SEQUENCE_LABELS } from "./tiny.ts";

const WAYS = ["exit", "throw", "rejection", "garbage", "terminate"] as const;

let open: EncoderPool[] = [];

afterEach(() => {
  for (const pool of open) pool.dispose();
  open = [];
});

async function watched(...args: Parameters<typeof watchedPool>): Promise<Watched> {
  const made = await watchedPool(...args);
  open.push(made.pool);
  return made;
}

const encoder = await addTasks(await loadEncoder(FOLDER));
const IDS = [2, 9, 11, 30, 41, 3];
const EMBEDDED = [...TEXTS, ...TEXTS];

/** Every call that a worker computes for. */
const CALLS = {
  run: (on: Pick<EncoderPool, "run">) => on.run(TEXTS[0]!, ["topic"]),
  runBatch: (on: Pick<EncoderPool, "runBatch">) => on.runBatch(REQUESTS),
  embed: (on: Pick<EncoderPool, "embed">) => on.embed(EMBEDDED),
  logits: (on: Pick<EncoderPool, "logits">) => on.logits(IDS, "topic"),
  hiddenStates: (on: Pick<EncoderPool, "hiddenStates">) => on.hiddenStates(IDS, "names"),
  forward: (on: Pick<EncoderPool, "forward">) => on.forward(IDS, null),
};

async function failure(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => null,
    (error: unknown) => error,
  );
}

/** Resolves when a worker has ended; a test that waits here for ever has found one that was left. */
async function ended(worker: Worker): Promise<true> {
  if (worker.threadId !== -1) await new Promise((resolve) => worker.once("exit", resolve));
  return true;
}

function expectLost(error: unknown): void {
  expect(error).toBeInstanceOf(RootstockError);
  expect(error).toMatchObject({ code: "worker-lost", message: expect.stringMatching(/^a worker of the pool was lost: .+ call again\.$/) as unknown });
}

/** It had not joined the others yet. */
function expectLostLoading(error: unknown): void {
  expect(error).toBeInstanceOf(RootstockError);
  const message = /^a worker of the pool was lost while it loaded: .+ No other takes its place\. Where a bundler made this code, its worker\.js must lie beside it: docs\/pool\.md\.$/;
  expect(error).toMatchObject({ code: "worker-lost", message: expect.stringMatching(message) as unknown });
}

/** All calls answer as the encoder does, and one worker took the place of one that was lost. */
async function expectWhole({ pool, workers }: Watched, started: number): Promise<void> {
  for (const call of Object.values(CALLS)) expect(await call(pool)).toEqual(await call(encoder));
  await pool.addAdapter("more", SEQUENCE, SEQUENCE_LABELS);
  expect(await pool.run(TEXTS[3]!, ["more", "topic"])).toEqual({ more: expect.anything() as unknown, ...(await encoder.run(TEXTS[3]!, ["topic"])) });
  await pool.removeAdapter("more");
  expect(pool.info.tasks).toEqual(encoder.info.tasks);
  expect(workers.length).toBe(started);
}

describe.each(WAYS)("a worker that is lost by: %s", (how) => {
  it.each(Object.keys(CALLS) as (keyof typeof CALLS)[])("at %s: the call rejects, one worker takes its place, the next answers are identical", async (at) => {
    const workers = how === "terminate" || how === "exit" ? 2 : 1;
    const made = await watched(FOLDER, { workers }, [{ at, how }]);
    await addTasks(made.pool);
    // As many as there are workers, so that the one with the fault gets one.
    const calls = Array.from({ length: workers }, () => failure(CALLS[at](made.pool)));
    expectLost((await Promise.all(calls)).find((error) => error !== null));
    await expectWhole(made, workers + 1);
    expect(made.pool.info.workers).toBe(workers);
  });

  it("at loading: loadPool rejects and leaves no worker", async () => {
    const workers: Worker[] = [];
    expectLostLoading(await failure(watchedPool(FOLDER, { workers: 2 }, [null, { at: "load", how }], workers)));
    expect(workers.length).toBe(2);
    for (const worker of workers) expect(await ended(worker)).toBe(true);
  });

  it("at addAdapter: no worker has the adapter, and it can be added again", async () => {
    const made = await watched(FOLDER, { workers: 2 }, [null, { at: "addAdapter", how }]);
    expectLost(await failure(made.pool.addAdapter("topic", SEQUENCE, SEQUENCE_LABELS)));
    await Promise.all(Array.from({ length: 6 }, async () => expect(await failure(made.pool.run("w1", ["topic"]))).toMatchObject({ code: "task-unknown" })));
    await addTasks(made.pool);
    await expectWhole(made, 3);
  });

  it("at removeAdapter: the adapter is gone from the others and from the one that takes its place", async () => {
    const made = await watched(FOLDER, { workers: 2 }, [null, { at: "removeAdapter", how }]);
    await made.pool.addAdapter("going", SEQUENCE, SEQUENCE_LABELS);
    await addTasks(made.pool);
    await made.pool.removeAdapter("going");
    await Promise.all(Array.from({ length: 6 }, async () => expect(await failure(made.pool.run("w1", ["going"]))).toMatchObject({ code: "task-unknown" })));
    await expectWhole(made, 3);
  });
});

describe.each(WAYS.filter((how) => how !== "terminate"))("a worker that is lost by: %s", (how) => {
  it("when it is told of an abort: the others' calls on it reject, one worker takes its place", async () => {
    const made = await watched(FOLDER, { workers: 1 }, [{ at: "abort", how }]);
    await addTasks(made.pool);
    const controller = new AbortController();
    const underWay = made.sending(({ a }) => a?.[1] === "embed");
    const aborted = failure(made.pool.embed(EMBEDDED, { signal: controller.signal }));
    const others = [made.pool.embed(EMBEDDED), made.pool.run(TEXTS[0]!, ["topic"])].map(failure);
    const reason = new Error("enough");
    await underWay;
    controller.abort(reason);
    expect(await aborted).toBe(reason);
    for (const error of await Promise.all(others)) if (error !== null) expectLost(error);
    await eventually(() => expect(made.workers.length).toBe(2));
    await expectWhole(made, 2);
  });

  it("while it reads the caller's own source: loadPool rejects, and no file is left open", async () => {
    const workers: Worker[] = [];
    let open = 0;
    const source: Source = {
      location: "a store",
      async open(file) {
        const bytes = FOLDER.get(file);
        if (bytes === undefined) throw new RootstockError("source-missing", `${file} is not there.`);
        async function* read(): AsyncGenerator<Uint8Array> {
          open++;
          try {
            yield bytes!;
          } finally {
            open--;
          }
        }
        return { size: bytes.length, chunks: read() };
      },
    };
    expectLostLoading(await failure(watchedPool(source, { workers: 2 }, [null, { at: "answer", how }], workers)));
    for (const worker of workers) expect(await ended(worker)).toBe(true);
    await eventually(() => expect(open).toBe(0));
  });
});

describe("a kernel that stops in a worker", () => {
  it.each(Object.keys(CALLS) as (keyof typeof CALLS)[])("at %s: the call rejects with engine-fault, the worker goes on, the next answers are identical", async (at) => {
    const made = await watched(FOLDER, { workers: 1 }, [{ at, how: "trap" }]);
    await addTasks(made.pool);
    expect(await failure(CALLS[at](made.pool))).toMatchObject({ code: "engine-fault", message: expect.stringMatching(/call again/) as unknown });
    await expectWhole(made, 1);
  });

  it.each(Object.keys(CALLS) as (keyof typeof CALLS)[])("at %s and has overwritten the weights: another worker takes its place", async (at) => {
    const made = await watched(FOLDER, { workers: 1 }, [{ at, how: "damage" }]);
    await addTasks(made.pool);
    const error = await failure(CALLS[at](made.pool));
    expect(error).toBeInstanceOf(RootstockError);
    expect(error).toMatchObject({ code: expect.stringMatching(/^(engine-fault|worker-lost)$/) as unknown });
    await eventually(() => expect(made.workers.length).toBe(2));
    await expectWhole(made, 2);
  });
});

describe("every pending call of a lost worker", () => {
  it("rejects, and those of the others are answered", async () => {
    const made = await watched(FOLDER, { workers: 2 }, [{ at: "forward", how: "exit" }]);
    await addTasks(made.pool);
    const killers = [1, 2].map(() => failure(made.pool.forward(IDS, null)));
    const others = await Promise.allSettled(TEXTS.map((text) => made.pool.run(text, ["names"])));
    expectLost((await Promise.all(killers)).find((error) => error !== null));
    const lost = others.filter((one) => one.status === "rejected");
    for (const { reason } of lost) expectLost(reason);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThan(others.length);
    for (const [i, one] of others.entries()) {
      if (one.status === "fulfilled") expect(one.value).toEqual(await encoder.run(TEXTS[i]!, ["names"]));
    }
    await expectWhole(made, 3);
  });

  it("has what the worker threw as its cause", async () => {
    const { pool } = await watched(FOLDER, { workers: 1 }, [{ at: "forward", how: "throw" }]);
    expect(await failure(pool.forward(IDS, null))).toMatchObject({ message: expect.stringContaining("thrown in the worker") as unknown, cause: { message: "thrown in the worker" } });
  });

  it("rejects when all workers are lost at once, and all are replaced", async () => {
    const made = await watched(FOLDER, { workers: 3 });
    await addTasks(made.pool);
    const calls = [made.pool.runBatch(REQUESTS), made.pool.embed(EMBEDDED), ...TEXTS.map((text) => made.pool.run(text, ["topic"]))].map(failure);
    await Promise.all(made.workers.slice(0, 3).map((worker) => worker.terminate()));
    for (const error of await Promise.all(calls)) if (error !== null) expectLost(error);
    await expectWhole(made, 6);
  });

  it("and a worker that is lost while nothing is pending is replaced as well", async () => {
    const made = await watched(FOLDER, { workers: 1 });
    await addTasks(made.pool);
    for (let round = 0; round < 3; round++) {
      await made.workers.at(-1)!.terminate();
      expect(await made.pool.run(TEXTS[5]!, ["names"])).toEqual(await encoder.run(TEXTS[5]!, ["names"]));
    }
    await expectWhole(made, 4);
  });
});

/** A source that gives other files to the second worker that asks. */
function changing(first: ReadonlyMap<string, Uint8Array>, then: ReadonlyMap<string, Uint8Array>): Source {
  let loads = 0;
  return {
    location: "a changing folder",
    async open(file) {
      if (file === "rootstock.json") loads++;
      const bytes = (loads <= 1 ? first : then).get(file);
      if (bytes === undefined) throw new RootstockError("source-missing", `${file} is gone.`);
      return { size: bytes.length, chunks: (async function* () { yield bytes; })() }; // prettier-ignore
    },
  };
}

describe("a replacement that fails to load", () => {
  it.each([
    ["with the error of its files", new Map<string, Uint8Array>(), "source-missing", /config\.json is gone/],
    ["when the encoder is another one", tinyFolder("electra"), "digest-mismatch", /have changed since the pool was loaded/],
  ] as const)("lets calls reject, %s", async (_, then, code, says) => {
    const made = await watched(changing(FOLDER, then), { workers: 1 });
    await made.workers[0]!.terminate();
    for (const call of [() => CALLS.run(made.pool), () => CALLS.runBatch(made.pool), () => made.pool.addAdapter("topic", SEQUENCE, SEQUENCE_LABELS), () => made.pool.removeAdapter("topic")]) {
      expect(await failure(call())).toMatchObject({ code, message: expect.stringMatching(says) as unknown });
    }
    expect(made.workers.length).toBe(2);
  });

  it("by being lost itself is not tried again", async () => {
    const made = await watched(FOLDER, { workers: 1 }, [{ at: "forward", how: "exit" }, { at: "load", how: "exit" }]);
    const calls = [made.pool.forward(IDS, null), made.pool.forward(IDS, null)].map(failure);
    const [first, second] = await Promise.all(calls);
    expectLost(first);
    // It was at the lost one, or waited for the next.
    expect(second).toMatchObject({ code: "worker-lost" });
    expectLostLoading(await failure(made.pool.forward(IDS, null)));
    expect(made.workers.length).toBe(2);
  });

  it("leaves the work to the workers that are there", async () => {
    const made = await watched(FOLDER, { workers: 2 }, [{ at: "logits", how: "exit" }, null, { at: "load", how: "exit" }]);
    await addTasks(made.pool);
    const calls = [1, 2].map(() => failure(CALLS.logits(made.pool)));
    expectLost((await Promise.all(calls)).find((error) => error !== null));
    await eventually(() => expect(made.pool.info.workers).toBe(1));
    await expectWhole(made, 3);
  });

  it("or to take an adapter lets calls reject, too", async () => {
    const made = await watched(FOLDER, { workers: 1 }, [{ at: "forward", how: "exit" }, { at: "addAdapter", how: "exit" }]);
    await addTasks(made.pool);
    expectLost(await failure(CALLS.forward(made.pool)));
    expectLostLoading(await failure(CALLS.run(made.pool)));
    expect(made.workers.length).toBe(2);
  });
});

it("a worker that cannot be started lets the calls reject that find none", async () => {
  const cause = new Error("no thread is left");
  const workers: Worker[] = [];
  const start = () => {
    if (workers.length > 0) throw cause;
    workers.push(new Worker(new URL("../../dist/pool/worker.js", import.meta.url), { execArgv: [] }));
    return nodeThread(workers[0]!);
  };
  const pool = await loadPoolOf(start, FOLDER, { workers: 1 });
  open.push(pool);
  await workers[0]!.terminate();
  const refused = { code: "worker-lost", message: "a worker could not be started: no thread is left", cause };
  for (const call of Object.values(CALLS)) expect(await failure(call(pool))).toMatchObject(refused);
  expect(await failure(loadPoolOf(start, FOLDER, { workers: 1 }))).toMatchObject(refused);
});

it("a script that cannot be started is a lost worker, and there is no pool to call again", async () => {
  const start = () => nodeThread(new Worker(new URL("absent.mjs", import.meta.url)));
  expectLostLoading(await failure(loadPoolOf(start, FOLDER, { workers: 1 })));
});
