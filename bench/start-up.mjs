// Cold start: from process start to the first result, and the memory of that process; best and median of many processes.
//   node bench/start-up.mjs [--onnx model_int8.onnx] [--encoder models/mtpf-minilm-l6] [--runs 11]
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    encoder: { type: "string", default: "models/mtpf-minilm-l6" },
    onnx: { type: "string" },
    runs: { type: "string", default: "11" },
  },
});

const subjects = [{ name: "rootstock", script: "start-up-rootstock.mjs", model: values.encoder }];
if (values.onnx !== undefined) subjects.push({ name: "onnxruntime-web", script: "start-up-onnxruntime.mjs", model: values.onnx });
const samples = new Map(subjects.map(({ name }) => [name, []]));
// In turn, so that a slow spell of the machine meets both.
for (let run = 0; run < Number(values.runs); run++) {
  for (const { name, script, model } of subjects) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const { stdout, stderr, status } = spawnSync(process.execPath, [path, model], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${script}: ${stderr}`);
    samples.get(name).push(JSON.parse(stdout));
  }
}
console.log(`Node ${process.version}; process start to first result, best and median of ${values.runs} processes`);
for (const [name, list] of samples) {
  const ms = list.map((sample) => sample.ms).sort((a, b) => a - b);
  const rss = list.map((sample) => sample.rss / 2 ** 20).sort((a, b) => a - b);
  const median = (sorted) => sorted[sorted.length >> 1];
  console.log(`${name.padEnd(16)} ${ms[0].toFixed(0)} / ${median(ms).toFixed(0)} ms   peak memory ${rss[0].toFixed(0)} / ${median(rss).toFixed(0)} MB`);
}
