// Trains a tiny adapter of each kind and saves it into tests/golden/peft-loads, for PEFT to load:
//
//   npm run build && node scripts/make-peft-loads.mjs && python scripts/make-peft-loads.py
//
// The encoder is tests/golden/peft/base/bert-odd with the tokenizer beside the adapters. The products do not fuse multiply and add, so every
// engine gives the same files.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { trainAdapter } from "../dist/finetune/index.js";
import { parseSafetensorsHeader } from "../dist/format/safetensors.js";
import { safetensorsFile } from "../dist/format/safetensors-writer.js";
import { loadEncoder } from "../dist/index.js";

const FOLDER = "tests/golden/peft-loads";
const BASE = "tests/golden/peft/base/bert-odd";

const words = (row, count) => Array.from({ length: count }, (_, i) => (row * 7 + i * 11) % 40);
const text = (numbers) => numbers.map((n) => `w${n}`).join(" ");
const ROWS = Array.from({ length: 24 }, (_, row) => words(row, 3 + (row % 8)));
const DATA = {
  ner: ROWS.map((numbers) => ({ tokens: numbers.map((n) => `w${n}`), tags: numbers.map((n) => (n < 8 ? "B-LOW" : n > 31 ? "B-HIGH" : "O")) })),
  classification: ROWS.map((numbers) => ({ text: text(numbers), label: numbers[0] < 13 ? "few" : numbers[0] < 26 ? "some" : "many" })),
  "multi-label": ROWS.map((numbers) => ({ text: text(numbers), labels: [...(numbers.includes(7) ? ["seven"] : []), ...(numbers.some((n) => n > 30) ? ["high"] : [])] })),
};

/** Of what each is trained and how. `own pooler`: the encoder has none, so the adapter brings one. */
const CASES = {
  "ner-lora": ["ner", { method: "lora", rank: 4, dropout: 0.1, loraDropout: 0.1 }],
  "ner-dora": ["ner", { method: "dora", rank: 3, targets: ["query", "attentionOutput"], layers: [0, 2] }],
  "ner-ia3": ["ner", { method: "ia3", targets: "all-linear" }],
  "ner-head": ["ner", { method: "head" }],
  "class-rslora": ["classification", { method: "lora", rsLora: true, rank: 6, alpha: 7, targets: "all-linear", layers: 2 }],
  "class-lora-output": ["classification", { method: "lora", rank: 2, targets: ["output"] }],
  "class-ia3": ["classification", { method: "ia3" }],
  "class-head": ["classification", { method: "head" }],
  "class-own-pooler": ["classification", { method: "lora", rank: 2 }],
  "multi-lora": ["multi-label", { method: "lora", rank: 4 }],
};

function encoderFiles(hasPooler) {
  const read = (path) => new Uint8Array(readFileSync(path));
  const model = read(`${BASE}/model.safetensors`);
  return new Map([["config.json", read(`${BASE}/config.json`)], ["tokenizer.json", read(`${FOLDER}/tokenizer.json`)], ["model.safetensors", hasPooler ? model : withoutPooler(model)]]);
}

function withoutPooler(file) {
  const { tensors } = parseSafetensorsHeader(file, file.length, "model.safetensors");
  const kept = [...tensors.values()].filter(({ name }) => !name.startsWith("pooler."));
  return safetensorsFile(kept.map(({ name, dtype, shape, start, end }) => ({ name, dtype, shape, data: file.subarray(start, end) })));
}

const fixed = new Uint8Array(readFileSync("build/wasm/train-fixed.wasm"));
for (const [name, [kind, options]] of Object.entries(CASES)) {
  const encoder = await loadEncoder(encoderFiles(name !== "class-own-pooler"));
  const trained = await trainAdapter(encoder, { name, train: DATA[kind] }, { epochs: 4, batchSize: 6, learningRate: 2e-2, dropout: 0, ...options, wasm: { "train-fixed": fixed, "train-relaxed": fixed } });
  const folder = `${FOLDER}/${name}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  await trained.save(folder);
  // It tells how long training took.
  rmSync(`${folder}/README.md`);
  const { steps } = trained.history;
  console.log(`${name}: loss ${steps[0].loss.toFixed(3)} to ${steps.at(-1).loss.toFixed(3)}`);
  encoder.dispose();
}
