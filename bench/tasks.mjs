// Many tasks over many texts, through the public names, beside the peers; every comparison interleaved in this process.
//   node bench/tasks.mjs [--onnx model_int8.onnx] [--sections A,B,C,D,E,F] [--rounds 15] [--texts FILE] [--json FILE]
// Pin the process to one core (`npm run bench -- --only tasks` does). How to read the tables: bench/README.md.
import { appendFileSync } from "node:fs";
import { cpus } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { loadEncoder } from "../dist/index.js";
import { LAYERS, lastLayers } from "./peers/make-adapters.mjs";
import { openTexts, RAGGED } from "./peers/texts.mjs";
import { token, withTasks } from "./tasks/add-tasks.mjs";
import { eightTasks, fourTasks } from "./tasks/against-peers.mjs";
import { coalescing } from "./tasks/coalescing.mjs";
import { costOfTasks } from "./tasks/cost-of-tasks.mjs";
import { mixedAdapters } from "./tasks/mixed-adapters.mjs";
import { raggedness } from "./tasks/ragged.mjs";

const SECTIONS = {
  A: ["four tasks over a ragged batch, beside peers", fourTasks],
  B: ["eight tasks, beside native onnxruntime", eightTasks],
  C: ["cost of N tasks", costOfTasks],
  D: ["mixed adapters", mixedAdapters],
  E: ["ragged and even batches", raggedness],
  F: ["calls at once", coalescing],
};

const { values } = parseArgs({
  options: {
    encoder: { type: "string", default: "models/mtpf-minilm-l6" },
    kernel: { type: "string" },
    onnx: { type: "string" },
    texts: { type: "string", default: "tests/golden/text/minilm.jsonl.gz" },
    sections: { type: "string", default: Object.keys(SECTIONS).join(",") },
    rounds: { type: "string", default: "15" },
    /** One line of JSON is added a run, so that runs on several engines share a file. */
    json: { type: "string" },
  },
});

const encoder = await loadEncoder(values.encoder, values.kernel === undefined ? {} : { kernel: values.kernel });
const { take } = openTexts(values.texts, values.encoder);
await checkModel();
const context = {
  encoder,
  take,
  folder: values.encoder,
  onnx: values.onnx === undefined ? undefined : resolve(values.onnx),
  rounds: Number(values.rounds),
};

console.log(`Node ${process.version}, kernel ${encoder.info.kernel}, ${cpus()[0].model}`);
const sections = {};
for (const key of values.sections.split(",")) {
  if (!(key in SECTIONS)) throw new Error(`--sections ${key}: there are ${Object.keys(SECTIONS).join(", ")}.`);
  const [title, run] = SECTIONS[key];
  console.log(`\n### ${key}: ${title}`);
  sections[key] = await run(context);
}
if (values.json !== undefined) {
  const run = { date: new Date().toISOString(), node: process.version, kernel: encoder.info.kernel, cpu: cpus()[0].model, rounds: context.rounds };
  appendFileSync(values.json, `${JSON.stringify({ ...run, sections })}\n`);
}
encoder.dispose();
process.exit(0);

/** The ragged batch has to have as many tokens for Rootstock as for the peers, and the adapters have to fit. */
async function checkModel() {
  if (encoder.info.layers !== LAYERS) throw new Error(`the adapters of this benchmark are made for ${LAYERS} layers, ${values.encoder} has ${encoder.info.layers}.`);
  await withTasks(encoder, [{ ...token, layers: lastLayers(1) }], async (tasks) => {
    const texts = take(RAGGED);
    const results = await encoder.runBatch(texts.map(({ text }) => ({ text, tasks })), { aggregation: "none", ignoreLabels: [] });
    for (const [index, result] of results.entries()) {
      const tokens = result[tasks[0]].length + 2; // the special tokens are no entities
      if (tokens !== RAGGED[index]) throw new Error(`text ${index} has ${RAGGED[index]} tokens for the peers, ${tokens} for Rootstock.`);
    }
  });
}
