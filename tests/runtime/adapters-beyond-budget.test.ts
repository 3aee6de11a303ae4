import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Encoder, RunOptions } from "../../src/index.ts";
import { loadOdd, ODD_ADAPTERS, words } from "./bert-odd.ts";

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
