import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadEncoder, type Encoder } from "../../src/index.ts";
import { cosine } from "../encoder/cosine.ts";
import { readTensors } from "../golden/read-tensors.ts";

// What ships, in int8, beside what transformers and PEFT compute with it in float32 (scripts/make-model-goldens.py).
const FOLDER = "tests/golden/models";
const { texts, adapters } = JSON.parse(readFileSync(`${FOLDER}/goldens.json`, "utf8")) as {
  texts: { text: string; input_ids: number[] }[];
  adapters: Record<string, number[][]>;
};
const tensors = readTensors(`${FOLDER}/goldens.safetensors`);
const folders = (path: string): string[] => (existsSync(path) ? readdirSync(path).sort() : []);
const families = folders("models/families");

let encoder: Encoder;

beforeAll(async () => {
  encoder = await loadEncoder("models/mtpf-minilm-l6");
  for (const name of families) await encoder.addAdapter(name, `models/families/${name}`);
});

afterAll(() => encoder.dispose());

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;

it.each(["none", ...families])("vectors of two texts of each task, adapter of the family: %s", async (family) => {
  const golden = tensors.get(`vectors/${family}`)!;
  const hidden = golden.length / texts.length;
  const vectors = await encoder.embed(texts.map(({ text }) => text), { task: family === "none" ? null : family, maxTokens: 256, overflow: "truncate" });
  const cosines = vectors.map((vector, i) => cosine(vector, golden.subarray(i * hidden, (i + 1) * hidden)));
  expect(cosines.length).toBeGreaterThan(40);
  expect(mean(cosines)).toBeGreaterThanOrEqual(0.998);
  expect(Math.min(...cosines)).toBeGreaterThanOrEqual(0.99);
});

it("every adapter that ships has goldens", () => expect(Object.keys(adapters)).toEqual(folders("models/adapters")));

it.each(Object.entries(adapters))("%s: logits of twelve test rows", async (name, rows) => {
  await encoder.addAdapter(name, `models/adapters/${name}`);
  const cosines: number[] = [];
  for (const [i, ids] of rows.entries()) cosines.push(cosine(await encoder.logits(ids, name), tensors.get(`logits/${name}/${i}`)!));
  await encoder.removeAdapter(name);
  expect(cosines.length).toBe(12);
  expect(mean(cosines)).toBeGreaterThan(0.99);
});
