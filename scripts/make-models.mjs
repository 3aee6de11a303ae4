// Makes what models/ holds from a run of `rootstock pretrain`: the encoder, converted and calibrated; the two family adapters; an adapter for
// each task of shipped-tasks.mjs, trained from its family's by `rootstock train` on the whole training set and measured on the whole test set;
// and README.md, which lists them.
//
//   npm run build && node scripts/make-models.mjs RUN [--data ../shared/data] [--out build/models] [--work build/model-runs] [--workers 2]
//
// What is there is left as it is, and a training that was ended goes on: repeat the command until it says that all is made.
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { convertRun, digest } from "../bench/mtpf/runs.mjs";
import { adapterName, SHIPPED_TASKS } from "./shipped-tasks.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string", default: "../shared/data" },
    out: { type: "string", default: "build/models" },
    work: { type: "string", default: "build/model-runs" },
    workers: { type: "string", default: "2" },
  },
});
const [run] = positionals;
if (run === undefined) {
  console.error("usage: node scripts/make-models.mjs RUN [--data DIR] [--out DIR] [--work DIR] [--workers N]");
  process.exit(2);
}
const { data, out, work } = values;
const encoder = `${out}/mtpf-minilm-l6`;
const root = path.resolve(import.meta.dirname, "..");
/** What `rootstock train` writes and users load; its history and report quote rows of the data, and stay behind. */
const ADAPTER_FILES = ["adapter_config.json", "adapter_model.safetensors", "config.json"];

/** @throws when what was made so far is of another run */
function checkRun() {
  const own = digest(`${run}/encoder/model.safetensors`);
  const note = `${work}/run.sha256`;
  if (!existsSync(note)) writeFileSync(note, own);
  else if (readFileSync(note, "utf8") !== own) throw new Error(`${work} and ${out} hold what was made of another run than ${run}; give other folders, or remove them`);
}

function makeEncoderCard() {
  const { settings, tokens } = JSON.parse(readFileSync(`${run}/history.json`, "utf8"));
  const { quantization, fingerprint } = JSON.parse(readFileSync(`${encoder}/rootstock.json`, "utf8"));
  writeFileSync(`${encoder}/README.md`, `# mtpf-minilm-l6

A BERT encoder of 6 layers of 384 and 30,522 word pieces in int8: what every adapter here runs on.

- **From** sentence-transformers/all-MiniLM-L6-v2 (Apache License 2.0), whose vocabulary it has.
- **Trained further** by \`rootstock pretrain bench/mtpf/shipped.json --seed ${settings.seed} --workers 2\`: ${grouped(settings.steps)} updates by the losses of entity recognition and of text pairs, ${(tokens / 1e6).toFixed(1)} million
  tokens, each family with a LoRA group of its own (\`families/\`). The float32 encoder that came of it, \`encoder/model.safetensors\` of the run, has the SHA-256
  \`${digest(`${run}/encoder/model.safetensors`)}\`.
- **Converted** by \`rootstock convert\`: 7-bit weights, rounded with calibration (GPTQ) on ${quantization.calibrationTexts} training texts of the 21 tasks, and 8-bit embedding rows. Its fingerprint is
  \`${fingerprint}\`, which adapters trained on it name.
- **Data**: sentences with entities and pairs of texts out of public sets; NOTICE names them and their licences. Training rows of hwu64 and wordnet_supersense are among them, no dev or test row is.
- **What it is worth**: means over 10 entity and 11 text classification tasks, beside the encoder as it came and other ways of training, in docs/mtpf-tpl.md. Without adapters it
  gives sentence vectors (\`embed\`) that pre-finetuning has moved; how well they retrieve was not measured.
- **Language**: English. Texts of up to 512 tokens; it was trained further on at most ${settings.maxLength} of each.

The weights are offered under the Apache License 2.0.
`);
}

function makeFamily(family, what) {
  const folder = `${out}/families/${family}`;
  mkdirSync(folder, { recursive: true });
  for (const file of ADAPTER_FILES.slice(0, 2)) copyFileSync(`${run}/${family}/${file}`, `${folder}/${file}`);
  writeFileSync(`${folder}/README.md`, `# ${family}

The LoRA group that pre-finetuning gave ${what}, for the encoder mtpf-minilm-l6: what a task's adapter begins with
(\`rootstock train --from models/families/${family}\`), and features of its own (\`embed\`, \`hiddenStates\`). It has no head.

Made by the run of which ../../mtpf-minilm-l6/README.md tells; its data and their licences stand in NOTICE. Means over the family's tasks, beside the encoder as it came and
other ways of training, are in docs/mtpf-tpl.md ("shipped"). The weights are offered under the Apache License 2.0.
`);
}

/** @returns {Promise<string>} standard output @throws when it ends with another code than 0 */
function rootstock(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`${root}/dist/cli/main.js`, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const pieces = [];
    child.stdout.on("data", (piece) => pieces.push(piece));
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve(Buffer.concat(pieces).toString()) : reject(new Error(`rootstock ${args.join(" ")} ended with ${code}`))));
  });
}

/** What was measured of an adapter, for the list of them. */
const metricFile = (name) => `${work}/${name}.metric`;
const grouped = (count) => count.toLocaleString("en-US");

function rowsOf(task, part) {
  const plain = `${data}/${task}/${part}.jsonl`;
  return existsSync(plain) ? plain : `${plain}.gz`;
}

