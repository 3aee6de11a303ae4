import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEncoder, type Encoder, type EntityGroup, type Results, type TextRequest } from "../../src/index.ts";
import { eventually } from "../eventually.ts";

const ADAPTERS = "tests/golden/adapters"; // of every kind, adapting from the first, fourth or fifth layer on
const NER = ["wikigold", "snips-slots-lora-all"] as const;
const CLASSIFIERS = ["vader-dora", "banking77-rslora", "clinc150-lora-pattern", "sms-spam-ia3"] as const;
const TASKS: readonly string[] = [...NER, ...CLASSIFIERS];

const SENTENCES = [
  "Is the card Ana lost in Lisbon blocked?",
  "book a table for 4 at Chez Panisse in Berkeley tomorrow at 7 p.m.",
  "WINNER!! Claim your £1,000 prize now: text WIN to 80082",
  "👩‍👩‍👧 Zoë O'Neill moved from the U.S. to Köln 🇩🇪 for $5.99",
  "東京タワーへ行きたい",
  "مرحبا from Cairo",
  "\u0000\u0001",
  "\u{e000}\u{e001} \u{10ffff}",
  "a",
  "[SEP] typed [MASK] tokens",
];

let encoder: Encoder;

beforeAll(async () => {
  encoder = await loadEncoder("models/mtpf-minilm-l6");
  for (const name of TASKS) await encoder.addAdapter(name, name === "wikigold" ? "models/adapters/wikigold" : `${ADAPTERS}/${name}`);
});

afterAll(() => encoder.dispose());

const text = fc.oneof(
  fc.constantFrom(...SENTENCES),
  fc.array(fc.constantFrom(...SENTENCES), { minLength: 2, maxLength: 6 }).map((parts) => parts.join(" ")),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((value) => value.trim() !== ""),
);

const tasks = fc.subarray([...TASKS]).chain((chosen) => fc.shuffledSubarray(chosen, { minLength: chosen.length }));

const request: fc.Arbitrary<TextRequest> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ text, tasks }) },
  { weight: 1, arbitrary: fc.record({ tokens: text.map((value) => value.split(" ")), tasks }) },
);

async function alone(requests: readonly TextRequest[]): Promise<Results[]> {
  const results: Results[] = [];
  for (const one of requests) results.push(...(await encoder.runBatch([one])));
  return results;
}

describe("a batch gives each text the bits that it has alone", () => {
  it("whatever its mates, their order and their tasks", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 12 }), async (requests) => {
        expect(await encoder.runBatch(requests)).toEqual(await alone(requests));
      }),
      { numRuns: 25 },
    );
  });

  it("and each task the bits that it has without the others", async () => {
    for (const sentence of SENTENCES) {
      const together = await encoder.run(sentence, TASKS);
      expect(Object.keys(together)).toEqual(TASKS);
      for (const name of TASKS) expect((await encoder.run(sentence, [name]))[name]).toEqual(together[name]);
      expect(await encoder.run(sentence, TASKS.toReversed())).toEqual(together);
    }
  });

  it("in batches of more rows than a pass holds, too", async () => {
    const requests = Array.from({ length: 90 }, (_, i): TextRequest => ({
      text: `${SENTENCES[i % 4]!} ${SENTENCES[(i * 3) % 10]!} ${i}`,
      tasks: i % 3 === 0 ? ["banking77-rslora"] : i % 3 === 1 ? ["vader-dora", "wikigold"] : ["sms-spam-ia3"],
    }));
    const results = await encoder.runBatch(requests);
    expect(results).toEqual(await alone(requests));
    const shuffled = requests.map((_, i) => (i * 37) % 90);
    const again = await encoder.runBatch(shuffled.map((i) => requests[i]!));
    for (const [at, i] of shuffled.entries()) expect(again[at]).toEqual(results[i]);
  });

  it("as sentence vectors, alone or in several passes", async () => {
    const texts = Array.from({ length: 60 }, (_, i) => `${SENTENCES[i % 4]!} ${SENTENCES[(i * 7) % 10]!} ${i}`);
    for (const task of [null, "vader-dora"]) {
      const vectors = await encoder.embed(texts, { task });
      for (const [i, value] of texts.entries()) expect((await encoder.embed([value], { task }))[0]).toEqual(vectors[i]);
    }
  });
});

