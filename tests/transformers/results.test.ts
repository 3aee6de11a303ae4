import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EntityGroup } from "../../src/index.ts";
import { pipeline, type FeatureExtractionPipeline, type TextClassificationPipeline, type TokenClassificationPipeline } from "../../src/transformers/index.ts";
import { signBits } from "../../src/transformers/pooling.ts";
import { ENCODER, ENTITIES, golden, MOOD, type GoldenSpan } from "./golden.ts";

/** Its softmax is taken with the engine's `Math.exp`, ours with an exponential of our own. */
const SOFTMAX_ERROR = 1e-6;

/** It sums the tokens' states in another order; the golden file has six decimals. Packed signs are equal. */
const POOLING_ERROR = 2e-6;

let ner: TokenClassificationPipeline;
let mood: TextClassificationPipeline;
let features: FeatureExtractionPipeline;

beforeAll(async () => {
  ner = await pipeline("token-classification", ENCODER, { adapter: ENTITIES });
  mood = await pipeline("sentiment-analysis", { encoder: ner, adapter: MOOD });
  features = await pipeline("feature-extraction", ner);
});

afterAll(async () => {
  for (const pipe of [ner, mood, features]) await pipe.dispose();
});

/** A word as an uncased tokeniser leaves it: what transformers.js gives where we give the text as it stands. */
function folded(word: string): string {
  return word.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
}

/** Our spans in its form: without offsets, words folded. Its scores where ours are equal to them but for the softmax. */
function asGolden(spans: readonly GoldenSpan[], expected: readonly GoldenSpan[]): GoldenSpan[] {
  return spans.map((span, index) => {
    const { start: _start, end: _end, ...rest } = span as EntityGroup;
    const score = expected[index]?.score;
    return { ...rest, word: folded(rest.word), score: score !== undefined && Math.abs(score - rest.score) <= SOFTMAX_ERROR ? score : rest.score };
  });
}

