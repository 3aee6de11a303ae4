// Training steps at MiniLM's sizes (6 layers, 384 wide, 30,522 words): tokens a second on one core, beside what the operations of a
// step would take at the speed of the products' inner loops, measured in the same run.
//
//   node scripts/build-wasm.mjs && node scripts/build-wasm.mjs ceiling-fixed ceiling-relaxed && npm run build
//   node bench/train.mjs [--rows 256] [--rounds 5] [--only products,adapter,full]     pin it: taskset -c 1 node bench/train.mjs
//
// A step is what one update takes: for every micro-batch of at most `rows` token rows forward, loss and backward; then the gradients'
// norm, AdamW and everything made of the new weights. 64 texts of 32 tokens. Best of the rounds: of the wall clock, and of the
// process' own time, which knows no neighbours.
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { readEncoderConfig } from "../dist/format/encoder-config.js";
import { INT8_PARTS } from "../dist/runtime/load.js";
import { loadParts } from "../dist/runtime/load-encoder.js";
import { fillAdapterModel, planAdapterModel } from "../dist/train/adapter-model.js";
import { adamWStep, clipFactor, gradientNorm } from "../dist/train/adamw.js";
import { planFullModel } from "../dist/train/full-model.js";
import { headBackward, headForward } from "../dist/train/head.js";
import { initialise } from "../dist/train/initial.js";
import { crossEntropyLoss } from "../dist/train/losses.js";
import { startTraining } from "../dist/train/machine.js";
import { zeroGradients } from "../dist/train/parameters.js";
import { backward, beginPass, forward } from "../dist/train/pass.js";
import { refresh } from "../dist/train/refresh.js";
import { printGoal, printTable } from "./table.mjs";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "256" },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "products,adapter,full" },
    encoder: { type: "string", default: "models/minilm-l6" },
  },
});
const rows = Number(values.rows);
const rounds = Number(values.rounds);
const only = new Set(values.only.split(","));
const [TEXTS, LENGTH, CLASSES, HIDDEN, WIDE, LAYERS, RANK, ADAPTED] = [64, 32, 9, 384, 1536, 6, 8, 3];
const TARGETS = ["query", "key", "value", "attentionOutput", "intermediate", "output"];
const GROUP = {
  name: "task", layers: [3, 4, 5], targets: TARGETS, kind: "lora", rank: RANK, alpha: 16,
  head: { classes: CLASSES, through: "token", name: "classifier" },
};

/** Seconds of the fastest call, of the wall clock and of the processor. */
function fastest(run, times) {
  const best = { wall: Infinity, cpu: Infinity };
  for (let i = 0; i < times; i++) {
    const before = process.cpuUsage();
    const start = performance.now();
    run();
    best.wall = Math.min(best.wall, (performance.now() - start) / 1000);
    const { user, system } = process.cpuUsage(before);
    best.cpu = Math.min(best.cpu, (user + system) / 1e6);
  }
  return best;
}

/** Multiply-adds of the inner loops, 2 operations each: f32 of training, int8 of serving. */
function ceilings() {
  const load = (name) => {
    const file = new URL(`../build/wasm/ceiling-${name}.wasm`, import.meta.url);
    if (!existsSync(file)) throw new Error(`no build/wasm/ceiling-${name}.wasm; run: node scripts/build-wasm.mjs ceiling-${name}`);
    const bytes = readFileSync(file);
    return WebAssembly.validate(bytes) ? new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { abort() {} } }).exports : null;
  };
  const relaxed = load("relaxed");
  const module = relaxed ?? load("fixed");
  const count = 400_000;
  const speed = (run, operations) => operations / fastest(run, 20).wall / 1e9;
  return {
    float: speed(() => module.floatCeiling(count), count * 12 * 8),
    int8: relaxed ? speed(() => module.rel2Ceiling(count), count * 6 * 32) : speed(() => module.fixedCeiling(count), count * 6 * 16),
  };
}

