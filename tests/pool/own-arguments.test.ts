import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Encoder, RunOptions, TextRequest } from "../../src/index.ts";
import type { EncoderPool } from "../../src/pool/index.ts";
import { CHANGES } from "../runtime/changed-arguments.ts";
import { loadEncoder, loadPool } from "./built.ts";
import { addTasks, FOLDER, outcome, REQUESTS, SEQUENCE } from "./tiny.ts";

const ALL: RunOptions = { topK: null, ignoreLabels: [] };
const IDS = [2, 9, 11, 30, 41, 3];

let encoder: Encoder;
let pool: EncoderPool;

beforeAll(async () => {
  encoder = await addTasks(await loadEncoder(FOLDER));
  pool = await addTasks(await loadPool(FOLDER, { workers: 1 }));
});

afterAll(() => {
  encoder.dispose();
  pool.dispose();
});

describe("what a caller changes while its call is under way has no effect", () => {
  it.each(Object.entries(CHANGES))("%s", async (_, { begin }) => {
    const expected = await begin(encoder).call;
    const { call, change } = begin(pool);
    change();
    expect(await call).toEqual(expected);
  });

  it("nor where it waits for others, and for a change of its task", async () => {
    for (const { begin } of Object.values(CHANGES)) {
      const expected = await begin(encoder).call;
      const before = pool.runBatch(REQUESTS, ALL);
      const changing = pool.addAdapter("topic", SEQUENCE, { labels: ["L0", "L1", "L2"], replace: true });
      const { call, change } = begin(pool);
      change();
      expect(await call).toEqual(expected);
      await Promise.all([before, changing]);
    }
  });
});

/** The same from both. */
async function same(call: (on: Encoder | EncoderPool) => Promise<unknown>): Promise<void> {
  expect(await outcome(() => call(pool))).toEqual(await outcome(() => call(encoder)));
}

describe("the copies are what an encoder would have read", () => {
  it("of requests with accessors, of a class, in a proxy", async () => {
    let looks = 0;
    class Request {
      get text(): string {
        return ["w1 w9", "w2"][looks++]!;
      }
      readonly tasks = ["topic"];
    }
    await same((on) => {
      looks = 0;
      return on.runBatch([new Request() as TextRequest], ALL);
    });
    expect(looks).toBe(1);
    const proxied = <T extends object>(own: T): T => new Proxy(own, {});
    await same((on) => on.runBatch(proxied([proxied({ tokens: proxied(["w1", "w9"]), tasks: proxied(["names"]) })]), ALL));
    await same((on) => on.forward(proxied([...IDS]), null, { attentionMask: proxied([1, 0, 1, 1, 1, 1]) }));
  });

  it("of lists with holes, which are refused", async () => {
    // oxlint-disable-next-line no-sparse-arrays
    for (const requests of [[, { text: "w1", tasks: [] }], [{ tokens: ["w1", , "w2"], tasks: [] }], [{ text: "w1", tasks: [, "topic"] }]]) await same((on) => on.runBatch(requests as never));
    // oxlint-disable-next-line no-sparse-arrays
    await same((on) => on.embed(["w1", , "w2"] as never));
    // oxlint-disable-next-line no-sparse-arrays
    await same((on) => on.forward([2, , 3] as never, null));
  });

  it("of requests with more in them than is read", async () => {
    await same((on) => on.runBatch([{ text: "w1", tasks: ["topic"], note: () => undefined } as never, (() => undefined) as never]));
  });

  it("of ids and masks of any length and kind", async () => {
    const lists: unknown[] = [[], { length: 0 }, { length: -1 }, { length: 2.5 }, { length: "6" }, { length: NaN }, {}, null, undefined, 7, "abc", new Map(), new Float64Array(1e6), { length: 2 ** 40 }, BigInt64Array.of(2n, 3n), [2, "9"]];
    for (const list of lists) {
      await same((on) => on.forward(list as never, null));
      if (list !== undefined) await same((on) => on.forward(IDS, null, { attentionMask: list as never }));
    }
    await same((on) => on.forward(IDS, null, { attentionMask: "110111" as never }));
    const gone = Int32Array.from(IDS);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    await same((on) => on.forward(gone, null));
  });

  it("of options that are null, undefined, or inherited", async () => {
    await same((on) => on.forward(IDS, null, { attentionMask: undefined, signal: undefined } as never));
    await same((on) => on.run("w1", ["topic"], { signal: null } as never));
    const reason = new Error("enough");
    for (const on of [encoder, pool]) await expect(on.run("w1", ["topic"], Object.create({ signal: AbortSignal.abort(reason) }) as RunOptions)).rejects.toBe(reason);
  });
});

it("what info gave is its caller's: writing to it changes no result and no later info", async () => {
  const [results, info] = [await pool.run("w1 w9", ["topic", "names"], ALL), structuredClone(pool.info)];
  const { tasks, notes, memory } = pool.info;
  for (const { labels } of tasks) (labels as string[]).fill("other");
  (tasks as unknown[]).length = 0;
  (notes as string[]).push("other");
  (memory as { adapterBudget: number }).adapterBudget = 0;
  expect(pool.info).toEqual(info);
  expect(await pool.run("w1 w9", ["topic", "names"], ALL)).toEqual(results);
});
