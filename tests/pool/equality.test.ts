import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Encoder, RunOptions, TextRequest } from "../../src/index.ts";
import type { EncoderPool } from "../../src/pool/index.ts";
import { TEXTS } from "../convert/tiny-folder.ts";
import { loadEncoder, loadPool } from "./built.ts";
import { addTasks, FOLDER, outcome, REQUESTS, TASKS } from "./tiny.ts";

let encoder: Encoder;
let pools: EncoderPool[];

beforeAll(async () => {
  encoder = await addTasks(await loadEncoder(FOLDER));
  pools = await Promise.all([1, 2, 3].map(async (workers) => addTasks(await loadPool(FOLDER, { workers }))));
});

afterAll(() => {
  encoder.dispose();
  for (const pool of pools) pool.dispose();
});

type Call = (on: Encoder | EncoderPool) => Promise<unknown>;

/** The same call on the encoder and on pools of 1, 2 and 3 workers has one outcome. */
async function commonOutcome(call: Call): Promise<unknown> {
  const expected = await outcome(() => call(encoder));
  for (const pool of pools) expect(await outcome(() => call(pool)), `${pool.info.workers} workers`).toEqual(expected);
  return expected;
}

async function same(call: Call): Promise<void> {
  expect(await commonOutcome(call)).toHaveProperty("value");
}

async function sameRefusal(call: Call): Promise<void> {
  expect(await commonOutcome(call)).toMatchObject({ name: "RootstockError" });
}

const IDS = [2, 9, 11, 30, 41, 3];

describe("a pool gives what an encoder gives, bit for bit", () => {
  it("run", async () => {
    for (const [i, text] of TEXTS.slice(0, 12).entries()) await same((on) => on.run(text, TASKS[i % 4]!, { topK: null, ignoreLabels: [] }));
  });

  it("runBatch, over many parts and with every option", async () => {
    await same((on) => on.runBatch(REQUESTS, { topK: null, ignoreLabels: [] }));
    const options: RunOptions = { topK: 2, ignoreLabels: ["L0"], aggregation: "none", offsets: "codepoint", maxTokens: 6, overflow: "truncate" };
    await same((on) => on.runBatch(REQUESTS, options));
    await same((on) => on.runBatch(REQUESTS, { overflow: "windows", maxTokens: 8, stride: 2, topK: null, ignoreLabels: [] }));
    await same((on) => on.runBatch([]));
  });

  it("embed, with and without a task", async () => {
    const texts = [...TEXTS, ...TEXTS, ...TEXTS, ...TEXTS];
    for (const task of [undefined, null, "topic", "names"]) await same((on) => on.embed(texts, { task: task as string }));
    await same((on) => on.embed(texts, { pooling: "cls" }));
    await sameRefusal((on) => on.embed(texts, { pooling: "max" as "cls" }));
    await same((on) => on.embed([]));
  });

  it("logits, hiddenStates and forward, from lists and views", async () => {
    const view = Int32Array.from([0, 0, ...IDS, 0]).subarray(2, 2 + IDS.length);
    for (const ids of [IDS, view, Uint8Array.from(IDS), { ...IDS, length: IDS.length }]) {
      for (const task of ["topic", "names"]) {
        await same((on) => on.logits(ids, task));
        await same((on) => on.hiddenStates(ids, task));
        await same((on) => on.forward(ids, task, { attentionMask: [1, 1, 0, 1, 1, 1] }));
      }
      await same((on) => on.forward(ids, null));
    }
    expect([...view]).toEqual(IDS);
  });

  it("info, but for the number of workers", () => {
    for (const [i, pool] of pools.entries()) {
      const { workers, ...info } = pool.info;
      expect(workers).toBe(i + 1);
      expect(info).toEqual(encoder.info);
    }
  });

  it("whatever the batch, and with calls at the same time", async () => {
    const request = fc.record({ text: fc.constantFrom(...TEXTS), tasks: fc.constantFrom(...TASKS) });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(request, { maxLength: 60 }), { minLength: 1, maxLength: 5 }), async (batches) => {
        const expected = await Promise.all(batches.map((batch) => encoder.runBatch(batch)));
        for (const pool of pools) expect(await Promise.all(batches.map((batch) => pool.runBatch(batch)))).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });
});