/** The three products of a linear layer with all that each packs. */
function products({ train }, at, limit) {
  const table = [];
  for (const [depth, columns] of [[HIDDEN, HIDDEN], [HIDDEN, WIDE], [WIDE, HIDDEN]]) {
    const operations = 2 * rows * depth * columns;
    const padded = Math.ceil(rows / 4) * 16;
    train.packRowPanels(at.w, columns, depth, depth, at.panels);
    train.packColumnPanels(at.w, columns, depth, depth, at.back);
    const ways = {
      "y = xWᵀ": () => train.product(at.x, rows, depth * 4, 4, depth, at.panels, depth * 32, 32, columns, 0, at.y, columns, 0),
      "dX = dY·W": () => train.product(at.y, rows, columns * 4, 4, columns, at.back, columns * 32, 32, depth, 0, at.x, depth, 0),
      "dW += dYᵀX": () => {
        train.transposeRows(at.y, rows, columns, columns, at.turned);
        train.packColumnPanels(at.x, rows, depth, depth, at.inputs);
        train.product(at.turned, columns, padded, 4, rows, at.inputs, rows * 32, 32, depth, 0, at.w, depth, 1);
      },
    };
    table.push([`${depth}×${columns}`, ...Object.values(ways).map((run) => {
      const gflops = operations / fastest(run, 60).wall / 1e9;
      return `${gflops.toFixed(1)} (${((100 * gflops) / limit).toFixed(0)} %)`;
    })]);
  }
  console.log(`\nGFLOPS of the f32 products, ${rows} rows, packing of x and dY included, and the share of the ceiling`);
  printTable(["depth×columns", "y = xWᵀ", "dX = dY·W", "dW += dYᵀX"], table);
}

/** One update over all texts. */
function update(m, model, texts, step) {
  const group = model.groups.get("task");
  zeroGradients(m, model.parameters);
  const perPass = Math.max(1, Math.floor(rows / LENGTH));
  for (let first = 0; first < texts.length; first += perPass) {
    const pass = beginPass(m, model, texts.slice(first, first + perPass), group, null);
    const x = forward(m, pass);
    const labels = Int32Array.from({ length: pass.batch.rows }, (_, row) => row % CLASSES);
    headForward(m, pass, group.head, x, pass.batch.rows);
    crossEntropyLoss(m, group.head.loss, group.head.logits, labels, 1 / (TEXTS * LENGTH));
    headBackward(m, pass, group.head, x, pass.batch.rows);
    backward(m, pass);
  }
  adamWStep(m, model.parameters, step, { learningRate: 1e-4 }, clipFactor(gradientNorm(m, model.parameters), 1));
  refresh(m, model);
}

function report(what, best, needed, goal, limit) {
  const tokens = TEXTS * LENGTH;
  const allowed = 1 / (needed.float / limit.float / 1e9 + needed.int8 / limit.int8 / 1e9);
  console.log(`\n${what}: ${(tokens / best.wall).toFixed(0)} tokens/s (${(tokens / best.cpu).toFixed(0)} by the processor's time)`);
  console.log(`a token: ${(needed.float / 1e6).toFixed(1)} MFLOP in f32, ${(needed.int8 / 1e6).toFixed(1)} MOP in int8; at the ceilings ${allowed.toFixed(0)} tokens/s`);
  printGoal("tokens/s", Math.max(tokens / best.wall, tokens / best.cpu), goal, (value) => value.toFixed(0));
}

const layerWeights = 4 * HIDDEN * HIDDEN + 2 * HIDDEN * WIDE;
/** Operations of one layer's attention for a token: forward 2 products, backward 5 (scores once more, dP, dV, dK, dQ). */
const attentionForward = 4 * LENGTH * HIDDEN;
const attentionBackward = 10 * LENGTH * HIDDEN;
const lowRank = RANK * (4 * 2 * HIDDEN + 2 * (HIDDEN + WIDE));

