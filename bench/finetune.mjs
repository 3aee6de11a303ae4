// Adapters trained on the int8 encoder beside those that PEFT trained in float32, with PEFT's settings: test metric, mean over seeds.
//
//   npm run build && node bench/finetune.mjs --encoder CONVERTED [--tasks wikigold,snips_slots,…] [--seeds 1,2,3] [--shared ../shared] [--options JSON]
//   node bench/finetune.mjs --defaults --tasks …     the library's own settings instead of PEFT's, all rows
//   node bench/finetune.mjs --small                  speed and memory: 1,000 rows of 20 tokens, 5 epochs
//
// Data: SHARED/data/TASK/{train,dev,test}.jsonl(.gz) and SHARED/fixtures/adapters/*/{adapter_config,golden}.json. What PEFT's adapters do not
// record (batch size, schedule, weight decay) are the library's defaults. CONVERTED is all-MiniLM-L6-v2, which they were trained on, in int8. Dev chooses the weights; the served adapter is measured on test.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { evaluateTask } from "../dist/cli/evaluate.js";
import { trainAdapter } from "../dist/finetune/index.js";
import { loadEncoder } from "../dist/index.js";
import { printTable } from "./table.mjs";

const { values } = parseArgs({
  options: {
    tasks: { type: "string", default: "wikigold,snips_slots,vader_sentiment,banking77" },
    seeds: { type: "string", default: "1,2,3" },
    shared: { type: "string", default: "../shared" },
    encoder: { type: "string", default: "models/mtpf-minilm-l6" },
    options: { type: "string", default: "{}" },
    rows: { type: "string" },
    defaults: { type: "boolean", default: false },
    small: { type: "boolean", default: false },
    "no-test": { type: "boolean", default: false },
  },
});

const PEFT = {
  wikigold: "wikigold-lora", snips_slots: "snips-slots-lora-all", vader_sentiment: "vader-dora", banking77: "banking77-rslora",
  clinc150: "clinc150-lora-pattern", sms_spam: "sms-spam-ia3",
};
const TARGETS = { query: ["query"], key: ["key"], value: ["value"], "intermediate.dense": ["intermediate"], dense: ["attentionOutput", "intermediate", "output"], "output.dense": ["attentionOutput", "output"] };

/** `hidden_dropout_prob` and `attention_probs_dropout_prob` of the encoder that PEFT trained on. */
const BERT_DROPOUT = 0.1;

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

function readText(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : gunzipSync(readFileSync(`${path}.gz`)).toString("utf8");
}

/** Words and tags of NER rows, as PEFT's adapters were trained and as test is measured; else text and label. */
function readRows(task, set) {
  const lines = readText(`${values.shared}/data/${task}/${set}.jsonl`).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line)).map(({ tokens, tags, text, label }) => (tokens === undefined ? { text, label } : { tokens, tags }));
}

/** The settings of a PEFT adapter in the words of the library, its rows and its metric. */
function peftSettings(task) {
  const folder = `${values.shared}/fixtures/adapters/${PEFT[task]}`;
  const [config, golden] = [readJson(`${folder}/adapter_config.json`), readJson(`${folder}/golden.json`)];
  const isExcluded = (target) => config.exclude_modules === ".*attention.*output.*" && target === "attentionOutput";
  const method = config.peft_type === "IA3" ? "ia3" : config.use_dora ? "dora" : "lora";
  return {
    rows: golden.trained.rows,
    metric: golden.test_metric_f32.span_f1 ?? golden.test_metric_f32.accuracy,
    options: {
      method, rank: config.r, alpha: config.lora_alpha, rsLora: config.use_rslora, dropout: BERT_DROPOUT, loraDropout: config.lora_dropout ?? 0,
      targets: [...new Set(config.target_modules.flatMap((name) => TARGETS[name]))].filter((target) => !isExcluded(target)),
      layers: config.layers_to_transform ?? [0, 1, 2, 3, 4, 5],
      epochs: golden.trained.epochs, learningRate: golden.trained.lr, maxLength: golden.max_length,
    },
  };
}