async function makeAdapter({ task, family, about, licence, source }) {
  const name = adapterName(task);
  const folder = `${out}/adapters/${name}`;
  if (existsSync(`${folder}/README.md`) && existsSync(metricFile(name))) return;
  const trained = `${work}/${name}`;
  if (!existsSync(trained)) await rootstock(["train", "--task", name, "--encoder", encoder, "--from", `${out}/families/${family}`, "--data", rowsOf(task, "train"), "--dev", rowsOf(task, "dev"), "--offsets", "codepoint", "--out", trained, "--json"]);
  const { rows, report } = JSON.parse(await rootstock(["eval", "--encoder", encoder, "--adapter", trained, "--data", rowsOf(task, "test"), "--tokens", "--json"]));
  const metric = report.f1 === undefined ? `accuracy **${report.accuracy.toFixed(4)}**, macro F1 ${report.macroF1.toFixed(4)}` : `F1 over exact spans **${report.f1.toFixed(4)}**`;
  writeFileSync(metricFile(name), report.f1 === undefined ? `accuracy ${report.accuracy.toFixed(3)}` : `F1 ${report.f1.toFixed(3)}`);
  mkdirSync(folder, { recursive: true });
  for (const file of ADAPTER_FILES) copyFileSync(`${trained}/${file}`, `${folder}/${file}`);
  const card = readFileSync(`${trained}/README.md`, "utf8");
  const result = card.indexOf("## Result\n");
  if (result < 0) throw new Error(`${trained}/README.md has no place for the result`);
  writeFileSync(`${folder}/README.md`, `${card.slice(0, result)}## Data

${about}; ${licence}; from ${source}. The data keep their licence; the weights are offered under the Apache License 2.0.

## Result

On the whole test set, ${rows} rows, by the int8 encoder mtpf-minilm-l6: ${metric}.

${card.slice(result + "## Result\n\n".length)}`);
  console.error(`${folder}: ${metric.replaceAll("*", "")}`);
}

async function makeAdapters() {
  const left = [...SHIPPED_TASKS];
  const next = async () => {
    while (left.length > 0) await makeAdapter(left.shift());
  };
  await Promise.all(Array.from({ length: Number(values.workers) }, next));
}

function makeReadme() {
  const { settings, tokens } = JSON.parse(readFileSync(`${run}/history.json`, "utf8"));
  const { layers, rank } = settings.adapter;
  const adapters = SHIPPED_TASKS.map(({ task, about, licence }) => {
    const name = adapterName(task);
    const { id2label } = JSON.parse(readFileSync(`${out}/adapters/${name}/config.json`, "utf8"));
    const labels = new Set(Object.values(id2label).filter((label) => label !== "O").map((label) => label.replace(/^[BI]-/, "")));
    return `| \`adapters/${name}\` | ${about} | ${labels.size} | ${readFileSync(metricFile(name), "utf8")} | ${licence} |`;
  });
  writeFileSync(`${out}/README.md`, `# Models

| folder | what |
| --- | --- |
| \`mtpf-minilm-l6\` | the encoder (BERT, 6 layers of 384, 30,522 word pieces): sentence-transformers/all-MiniLM-L6-v2, pre-finetuned for entities and text classification, converted to int8 |
| \`families/ner\` | the LoRA group of entity recognition: what an adapter for entities begins with |
| \`families/tc\` | the LoRA group of text classification: what a classifier begins with |

| adapter | task and data | labels | test | licence of the data |
| --- | --- | ---: | --- | --- |
${adapters.join("\n")}

Metrics are of the whole test sets, by the int8 encoder as it is served; F1 is over exact spans. wnut17 is weak: its test has entities and sites that training has not shown. On dev, which
chose it, it has 0.56, as much as adapters of [docs/mtpf-tpl.md](../docs/mtpf-tpl.md) that were trained in fewer epochs and without dropout; on test these have 0.43 to 0.45. \`npx rootstock eval --adapter models/adapters/NAME --data
test.jsonl --tokens\` gives them again. Each adapter folder is what PEFT saves, with the labels in \`config.json\` and a model card that has all settings.

\`MANIFEST\` holds the SHA-256 of every file: \`cd models && sha256sum -c MANIFEST\`.

## How they were made

\`rootstock pretrain bench/mtpf/shipped.json --seed ${settings.seed} --workers 2\` trained the encoder and its two groups: LoRA of rank ${rank} on every linear layer of the last ${layers}, ${grouped(settings.steps)} updates, ${(tokens / 1e6).toFixed(1)} million
tokens (data beside the repository: [bench/mtpf](../bench/mtpf/README.md#the-data)). \`node scripts/make-models.mjs RUN\` converted the encoder (7-bit weights, rounded with calibration on 525 training texts, and 8-bit embedding rows) and
trained the adapters from their family's by \`rootstock train\`. What pre-finetuning is worth and what its data are: [docs/mtpf-tpl.md](../docs/mtpf-tpl.md).

The weights are offered under the Apache License 2.0, as the encoder that they began with; the data keep their own licences: of pre-finetuning [NOTICE](../NOTICE) names them, of an adapter its card.
\`sms-spam\`, \`broad-twitter\`, \`wnut17\` and \`vader-sentiment\` learnt from raw posts, some of them abusive; do not let their answer alone decide over a person.
`);
}

mkdirSync(work, { recursive: true });
checkRun();
await convertRun({ encoder: `${run}/encoder`, int8: encoder }, data);
makeEncoderCard();
makeFamily("ner", "entity recognition");
makeFamily("tc", "text classification");
await makeAdapters();
makeReadme();
console.error(`all is made in ${out}`);
