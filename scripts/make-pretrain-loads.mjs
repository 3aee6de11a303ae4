// Pre-finetunes a tiny encoder and writes what comes of it into tests/golden/pretrain-loads, for transformers and PEFT to load:
//
//   npm run build && node scripts/make-pretrain-loads.mjs && python scripts/make-pretrain-loads.py
//
// The tokenizer is that of tests/golden/peft-loads. The products do not fuse multiply and add, so every engine gives the same files.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readEncoderConfig } from "../dist/format/encoder-config.js";
import { encoderModules } from "../dist/format/encoder-modules.js";
import { safetensorsFile } from "../dist/format/safetensors-writer.js";
import { pretrain } from "../dist/finetune/index.js";
import { drawKey } from "../dist/train/dropout.js";

const FOLDER = "tests/golden/pretrain-loads";

const CONFIG = {
  model_type: "bert", architectures: ["BertModel"], vocab_size: 45, hidden_size: 16, num_hidden_layers: 3, num_attention_heads: 2, intermediate_size: 24, hidden_act: "gelu",
  max_position_embeddings: 24, type_vocab_size: 2, layer_norm_eps: 1e-12, pad_token_id: 0, hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1,
};

const encoded = (value) => new TextEncoder().encode(JSON.stringify(value));

/** An encoder of random weights without a pooler. */
function startFiles() {
  const tensors = [];
  const add = (name, shape, middle, width) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => middle + width * (drawKey(tensors.length, i) / 2 ** 31));
    tensors.push({ name, dtype: "F32", shape, data: new Uint8Array(values.buffer) });
  };
  for (const module of encoderModules(readEncoderConfig(encoded(CONFIG)))) {
    if (module.kind === "table") add(`${module.path}.weight`, [module.rows, module.width], 0, 1);
    else if (module.kind === "norm") add(`${module.path}.weight`, [module.width], 1, 0.2);
    else add(`${module.path}.weight`, [module.out, module.in], 0, 0.5);
    if (module.kind !== "table") add(`${module.path}.bias`, [module.width ?? module.out], 0, 0.2);
  }
  const tokenizer = new Uint8Array(readFileSync("tests/golden/peft-loads/tokenizer.json"));
  return new Map([["config.json", encoded(CONFIG)], ["tokenizer.json", tokenizer], ["model.safetensors", safetensorsFile(tensors, new Map([["format", "pt"]]))]]);
}

const word = (n) => `w${n % 40}`;
const SENTENCES = Array.from({ length: 24 }, (_, row) => Array.from({ length: 3 + (row % 7) }, (__, i) => (row * 7 + i * 13) % 40)).map((numbers) => ({
  tokens: numbers.map(word), tags: numbers.map((n) => (n < 10 ? "B-low" : n < 20 ? "B-next" : "O")),
}));
const PAIRS = Array.from({ length: 24 }, (_, row) => ({ a: [row, row + 3, row * 5].map(word).join(" "), b: [row + 1, row + 4].map(word).join(" ") }));

const { encoder, adapters, history } = await pretrain(startFiles(), { ner: [{ name: "ner", rows: SENTENCES }], pairs: [{ name: "pairs", rows: PAIRS }] }, {
  steps: 12, maxLength: 16, adapter: { layers: 2, rank: 2 }, ner: { batchSize: 6 }, pairs: { batchSize: 6 },
  learningRates: { backbone: 1e-3, head: 1e-2, adapters: 2e-2 }, probe: { every: null }, machine: { build: "train-fixed" },
});
rmSync(FOLDER, { recursive: true, force: true });
for (const [name, files] of new Map([["encoder", encoder], ...adapters])) {
  mkdirSync(`${FOLDER}/${name}`, { recursive: true });
  for (const [file, bytes] of files) writeFileSync(`${FOLDER}/${name}/${file}`, bytes);
}
const { steps } = history;
console.log(`NER loss ${steps[0].ner.toFixed(3)} to ${steps.at(-1).ner.toFixed(3)}, TC loss ${steps[0].tc.toFixed(3)} to ${steps.at(-1).tc.toFixed(3)}`);