describe("a pool refuses what an encoder refuses, in the same words", () => {
  /** What an encoder finds before it reads any text of a batch, and what it finds in a text. */
  const SHAPES: readonly unknown[] = [
    { text: "w1", tasks: ["unknown"] },
    { text: "w1", tasks: ["No Name"] },
    { text: "w1" },
    { text: 7, tasks: [] },
    { text: "w1", tokens: ["w2"], tasks: [] },
    { tokens: "w1", tasks: [] },
    { trunk: {}, tasks: ["topic"] },
    null,
    7,
  ];
  const CONTENTS: readonly unknown[] = [
    { text: " ", tasks: ["topic"] },
    { text: "w1 ".repeat(80), tasks: ["names"] },
    { tokens: [], tasks: [] },
  ];

  const wrongBatch = (wrong: readonly unknown[]): fc.Arbitrary<TextRequest[]> =>
    fc.tuple(fc.integer({ min: 1, max: 199 }), fc.array(fc.tuple(fc.nat(198), fc.constantFrom(...wrong)), { minLength: 1, maxLength: 4 })).map(([count, places]) => {
      const requests: unknown[] = REQUESTS.slice(0, count);
      for (const [at, request] of places) requests[at % count] = request;
      return requests as TextRequest[];
    });

  it("of several wrong requests the first in order, by its index in the whole list", async () => {
    for (const wrong of [SHAPES, CONTENTS]) {
      await fc.assert(fc.asyncProperty(wrongBatch(wrong), (requests) => sameRefusal((on) => on.runBatch(requests))), { numRuns: 20 });
    }
  });

  it("and of those that an encoder finds at different times one that does not depend on the number of workers", async () => {
    await fc.assert(
      fc.asyncProperty(wrongBatch([...SHAPES, ...CONTENTS]), async (requests) => {
        const [one, ...others] = await Promise.all(pools.map((pool) => outcome(() => pool.runBatch(requests))));
        for (const other of others) expect(other).toEqual(one);
      }),
      { numRuns: 20 },
    );
  });

  it("in embed, too", async () => {
    for (const at of [0, 1, 57, 159]) {
      const texts = Array.from({ length: 160 }, (_, i) => (i >= at ? " " : TEXTS[i % 40]!));
      await sameRefusal((on) => on.embed(texts));
      await sameRefusal((on) => on.embed(texts.with(at, 7 as never)));
    }
    await sameRefusal((on) => on.embed([" "]));
    await sameRefusal((on) => on.embed(TEXTS, { task: "unknown" }));
    await sameRefusal((on) => on.embed([], { task: "unknown" }));
  });

  it("arguments of a wrong kind", async () => {
    for (const requests of [null, undefined, "w1", { text: "w1", tasks: [] }]) await sameRefusal((on) => on.runBatch(requests as never));
    for (const texts of [null, undefined, "w1 w2", ["w1", null]]) await sameRefusal((on) => on.embed(texts as never));
    for (const options of [{ topK: 0 }, { maxTokens: 2 }, { overflow: "cut" }, { ignoreLabels: "O" }, { aggregation: "most" }]) {
      await sameRefusal((on) => on.runBatch(REQUESTS.slice(0, 120), options as never));
    }
    await sameRefusal((on) => on.run(7 as never, ["topic"]));
    await sameRefusal((on) => on.run("w1", "topic" as never));
    await sameRefusal((on) => on.run("w1", null as never));
    for (const ids of [[], [1, 2.5], [4096], { length: -1 }, "abc"]) await sameRefusal((on) => on.forward(ids as never, null));
    await sameRefusal((on) => on.forward(IDS, null, { attentionMask: [1] }));
    await sameRefusal((on) => on.logits(IDS, null as never));
    await sameRefusal((on) => on.logits(IDS, "unknown"));
  });
});