describe("what comes back", () => {
  it("spans are slices of the text, in UTF-16 units and in code points", async () => {
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        for (const name of NER) {
          const units = (await encoder.run(value, [name], { ignoreLabels: [] }))[name] as EntityGroup[];
          const points = (await encoder.run(value, [name], { ignoreLabels: [], offsets: "codepoint" }))[name] as EntityGroup[];
          expect(points.length).toBe(units.length);
          for (const [i, { start, end, word, score }] of units.entries()) {
            expect(value.slice(start, end)).toBe(word);
            expect(end).toBeGreaterThan(start);
            expect(score).toBeGreaterThan(0);
            expect(score).toBeLessThanOrEqual(1);
            const { start: from, end: to } = points[i]!;
            expect([...value].slice(from, to).join("")).toBe(word);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("offsets of words given already split count in the words joined by one space", async () => {
    const tokens = ["Ana", "Souza", "lives", "in", "New York", ",", "👩‍👩‍👧", "Lisbon"];
    const [result] = await encoder.runBatch([{ tokens, tasks: ["wikigold"] }], { ignoreLabels: [] });
    const groups = result!["wikigold"] as EntityGroup[];
    for (const { start, end, word } of groups) expect(tokens.join(" ").slice(start, end)).toBe(word);
    expect(groups.map(({ word }) => word)).toContain("Ana Souza");
  });

  it("all labels with topK null, whole and in order, and as many as asked for", async () => {
    for (const name of CLASSIFIERS) {
      const labels = encoder.info.tasks.find((task) => task.name === name)!.labels;
      const all = (await encoder.run(SENTENCES[0]!, [name], { topK: null }))[name] as { label: string; score: number }[];
      expect(all.map(({ label }) => label).toSorted()).toEqual([...labels].toSorted());
      expect(all.map(({ score }) => score)).toEqual(all.map(({ score }) => score).toSorted((a, b) => b - a));
      expect(all.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 5);
      expect((await encoder.run(SENTENCES[0]!, [name], { topK: 2 }))[name]).toEqual(all.slice(0, 2));
      expect((await encoder.run(SENTENCES[0]!, [name]))[name]).toEqual(all.slice(0, 1));
    }
  });

  it("no tasks, no requests and no texts give nothing; a task named twice runs once", async () => {
    expect(await encoder.run("hello", [])).toEqual({});
    expect(await encoder.runBatch([])).toEqual([]);
    expect(await encoder.embed([])).toEqual([]);
    const once = await encoder.run("hello", ["sms-spam-ia3"]);
    expect(await encoder.run("hello", Array.from({ length: 10_000 }, () => "sms-spam-ia3"))).toEqual(once);
  });

  it("a text without any word has labels and no spans", async () => {
    const { wikigold: spans, "sms-spam-ia3": labels } = await encoder.run("\u0000\u0001", ["wikigold", "sms-spam-ia3"]);
    expect(spans).toEqual([]);
    expect(labels!.length).toBe(1);
  });
});

describe("adapters that go while texts run", () => {
  const texts = Array.from({ length: 120 }, (_, i) => `${SENTENCES[i % 4]!} ${SENTENCES[(i * 7) % 10]!} ${i}`);

  /** Adds a task, starts a run of several passes with it, and puts another adapter in its place after the first pass. */
  async function replaced<T>(start: () => Promise<T>): Promise<T> {
    await encoder.addAdapter("going", `${ADAPTERS}/vader-dora`);
    const running = start();
    await encoder.removeAdapter("going");
    await encoder.addAdapter("coming", `${ADAPTERS}/sms-spam-ia3`);
    try {
      return await running;
    } finally {
      await encoder.removeAdapter("coming");
    }
  }

  it("runBatch finishes on the one it began with, and its memory is free afterwards", async () => {
    const before = encoder.info.memory.adapters;
    const results = await replaced(() => encoder.runBatch(texts.map((value) => ({ text: value, tasks: ["going"] }))));
    const expected = await encoder.runBatch(texts.map((value) => ({ text: value, tasks: ["vader-dora"] })));
    expect(results.map(({ going }) => going)).toEqual(expected.map((result) => result["vader-dora"]));
    expect(encoder.info.memory.adapters).toBe(before);
  });

  it("embed finishes on the one it began with, and its memory is free afterwards", async () => {
    const before = encoder.info.memory.adapters;
    const vectors = await replaced(() => encoder.embed(texts, { task: "going" }));
    const expected = await encoder.embed(texts, { task: "vader-dora" });
    // Not one toEqual of all: printing 120 vectors that differ takes a minute.
    for (const [i, vector] of vectors.entries()) expect(Buffer.from(vector.buffer).equals(Buffer.from(expected[i]!.buffer)), `text ${i}`).toBe(true);
    expect(encoder.info.memory.adapters).toBe(before);
  });

  it("a run that is aborted under way, or loses its encoder, gives its adapter back", async () => {
    const before = encoder.info.memory.adapters;
    const reason = new Error("enough");
    for (const start of [
      (signal: AbortSignal) => encoder.embed(texts, { task: "going", signal }),
      (signal: AbortSignal) => encoder.runBatch(texts.map((value) => ({ text: value, tasks: ["going"] })), { signal }),
    ]) {
      const controller = new AbortController();
      await encoder.addAdapter("going", `${ADAPTERS}/vader-dora`);
      const running = start(controller.signal);
      await encoder.removeAdapter("going");
      // It has computed until its first turn.
      await new Promise((resolve) => setImmediate(resolve));
      expect(encoder.info.memory.adapters).toBeGreaterThan(before);
      controller.abort(reason);
      await expect(running).rejects.toBe(reason);
      // The caller hears of it at once; the work ends at its next turn, and lets go of the adapter then.
      await eventually(() => expect(encoder.info.memory.adapters).toBe(before));
    }
    const other = await loadEncoder("models/mtpf-minilm-l6");
    const running = other.embed(texts);
    other.dispose();
    await expect(running).rejects.toMatchObject({ code: "disposed" });
  });

  it("of two adapters added at once under one name, the second is refused", async () => {
    const added = await Promise.allSettled(["vader-dora", "sms-spam-ia3"].map((folder) => encoder.addAdapter("twin", `${ADAPTERS}/${folder}`)));
    expect(added.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect((added[1] as PromiseRejectedResult).reason).toMatchObject({ code: "task-exists" });
    await encoder.removeAdapter("twin");
  });
});
