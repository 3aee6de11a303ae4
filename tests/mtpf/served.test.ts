import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { evaluateTask } from "../../src/cli/evaluate.ts";
import { loadEncoder, type Encoder } from "../../src/index.ts";
import { readTensors } from "../golden/read-tensors.ts";
import { sentence } from "./experiment.ts";
import { benchModule } from "./modules.ts";

const { featuresOf, MAX_TOKENS } = await benchModule("features");
const { servedPredictions } = await benchModule("served");
const { score } = await benchModule("scores");

const LABELS = ["O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER"];
const TASK = { kind: "ner", classes: LABELS };
const TYPES: Readonly<Record<string, string>> = { person: "PER", place: "LOC" };
/** Words without tokens at the beginning and between others, a word of several words of the tokenizer, and a text of more than 128 tokens. */
const ROWS = [
  ...Array.from({ length: 24 }, (_, i) => sentence(i)).map(({ tokens, tags }) => ({ tokens, tags: tags.map((tag) => tag.replace(/person|place/, (type) => TYPES[type]!)) })),
  { tokens: ["\ufffd", "Ana", "O'Neill-Ruiz", "in", "\u0007", "(Lisbon)"], tags: ["O", "B-PER", "I-PER", "O", "O", "B-LOC"] },
  { tokens: Array.from({ length: 150 }, (_, i) => (i % 10 === 0 ? "Lisbon" : "word")), tags: Array.from({ length: 150 }, (_, i) => (i % 10 === 0 ? "B-LOC" : "O")) },
];

let encoder: Encoder;
let folder = "";
beforeAll(async () => {
  encoder = await loadEncoder("models/mtpf-minilm-l6");
  await encoder.addAdapter("wikigold", "models/adapters/wikigold");
  folder = mkdtempSync(join(tmpdir(), "rootstock-served-"));
});
afterAll(() => {
  encoder.dispose();
  rmSync(folder, { recursive: true });
});

test("features under an adapter give, by its own classifier, the tags that are served", async () => {
  const { features, starts, places, labels } = await featuresOf(encoder, "wikigold", TASK, ROWS);
  const tensors = readTensors("models/adapters/wikigold/adapter_model.safetensors");
  const [weight, bias] = ["weight", "bias"].map((name) => tensors.get(`base_model.model.classifier.${name}`)!) as [Float32Array, Float32Array];
  const width = encoder.info.hidden;
  const tagOf = (row: number): string => {
    const logits = Array.from(bias, (start, c) => start + weight.subarray(c * width, (c + 1) * width).reduce((sum, w, k) => sum + w * features[row * width + k], 0));
    return LABELS[logits.indexOf(Math.max(...logits))]!;
  };
  const tags = ROWS.map(({ tokens }, text) => {
    const out = tokens.map(() => "O");
    for (let row: number = starts[text]; row < starts[text + 1]; row++) out[places[row]] = tagOf(row);
    return out;
  });
  const served = await servedPredictions(encoder, "wikigold", TASK, ROWS);
  expect(tags).toEqual(served);
  expect(served.flat().filter((tag: string) => tag !== "O").length).toBeGreaterThan(40);
  expect(Array.from(labels as Int32Array).slice(-1)).toEqual([LABELS.indexOf(ROWS.at(-1)!.tags[places.at(-1)]!)]);
  // What is without tokens, or beyond the longest text, has no feature row.
  expect(Array.from((places as Int32Array).subarray(starts[24], starts[25]))).toEqual([1, 2, 3, 5]);
  expect(starts[26] - starts[25]).toBe(MAX_TOKENS - 2);
});

test("scores of served predictions are those of rootstock eval", async () => {
  const path = join(folder, "test.jsonl");
  writeFileSync(path, ROWS.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const own = score(TASK, ROWS, await servedPredictions(encoder, "wikigold", TASK, ROWS));
  const task = encoder.info.tasks.find(({ name }) => name === "wikigold")!;
  const { report, truncated } = await evaluateTask(encoder, task, path, { maxTokens: MAX_TOKENS, offsets: "utf16", preferTokens: false, signal: new AbortController().signal, onRows: () => undefined });
  expect(truncated).toBe(1);
  expect(report).toMatchObject({ kind: "spans", f1: own.metric, precision: own.precision, recall: own.recall });
});

test("features of texts are what embed gives, bit for bit", async () => {
  const rows = [sentence(1), sentence(2)].map(({ text, label }) => ({ text, label }));
  const { features, labels, starts } = await featuresOf(encoder, null, { kind: "tc", classes: ["stays", "goes"] }, rows);
  const vectors = await encoder.embed(rows.map(({ text }) => text));
  expect(features).toEqual(Float32Array.from(vectors.flatMap((vector) => [...vector])));
  expect([Array.from(labels), Array.from(starts)]).toEqual([[1, 1], [0, 1, 2]]);
});