async function run(encoder, task, seed) {
  const peft = values.defaults || PEFT[task] === undefined ? { rows: Infinity, metric: NaN, options: {} } : peftSettings(task);
  const rows = Math.min(peft.rows, Number(values.rows ?? Infinity));
  const train = readRows(task, "train").slice(0, rows);
  const begin = performance.now();
  let shown = 0;
  const trained = await trainAdapter(encoder, { name: task, train, dev: readRows(task, "dev") }, {
    ...peft.options, ...JSON.parse(values.options), seed,
    onProgress({ phase, epoch, loss, metric, tokensPerSecond, secondsLeft }) {
      if (phase !== "dev" || epoch === shown || metric === null) return;
      shown = epoch;
      console.error(`${task} seed ${seed} epoch ${epoch}: loss ${loss.toFixed(4)}, dev ${metric.toFixed(4)}, ${tokensPerSecond.toFixed(0)} tokens/s, ${secondsLeft.toFixed(0)} s left`);
    },
  });
  const seconds = (performance.now() - begin) / 1000;
  const { best, evaluations, tokens } = trained.history;
  console.error(`${task} seed ${seed} dev by epoch: ${evaluations.map(({ metric }) => metric.toFixed(4)).join(" ")}`);
  const test = values["no-test"] ? NaN : await testOf(encoder, task, trained, peft.options.maxLength ?? 256);
  console.error(`${task} seed ${seed}: dev ${best.metric.toFixed(4)} at step ${best.step}, test ${test.toFixed(4)}, ${tokens} tokens in ${seconds.toFixed(0)} s`);
  return { test, dev: best.metric, peft: peft.metric };
}

/** Through the encoder as it serves. */
async function testOf(encoder, task, trained, maxTokens) {
  const folder = mkdtempSync(join(tmpdir(), "rootstock-finetune-"));
  try {
    const path = join(folder, "test.jsonl");
    writeFileSync(path, readRows(task, "test").map((row) => JSON.stringify(row)).join("\n"));
    await encoder.addAdapter("test", trained, { replace: true });
    const info = encoder.info.tasks.find(({ name }) => name === "test");
    const { report } = await evaluateTask(encoder, info, path, { maxTokens, signal: new AbortController().signal, onRows() {} });
    return report.kind === "spans" ? report.f1 : report.accuracy;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

async function compare() {
  const encoder = await loadEncoder(values.encoder);
  const table = [];
  for (const task of values.tasks.split(",")) {
    const runs = [];
    for (const seed of values.seeds.split(",").map(Number)) runs.push(await run(encoder, task, seed));
    const test = mean(runs.map((one) => one.test));
    const peft = runs[0].peft;
    table.push([task, mean(runs.map(({ dev }) => dev)).toFixed(4), runs.map((one) => one.test.toFixed(4)).join(" "), test.toFixed(4), peft.toFixed(4), `${((test - peft) * 100).toFixed(2)}`]);
  }
  printTable(["task", "dev", "test by seed", "test", "PEFT f32", "points"], table);
}

/** 18 words and two special tokens a row; a label that words decide. */
function smallRows(count) {
  const words = "river stone cloud market winter garden letter engine silver window forest bridge summer candle mirror valley harbor ticket".split(" ");
  return Array.from({ length: count }, (_, row) => ({
    text: words.map((_, i) => words[(row * 7 + i * (1 + (row % 5))) % words.length]).join(" "),
    label: ["a", "b", "c", "d", "e"][row % 5],
  }));
}

async function small() {
  const encoder = await loadEncoder(values.encoder);
  const train = smallRows(1000);
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
  const [begin, cpu] = [performance.now(), process.cpuUsage()];
  const { history } = await trainAdapter(encoder, { name: "small", train, dev: smallRows(100) }, { epochs: 5, ...JSON.parse(values.options) });
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(timer);
  const seconds = (performance.now() - begin) / 1000;
  const most = Math.max(peak, process.resourceUsage().maxRSS * 1024);
  console.log(`Node ${process.version}, ${history.settings.module}: ${train.length} rows, ${history.tokens} tokens in updates`);
  console.log(`${seconds.toFixed(1)} s by the clock, ${((user + system) / 1e6).toFixed(1)} s of processor time; ${(history.tokens / seconds).toFixed(0)} tokens/s; at most ${(most / 2 ** 20).toFixed(0)} MiB resident; dev ${history.best.metric}`);
}

await (values.small ? small() : compare());