async function adapterMode(limit) {
  const { machine: { memory, plan }, format } = await loadParts(values.encoder, {}, INT8_PARTS);
  const host = { memory, plan, format };
  const { machine: m, plan: model } = await startTraining((layout) => planAdapterModel(layout, host, { group: GROUP, rows, longest: LENGTH }));
  fillAdapterModel(m, model, host);
  initialise(m, model, model.groups.get("task"), 1);
  const texts = Array.from({ length: TEXTS }, (_, text) => ({ state: Float32Array.from({ length: LENGTH * HIDDEN }, (__, i) => Math.sin(i * 1.7 + text)) }));
  let step = 1;
  update(m, model, texts, step++);
  const best = fastest(() => update(m, model, texts, step++), rounds);
  // The lowest adapted layer makes no gradient of its input: three of its square products less.
  const backwardWeights = ADAPTED * layerWeights - 3 * HIDDEN * HIDDEN;
  report(`Adapter mode, rank ${RANK} on six linear layers of the last ${ADAPTED}, trunk kept, ${(m.memory.bytes / 2 ** 20).toFixed(0)} MiB`, best, {
    int8: 2 * ADAPTED * layerWeights,
    float: 2 * backwardWeights + ADAPTED * (6 * lowRank + attentionForward + attentionBackward),
  }, 2000, limit);
}

async function fullMode(limit) {
  const config = readEncoderConfig(new TextEncoder().encode(JSON.stringify({
    model_type: "bert", vocab_size: 30_522, hidden_size: HIDDEN, num_hidden_layers: LAYERS, num_attention_heads: 12, intermediate_size: WIDE,
    hidden_act: "gelu", max_position_embeddings: 512, type_vocab_size: 2, layer_norm_eps: 1e-12, pad_token_id: 0,
  })));
  const { machine: m, plan: model } = await startTraining((layout) => planFullModel(layout, config, { groups: [GROUP], rows, longest: LENGTH }));
  let seed = 1;
  for (const { name, value, count } of model.parameters) {
    const floats = m.memory.floats(value, count);
    for (let i = 0; i < count; i++) floats[i] = /LayerNorm.weight/.test(name) ? 1 : ((seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0) / 2 ** 31) * 0.035;
  }
  initialise(m, model, model.groups.get("task"), 1);
  const texts = Array.from({ length: TEXTS }, (_, text) => ({ ids: Int32Array.from({ length: LENGTH }, (__, i) => 1000 + ((text * 977 + i * 7919) % 20_000)) }));
  let step = 1;
  update(m, model, texts, step++);
  const best = fastest(() => update(m, model, texts, step++), Math.min(rounds, 3));
  report(`Full mode, all 22.7 million weights and one such adapter, ${(m.memory.bytes / 2 ** 20).toFixed(0)} MiB`, best, {
    int8: 0,
    float: LAYERS * (6 * layerWeights + attentionForward + attentionBackward) + ADAPTED * 6 * lowRank,
  }, 450, limit);
}

const limit = ceilings();
console.log(`${cpus()[0].model}, Node ${process.version}; micro-batches of ${rows} rows`);
console.log(`ceilings ${limit.float.toFixed(1)} GFLOPS f32, ${limit.int8.toFixed(1)} GOPS int8`);
if (only.has("products")) {
  const { machine, plan } = await startTraining((layout) => {
    const floats = (count) => layout.reserve(count * 4);
    return {
      x: floats(rows * WIDE), y: floats(rows * WIDE), w: floats(HIDDEN * WIDE), panels: floats(HIDDEN * WIDE), back: floats(HIDDEN * WIDE),
      turned: floats((rows + 4) * WIDE), inputs: floats(rows * WIDE),
    };
  });
  products(machine, plan, limit.float);
}
if (only.has("adapter")) await adapterMode(limit);
if (only.has("full")) await fullMode(limit);