function withoutMarks(spans: readonly GoldenSpan[]): GoldenSpan[] {
  return spans.map((span) => ({ ...span, word: span.word.replace(/^##/, "") }));
}

describe("token-classification", () => {
  it.each(golden.entities.map((call, index) => [index, call] as const))("gives transformers.js's spans and lists, call %i", async (_, { input, options, output }) => {
    const found = (await ner(input, options)) as GoldenSpan[] | GoldenSpan[][];
    if (typeof input === "string") {
      const expected = output as GoldenSpan[];
      expect(asGolden(found as GoldenSpan[], expected)).toEqual(withoutMarks(expected));
      return;
    }
    expect(found).toHaveLength(output.length);
    for (const [index, spans] of (output as GoldenSpan[][]).entries()) expect(asGolden((found as GoldenSpan[][])[index]!, spans)).toEqual(withoutMarks(spans));
  });

  it.each(["none", "simple", "first", "average", "max"] as const)("fills start and end with aggregation_strategy %s", async (aggregation_strategy) => {
    const text = "🙂 Marie Curie lived in Paris";
    const spans = await ner(text, { aggregation_strategy });
    expect(spans.length).toBeGreaterThan(1);
    for (const span of spans) {
      expect(text.slice(span.start, span.end)).toBe(span.word);
      expect("entity" in span).toBe(aggregation_strategy === "none");
      expect("entity_group" in span).toBe(aggregation_strategy !== "none");
    }
    const inCodePoints = await ner(text, { aggregation_strategy, offsets: "codepoint" });
    expect(inCodePoints.at(-1)!.start).toBe(spans.at(-1)!.start - 1);
  });

  it("gives a text without words no spans, alone and among others", async () => {
    expect(await ner("")).toEqual([]);
    const [empty, full] = await ner([" ", "Paris"]);
    expect(empty).toEqual([]);
    expect(full).toMatchObject([{ entity: "B-LOC", word: "Paris", start: 0, end: 5 }]);
    expect(await ner([])).toEqual([]);
  });

  it("cuts a text that is too long, reads it in windows with stride, and refuses it when it should", async () => {
    const text = `${"rain ".repeat(600)}Marie Curie lived in Paris`;
    expect(await ner(text)).toEqual([]);
    expect(await ner(text, { stride: 64, aggregation_strategy: "first" })).toMatchObject([{ entity_group: "PER", start: 3000, end: 3011 }, { entity_group: "LOC", start: 3021, end: 3026 }]);
    await expect(ner(text, { overflow: "error" })).rejects.toMatchObject({ code: "text-too-long" });
  });
});

describe("text-classification", () => {
  it.each(golden.mood.map((call, index) => [index, call] as const))("gives transformers.js's labels and lists, call %i", async (_, { input, options, output }) => {
    const found = (await mood(input, options)).flat();
    const expected = output.flat();
    expect(found.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
    for (const [index, { score }] of expected.entries()) expect(Math.abs(found[index]!.score - score)).toBeLessThanOrEqual(SOFTMAX_ERROR);
    // The same depth of lists, and the same lengths.
    expect(shape(await mood(input, options))).toEqual(shape(output));
  });

  it("takes topk for top_k, and top_k before it; what is undefined is not given", async () => {
    expect(await mood(["fine"], { top_k: undefined, topk: 2 })).toEqual([await mood("fine", { top_k: 2 })]);
    const long = "rain ".repeat(600);
    expect(await mood(long, { stride: null, overflow: null, signal: null } as never)).toEqual(await mood(long, { stride: undefined, overflow: undefined, signal: undefined }));
    expect(await mood(long, { stride: undefined })).toEqual(await mood(long, { overflow: "truncate" }));
    expect(await mood("fine", { topk: null })).toHaveLength(2);
    expect(await mood("fine", { topk: 2, top_k: 1 })).toHaveLength(1);
    expect(await mood(["fine"], { topk: 2 })).toEqual([await mood("fine", { top_k: 2 })]);
  });
});

describe("feature-extraction", () => {
  it.each(golden.tensors.map((call, index) => [index, call] as const))("gives transformers.js's tensor, call %i", async (_, { input, options, type, dims, data }) => {
    const found = await features(input, options);
    expect({ type: found.type, dims: found.dims }).toEqual({ type, dims });
    if (data === undefined) return;
    expect(found.data.length).toBe(data.length);
    expect(Math.max(...data.map((value, i) => Math.abs(found.data[i]! - value)))).toBeLessThan(type === "float32" ? POOLING_ERROR : 0.5);
  });

  it("packs signs as transformers.js does", () => {
    const values = Float32Array.from(golden.packed.values);
    expect([...signBits(values, "binary")]).toEqual(golden.packed.binary);
    expect([...signBits(values, "ubinary")]).toEqual(golden.packed.ubinary);
  });

  it("gives the bits of encoder.embed for the normalised mean, and nearly the same from the rows", async () => {
    const texts = ["One sentence.", "Another, a longer one."];
    const [one, two] = await features.encoder.embed(texts);
    const pooled = await features(texts, { pooling: "mean", normalize: true });
    expect([...pooled].map(({ data }) => [...data])).toEqual([[...one!], [...two!]]);
    const states = await features(texts[0]!);
    const mean = await features(texts[0]!, { pooling: "mean" });
    const column = states[0]!.tolist().map((row: number[]) => row[7]!);
    expect(Math.abs(mean.data[7]! - column.reduce((a: number, b: number) => a + b) / column.length)).toBeLessThan(1e-6);
  });

  it("pads with rows of zeros, and pools each text's own last token", async () => {
    const texts = ["Cats purr.", "A much longer sentence than the other one is."];
    const states = await features(texts);
    const [, longest, hidden] = states.dims as [number, number, number];
    const alone = await features(texts[0]!);
    const own = alone.dims[1]!;
    expect([...states.data.subarray(0, own * hidden)]).toEqual([...alone.data]);
    expect(states.data.subarray(own * hidden, longest * hidden).every((value) => value === 0)).toBe(true);
    const last = await features(texts, { pooling: "last_token" });
    expect([...last.data.subarray(0, hidden)]).toEqual([...alone.data.subarray((own - 1) * hidden)]);
    expect([...(await features(texts, { pooling: "eos" })).data]).toEqual([...last.data]);
    expect([...(await features(texts, { pooling: "first_token" })).data]).toEqual([...(await features(texts, { pooling: "cls" })).data]);
  });

  it("scales every row that is asked for to length 1", async () => {
    const { data, dims } = await features("Cats purr.", { normalize: true });
    const hidden = dims[2]!;
    for (let at = 0; at < data.length; at += hidden) expect(data.subarray(at, at + hidden).reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 5);
  });

  it("takes more texts than it asks for at once, and none", async () => {
    const texts = Array.from({ length: 19 }, (_, index) => `text ${index}`);
    const all = await features(texts, { pooling: "cls" });
    expect(all.dims).toEqual([19, 384]);
    expect([...all[18]!.data]).toEqual([...(await features(texts[18]!, { pooling: "cls" })).data]);
    expect((await features([])).dims).toEqual([0, 0, 384]);
  });

  it("applies an adapter when it has one", async () => {
    const adapted = await pipeline("feature-extraction", { encoder: features, adapter: MOOD });
    const given = { pooling: "mean", normalize: true } as const;
    expect([...(await adapted("fine", given)).data]).not.toEqual([...(await features("fine", given)).data]);
    expect([...(await adapted("fine")).data]).not.toEqual([...(await features("fine")).data]);
    await adapted.dispose();
  });
});

/** Lengths of nested lists. */
function shape(lists: readonly unknown[]): unknown[] {
  return lists.map((entry) => (Array.isArray(entry) ? entry.length : typeof entry));
}
