import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEncoder, type Classification, type Encoder, type EntityGroup } from "../../src/index.ts";
import { createTokenizer } from "../../src/text/tokenizer.ts";
import { encodeText, textLimits } from "../../src/runtime/requests.ts";
import { refuses } from "./refuses.ts";

const SENTENCES = [
  "Marie Curie was born in Warsaw and moved to Paris in 1891.",
  "She won the Nobel Prize in Physics with Pierre Curie and Henri Becquerel.",
  "Later the Radium Institute was built for her by the University of Paris.",
  "Albert Einstein met her at the Solvay Conference in Brussels.",
  "The United Nations and the Red Cross honoured her daughter Irène in Geneva.",
];
const LONG = Array.from({ length: 12 }, () => SENTENCES.join(" ")).join(" ");

let encoder: Encoder;

beforeAll(async () => {
  encoder = await loadEncoder("models/mtpf-minilm-l6");
  for (const name of ["wikigold", "vader-sentiment", "banking77"]) await encoder.addAdapter(name, `models/adapters/${name}`);
});

afterAll(() => encoder.dispose());

const spans = async (text: string, options: object): Promise<EntityGroup[]> =>
  (await encoder.run(text, ["wikigold"], options))["wikigold"] as EntityGroup[];

describe("a text longer than the encoder reads", () => {
  it("is refused unless it is told how to be read, never cut in silence", async () => {
    await refuses(encoder.run(LONG, ["wikigold"]), "text-too-long", /tokens and at most 512.*truncate.*windows/);
    // Calls that take ids have no such options.
    await refuses(encoder.logits(new Int32Array(513).fill(5), "wikigold"), "text-too-long", /513 tokens and the encoder reads 512\. Shorten it\.$/);
  });

  it("has the entities of all its windows, once each, as slices of the text in order", async () => {
    const found = await spans(LONG, { overflow: "windows" });
    expect(found.length).toBeGreaterThan(100);
    let last = 0;
    for (const { start, end, word } of found) {
      expect(LONG.slice(start, end)).toBe(word);
      expect(start).toBeGreaterThanOrEqual(last);
      last = end;
    }
  });

  it("has each token's label and score from the window in which it has the more context", async () => {
    const ids = tokenIds(LONG);
    const [maxTokens, stride] = [40, 10];
    const labels = encoder.info.tasks.find(({ name }) => name === "wikigold")!.labels;
    const expected: { entity: string; score: number }[] = [];
    const [room, step] = [maxTokens - 2, maxTokens - 2 - stride];
    for (let first = 0, from = 0; from < ids.length; first += step) {
      const window = ids.slice(first, first + room);
      const to = first + room < ids.length ? first + step + stride / 2 : ids.length;
      const logits = await encoder.logits([101, ...window, 102], "wikigold");
      for (let token = from; token < to; token++) {
        const at = (token - first + 1) * labels.length;
        const scores = softmax([...logits.subarray(at, at + labels.length)]);
        const best = scores.indexOf(Math.max(...scores));
        expected.push({ entity: labels[best]!, score: scores[best]! });
      }
      from = to;
    }
    const { wikigold: found } = await encoder.run(LONG, ["wikigold"], { maxTokens, stride, aggregation: "none", ignoreLabels: [] });
    expect(found!.length).toBe(ids.length);
    // Where two windows part inside a word it goes to one of them whole: a few tokens a window.
    let other = 0;
    for (const [i, one] of (found as { entity: string; score: number }[]).entries()) {
      if (one.entity !== expected[i]!.entity || Math.abs(one.score - expected[i]!.score) > 1e-6) other++;
    }
    expect(other).toBeLessThan(ids.length / 50);
  });

  it("does not depend on where windows are cut, for entities that every window sees whole", async () => {
    const text = SENTENCES.join(" ");
    const whole = (await spans(text, {})).map(({ word, start, entity_group }) => `${entity_group} ${word} ${start}`);
    for (const [maxTokens, stride] of [[64, 40], [48, 30]] as const) {
      const cut = (await spans(text, { maxTokens, stride })).map(({ word, start, entity_group }) => `${entity_group} ${word} ${start}`);
      expect(cut.filter((one) => whole.includes(one)).length / whole.length).toBeGreaterThan(0.9);
    }
  });

  it("works with every aggregation, in code points, and for words already split", async () => {
    const words = `😀 ${LONG}`.split(" ");
    for (const aggregation of ["none", "simple", "first", "average", "max"] as const) {
      const [units] = await encoder.runBatch([{ tokens: words, tasks: ["wikigold"] }], { stride: 64, aggregation });
      const [points] = await encoder.runBatch([{ tokens: words, tasks: ["wikigold"] }], { stride: 64, aggregation, offsets: "codepoint" });
      const spans = units!["wikigold"] as EntityGroup[];
      expect(spans.length).toBeGreaterThan(50);
      for (const { start, end, word } of spans) expect(words.join(" ").slice(start, end)).toBe(word);
      const shifted = spans.map(({ start, end }) => ({ start: Math.max(0, start - 1), end: end - 1 }));
      expect((points!["wikigold"] as EntityGroup[]).map(({ start, end }) => ({ start, end }))).toEqual(shifted);
    }
  });

  it("has the labels of its windows' mean scores, each weighted by its tokens", async () => {
    const ids = tokenIds(LONG);
    const labels = encoder.info.tasks.find(({ name }) => name === "banking77")!.labels;
    const mean = new Float64Array(labels.length);
    for (let first = 0; first < ids.length; first += 98) {
      const window = ids.slice(first, first + 98);
      const scores = softmax([...(await encoder.logits([101, ...window, 102], "banking77"))]);
      for (const [i, score] of scores.entries()) mean[i]! += (score * window.length) / ids.length;
    }
    const { "banking77": found } = await encoder.run(LONG, ["banking77"], { maxTokens: 100, stride: 0, topK: null });
    for (const { label, score } of found as Classification[]) expect(score).toBeCloseTo(mean[labels.indexOf(label)]!, 6);
  });

  it("of equal windows has exactly their score", async () => {
    // Every window holds the same 10 words, so the mean is the score of one.
    const ten = "I love this great movie very much it is good";
    const { "vader-sentiment": one } = await encoder.run(ten, ["vader-sentiment"], { topK: null });
    const { "vader-sentiment": many } = await encoder.run(Array.from({ length: 8 }, () => ten).join(" "), ["vader-sentiment"], { maxTokens: 12, stride: 0, topK: null });
    expect(many).toEqual(one);
  });

  it("weights a shorter last window less", async () => {
    const ten = "I love this great movie very much it is good";
    const three = "I hate it";
    const scores = async (text: string, options: object = {}): Promise<number> =>
      ((await encoder.run(text, ["vader-sentiment"], { ...options, topK: null }))["vader-sentiment"] as Classification[]).find(({ label }) => label === "positive")!.score;
    const mean = (10 * (await scores(ten)) + 3 * (await scores(three))) / 13;
    expect(await scores(`${ten} ${three}`, { maxTokens: 12, stride: 0 })).toBe(Math.fround(mean));
  });

  it("has a sentence vector over all windows", async () => {
    const [vector] = await encoder.embed([LONG], { overflow: "windows" });
    const { windows } = encodeText(encoder.loaded, LONG, textLimits(encoder.loaded, { overflow: "windows" }));
    expect(windows.length).toBeGreaterThan(1);
    const width = encoder.info.hidden;
    const sum = new Float64Array(width);
    for (const { ids } of windows) (await encoder.forward(ids, null)).forEach((value, i) => (sum[i % width]! += value));
    const length = Math.hypot(...sum);
    vector!.forEach((value, i) => expect(Math.abs(value - sum[i]! / length)).toBeLessThan(1e-6));
    const [short, same] = await encoder.embed([SENTENCES[0]!], {}).then(async (own) => [own[0]!, (await encoder.embed([SENTENCES[0]!], { stride: 3 }))[0]!]);
    expect(same).toEqual(short);
  });

  it("takes strides from 0 to one below the window's room, and no others", async () => {
    const text = SENTENCES.join(" ");
    for (const stride of [0, 29]) expect((await spans(text, { maxTokens: 32, stride })).length).toBeGreaterThan(3);
    for (const stride of [30, -1, 1.5, NaN]) await refuses(spans(text, { maxTokens: 32, stride }), "argument-invalid", /stride/);
    await refuses(spans(text, { stride: 3, overflow: "truncate" }), "argument-invalid", /stride.*windows/);
    // null is "not given", as for maxTokens and overflow.
    await refuses(spans(LONG, { stride: null, overflow: null, maxTokens: null }), "text-too-long", /at most 512/);
    expect(await spans(text, { stride: null, overflow: "truncate", maxTokens: 32 })).toEqual(await spans(text, { overflow: "truncate", maxTokens: 32 }));
  });
});

const tokenizer = createTokenizer(JSON.parse(readFileSync("models/mtpf-minilm-l6/tokenizer.json", "utf8")), null);

/** Ids of a text without special tokens. */
function tokenIds(text: string): number[] {
  return [...tokenizer.encode(text).ids.slice(1, -1)];
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
