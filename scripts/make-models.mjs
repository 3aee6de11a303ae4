// Makes the folders of models/ from a run of `rootstock pretrain`: the encoder, converted and calibrated; the two family adapters; an adapter for
// each task of shipped-tasks.mjs, trained from its family's by `rootstock train` on the whole training set and measured on the whole test set.
//
//   npm run build && node scripts/make-models.mjs RUN [--data ../shared/data] [--out build/models] [--work build/model-runs] [--workers 2]
//
// What is there is left as it is, and a training that was ended goes on: repeat the command until it says that all is made.
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { convertRun } from "../bench/mtpf/runs.mjs";
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

function makeFamily(family, what) {
  const folder = `${out}/families/${family}`;
  mkdirSync(folder, { recursive: true });
  for (const file of ADAPTER_FILES.slice(0, 2)) copyFileSync(`${run}/${family}/${file}`, `${folder}/${file}`);
  writeFileSync(`${folder}/README.md`, `# ${family}

The LoRA group that pre-finetuning gave ${what}, for the encoder mtpf-minilm-l6: what a task's adapter begins with
(\`rootstock train --from models/families/${family}\`), and features of its own (\`embed\`, \`hiddenStates\`). It has no head.

How it was made, and from what data: docs/mtpf-tpl.md and NOTICE. The weights are offered under the Apache License 2.0.
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

function rowsOf(task, part) {
  const plain = `${data}/${task}/${part}.jsonl`;
  return existsSync(plain) ? plain : `${plain}.gz`;
}

async function makeAdapter({ task, family, about, licence, source }) {
  const name = adapterName(task);
  const folder = `${out}/adapters/${name}`;
  if (existsSync(`${folder}/README.md`)) return;
  const trained = `${work}/${name}`;
  if (!existsSync(trained)) await rootstock(["train", "--task", name, "--encoder", encoder, "--from", `${out}/families/${family}`, "--data", rowsOf(task, "train"), "--dev", rowsOf(task, "dev"), "--out", trained, "--json"]);
  const { rows, report } = JSON.parse(await rootstock(["eval", "--encoder", encoder, "--adapter", trained, "--data", rowsOf(task, "test"), "--tokens", "--json"]));
  const metric = report.f1 === undefined ? `accuracy **${report.accuracy.toFixed(4)}**, macro F1 ${report.macroF1.toFixed(4)}` : `F1 over exact spans **${report.f1.toFixed(4)}**`;
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

mkdirSync(work, { recursive: true });
await convertRun({ encoder: `${run}/encoder`, int8: encoder }, data);
makeFamily("ner", "entity recognition");
makeFamily("tc", "text classification");
await makeAdapters();
console.error(`all is made in ${out}`);
