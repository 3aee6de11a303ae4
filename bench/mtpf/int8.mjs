// What int8 takes from adapters: each on the whole test set of its task, by the encoder as it is served and by the same encoder in float32.
//
//   node bench/mtpf/int8.mjs --encoder RUN/encoder [--int8 models/mtpf-minilm-l6] [--data ../shared/data]
//                            [--rows N] [--json bench/mtpf/results/int8.json] FOLDER=TASK…     FOLDER: a PEFT folder with a head
//
// The file keeps what it has of other adapters on the same int8 encoder. Fails where int8 loses more than 0.3 points on average over them all, or more than 1.0 of any.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { trainedLength } from "../../dist/cli/trained-length.js";
import { loadEncoder } from "../../dist/index.js";
import { printTable } from "../table.mjs";
import { NO_CAPS, readTask } from "./data.mjs";
import { loadFloat32 } from "./float32.mjs";
import { digest } from "./runs.mjs";
import { score } from "./scores.mjs";
import { servedPredictions } from "./served.mjs";

const [MOST_ON_AVERAGE, MOST_OF_ONE] = [0.003, 0.01];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    encoder: { type: "string" },
    int8: { type: "string", default: "models/mtpf-minilm-l6" },
    data: { type: "string", default: "../shared/data" },
    rows: { type: "string" },
    json: { type: "string" },
  },
});
if (positionals.length === 0 || values.encoder === undefined) throw new Error("give --encoder and adapters, each as FOLDER=TASK");
if (values.json !== undefined && values.rows !== undefined) throw new Error("--json keeps figures of whole test sets; leave out --rows");
const encoderDigest = digest(`${values.int8}/model.safetensors`);
const rounded = await loadEncoder(values.int8);
const exact = await loadFloat32(values.encoder);
const checks = [];
for (const pair of positionals) {
  const [folder, name] = pair.split("=");
  const task = readTask(values.data, name, { ...NO_CAPS, ...(values.rows === undefined ? {} : { test: Number(values.rows) }) });
  const maxTokens = await trainedLength(folder, rounded.info.maxTokens);
  const metricBy = async (encoder) => {
    await encoder.addAdapter("task", folder);
    const predicted = await servedPredictions(encoder, "task", task, task.test, maxTokens);
    await encoder.removeAdapter("task");
    return { predicted, ...score(task, task.test, predicted) };
  };
  const [int8, float32] = [await metricBy(rounded), await metricBy(exact)];
  const agree = int8.predicted.filter((answer, row) => String(answer) === String(float32.predicted[row])).length;
  checks.push({ encoder: encoderDigest, adapter: basename(folder), task: name, rows: task.test.length, float32: float32.metric, int8: int8.metric, agree: agree / task.test.length });
  console.error(`${name}: float32 ${(100 * float32.metric).toFixed(2)}, int8 ${(100 * int8.metric).toFixed(2)}`);
}
const known = values.json !== undefined && existsSync(values.json) ? JSON.parse(readFileSync(values.json, "utf8")) : [];
const kept = known.filter(({ encoder, adapter }) => encoder === encoderDigest && checks.every((check) => check.adapter !== adapter));
const all = [...kept, ...checks].sort((a, b) => (a.adapter < b.adapter ? -1 : 1));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(all, null, 1)}\n`);
const lost = all.map(({ float32, int8 }) => float32 - int8);
const mean = lost.reduce((sum, value) => sum + value, 0) / lost.length;
const points = (value) => (100 * value).toFixed(2);
printTable(["adapter", "task", "rows", "float32", "int8", "lost", "same answer"], all.map(({ adapter, task, rows, float32, int8, agree }) => [adapter, task, rows, points(float32), points(int8), points(float32 - int8), `${points(agree)} %`]));
console.log(`lost on average ${points(mean)} (at most ${points(MOST_ON_AVERAGE)}), of one ${points(Math.max(...lost))} (at most ${points(MOST_OF_ONE)})`);
if (mean > MOST_ON_AVERAGE || Math.max(...lost) > MOST_OF_ONE) process.exitCode = 1;
