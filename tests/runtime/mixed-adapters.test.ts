import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Encoder, RunOptions, TextRequest } from "../../src/index.ts";
import { loadOdd, ODD_ADAPTERS, words } from "./bert-odd.ts";

const NAMES = ODD_ADAPTERS.map(({ name }) => name);
const ALL: RunOptions = { topK: null, ignoreLabels: [] };

let encoder: Encoder;
/** What each task gives for a text of `count` words when it is asked alone. */
const known = new Map<string, unknown>();

beforeAll(async () => {
  encoder = await loadOdd();
  // More adapters than a pass has rows for, on the longest text: 19 tokens × 48 > 768 rows.
  for (const { name, files, labels } of [...ODD_ADAPTERS, ...ODD_ADAPTERS]) {
    const copy = `${name}.${encoder.info.tasks.length}`;
    await encoder.addAdapter(copy, files, { labels });
  }
});

afterAll(() => encoder.dispose());

async function alone(text: string, task: string): Promise<unknown> {
  const original = task.replace(/\.\d+$/, "");
  const key = `${original} ${text}`;
  if (!known.has(key)) known.set(key, (await encoder.run(text, [original], ALL))[original]);
  return known.get(key);
}

describe("adapters of every kind in one batch", () => {
  it("among them such as change the embeddings, every layer, the last one alone, and input scales", () => {
    const first = new Set(encoder.info.tasks.map(({ firstLayer }) => firstLayer));
    expect([...first].sort()).toEqual(expect.arrayContaining([-1, 0, 1]));
    expect(NAMES).toEqual(expect.arrayContaining(["ia3-feedforward", "dora-all-linear", "embedding-all", "bias-all", "save-pooler"]));
  });

  it("each text and task has the bits that it has alone", async () => {
    const text = fc.record({ count: fc.integer({ min: 1, max: 17 }), seed: fc.nat(5) }).map(({ count, seed }) => words(count, seed));
    const request: fc.Arbitrary<TextRequest> = fc.record({ text, tasks: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 6 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 24 }), async (requests) => {
        const results = await encoder.runBatch(requests, ALL);
        for (const [i, { text: one, tasks }] of requests.entries()) {
          expect(Object.keys(results[i]!)).toEqual(tasks);
          for (const task of tasks) expect(results[i]![task]).toEqual(await alone(one!, task));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("all tasks at once over the longest text, which a pass has no rows for", async () => {
    const { tasks } = encoder.info;
    const text = words(17, 3);
    expect(tasks.length * 19).toBeGreaterThan(768);
    const results = await encoder.run(text, tasks.map(({ name }) => name), ALL);
    for (const { name } of tasks) expect(results[name], name).toEqual(await alone(text, name));
  });

  it("and with others before and behind", async () => {
    const names = encoder.info.tasks.map(({ name }) => name);
    const requests = [words(5, 1), words(17, 2), words(16, 3), words(2, 4)].map((text, i) => ({ text, tasks: i % 3 === 0 ? names.slice(0, 3) : names }));
    const results = await encoder.runBatch(requests, ALL);
    for (const [i, { text, tasks }] of requests.entries()) for (const name of tasks) expect(results[i]![name], `${name}, text ${i}`).toEqual(await alone(text, name));
  });
});
