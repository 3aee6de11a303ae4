import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Encoder, RunOptions } from "../../src/index.ts";
import { Call } from "../../src/runtime/call.ts";
import { loadOdd, ODD_ADAPTERS, words } from "./bert-odd.ts";
import { refuses } from "./refuses.ts";

const ALL: RunOptions = { topK: null, ignoreLabels: [] };
const TEXT = words(12, 4);
const names = (encoder: Encoder): string[] => encoder.info.tasks.map(({ name }) => name);
const residents = (encoder: Encoder): string[] => encoder.info.tasks.filter(({ resident }) => resident).map(({ name }) => name);

/** Copies of one adapter: as many as asked for, under names of their own. */
async function loadCopies(count: number, perBudget: number): Promise<{ encoder: Encoder; bytes: number }> {
  const [one] = ODD_ADAPTERS.filter(({ name }) => name === "all-linear");
  using probe = await loadOdd({}, [one!]);
  const bytes = Math.ceil(probe.info.tasks[0]!.bytes / 64) * 64;
  const encoder = await loadOdd({ adapterBudget: bytes * perBudget }, []);
  for (let i = 0; i < count; i++) await encoder.addAdapter(`copy${i}`, one!.files, { labels: one!.labels });
  return { encoder, bytes };
}

describe("adapters beyond the budget", () => {
  it("wait on the heap, those used longest ago first, and come back with the same bits", async () => {
    using whole = await loadOdd();
    const largest = Math.max(...whole.info.tasks.map(({ bytes }) => bytes));
    using encoder = await loadOdd({ adapterBudget: largest * 2 });
    expect(residents(encoder).length).toBeLessThan(ODD_ADAPTERS.length);
    const order = fc.shuffledSubarray(names(encoder), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(order, { minLength: 1, maxLength: 4 }), async (calls) => {
        const results = await Promise.all(calls.map((tasks) => encoder.run(TEXT, tasks, ALL)));
        for (const [i, tasks] of calls.entries()) expect(results[i]).toEqual(await whole.run(TEXT, tasks, ALL));
        const { adapters, adapterBudget } = encoder.info.memory;
        expect(adapters).toBeLessThanOrEqual(adapterBudget);
      }),
      { numRuns: 40 },
    );
  });

  it("64 of them: the ones used last are in memory", async () => {
    const { encoder, bytes } = await loadCopies(64, 8);
    expect(residents(encoder)).toEqual(names(encoder).slice(-8));
    expect(encoder.info.memory.parkedAdapters).toBe(56 * encoder.info.tasks[0]!.bytes);
    const expected = (await encoder.run(TEXT, ["copy63"], ALL))["copy63"];
    for (const name of ["copy0", "copy60", "copy7"]) expect((await encoder.run(TEXT, [name], ALL))[name]).toEqual(expected);
    expect(residents(encoder)).toEqual(["copy0", "copy7", "copy58", "copy59", "copy60", "copy61", "copy62", "copy63"]);
    const all = await encoder.run(TEXT, names(encoder), ALL);
    for (const name of names(encoder)) expect(all[name], name).toEqual(expected);
    expect(encoder.info.memory.adapters).toBe(8 * bytes);
    encoder.dispose();
  });

  it("leave nothing behind when they are removed, parked or not", async () => {
    const { encoder } = await loadCopies(12, 4);
    await encoder.run(TEXT, ["copy3", "copy1"], ALL);
    for (const name of names(encoder)) await encoder.removeAdapter(name);
    expect(encoder.info.memory).toMatchObject({ adapters: 0, parkedAdapters: 0 });
    encoder.dispose();
  });

  it("do not cost other calls their attention masks", async () => {
    using encoder = await loadOdd({ adapterBudget: 48 << 10 }, ODD_ADAPTERS.filter(({ name }) => ["all-linear", "dora-all-linear"].includes(name)));
    const [ids, attentionMask] = [[2, 5, 6, 7, 8, 9, 3], [1, 1, 0, 0, 1, 0, 1]];
    expect(residents(encoder).length).toBe(1);
    const alone = [await encoder.logits(ids, "all-linear"), await encoder.logits(ids, "dora-all-linear", { attentionMask })];
    expect(await Promise.all([encoder.logits(ids, "all-linear"), encoder.logits(ids, "dora-all-linear", { attentionMask })])).toEqual(alone);
    expect(alone[1]).not.toEqual(await encoder.logits(ids, "dora-all-linear"));
  });

  it("go to the next pass without filling this one with copies of the trunk", async () => {
    const { encoder } = await loadCopies(2, 1);
    let texts = 0;
    const take = Call.prototype.take;
    vi.spyOn(Call.prototype, "take").mockImplementation(function (this: Call, ...args) {
      texts++;
      return take.apply(this, args);
    });
    await encoder.run(TEXT, ["copy0", "copy1"]);
    expect(texts).toBe(2);
    vi.restoreAllMocks();
    encoder.dispose();
  });

  it("of a budget that is no multiple of 64 bytes", async () => {
    const [one] = ODD_ADAPTERS.filter(({ name }) => name === "all-linear");
    using probe = await loadOdd({}, [one!]);
    const { bytes } = probe.info.tasks[0]!;
    for (const missing of [1, 63]) {
      using encoder = await loadOdd({ adapterBudget: bytes - missing }, []);
      await refuses(encoder.addAdapter("one", one!.files, { labels: one!.labels }), "no-memory-left", /larger adapterBudget/);
    }
    using encoder = await loadOdd({ adapterBudget: bytes + 63 }, [one!]);
    await encoder.run(TEXT, ["all-linear"]);
    await encoder.addAdapter("two", one!.files, { labels: one!.labels });
    expect(await encoder.run(TEXT, ["two"], ALL)).toEqual({ two: (await encoder.run(TEXT, ["all-linear"], ALL))["all-linear"] });
  });

  it("can be added while a run holds all the room there is", async () => {
    const { encoder } = await loadCopies(2, 2);
    const [one] = ODD_ADAPTERS.filter(({ name }) => name === "all-linear");
    const expected = (await encoder.run(TEXT, ["copy0"], ALL))["copy0"];
    const running = encoder.runBatch(Array.from({ length: 200 }, () => ({ text: TEXT, tasks: ["copy0", "copy1"] })), ALL);
    await encoder.addAdapter("late", one!.files, { labels: one!.labels });
    for (const result of await running) expect(result).toEqual({ copy0: expected, copy1: expected });
    expect((await encoder.run(TEXT, ["late"], ALL))["late"]).toEqual(expected);
    encoder.dispose();
  });
});
