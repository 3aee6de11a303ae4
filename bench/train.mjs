// Training steps at MiniLM's sizes (6 layers, 384 wide, 30,522 words): tokens a second of one worker and of two, beside what the operations
// of a step would take at the speed of the products' inner loops, measured in the same run.
//
//   node scripts/build-wasm.mjs && node scripts/build-wasm.mjs ceiling-fixed ceiling-relaxed && npm run build
//   node bench/train.mjs [--rows 256] [--rounds 5] [--only products,adapter,full] [--workers 2] [--repeats 1]
//
// A step is what one update takes: for every micro-batch of at most `rows` token rows forward, loss and backward; then the gradients'
// norm, AdamW and everything made of the new weights. 64 texts of 32 tokens. Best of the rounds: of the wall clock, and of the
// process' own time, which knows no neighbours. `--repeats` starts all of it anew, where a machine has noisy ones.
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { startTraining } from "../dist/train/machine.js";
import { withPeers } from "../dist/train/parallel/with-peers.js";
import { ADAPTED, fastest, HIDDEN, LAYERS, LENGTH, RANK, TEXTS, WIDE } from "./train-step.mjs";
import { printGoal, printTable, times } from "./table.mjs";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "256" },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "products,adapter,full" },
    workers: { type: "string", default: "2" },
    repeats: { type: "string", default: "1" },
    encoder: { type: "string", default: "models/mtpf-minilm-l6" },
  },
});
const rows = Number(values.rows);
const rounds = Number(values.rounds);
const several = Number(values.workers);
const repeats = Number(values.repeats);
const only = new Set(values.only.split(","));
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

/** The figures of one worker and of several, each a thread. */
async function report(what, job, needed, goal, limit) {
  const tokens = TEXTS * LENGTH;
  const allowed = 1 / (needed.float / limit.float / 1e9 + needed.int8 / limit.int8 / 1e9);
  const speeds = [];
  for (const workers of [1, several]) {
    const best = { wall: Infinity, cpu: Infinity, bytes: 0 };
    for (let time = 0; time < repeats; time++) {
      const { wall, cpu, bytes } = await withPeers(workers, new URL("./train-peer.mjs", import.meta.url), job);
      Object.assign(best, { wall: Math.min(best.wall, wall), cpu: Math.min(best.cpu, cpu), bytes });
    }
    // Of all threads together: waiting takes none of it.
    const speed = { wall: tokens / best.wall, cpu: tokens / (best.cpu / workers) };
    speeds.push(speed);
    console.log(`\n${what}, ${workers === 1 ? "1 worker" : `${workers} workers`}, ${(best.bytes / 2 ** 20).toFixed(0)} MiB each: ${speed.wall.toFixed(0)} tokens/s (${speed.cpu.toFixed(0)} by the processor's time)`);
    console.log(`a token: ${(needed.float / 1e6).toFixed(1)} MFLOP in f32, ${(needed.int8 / 1e6).toFixed(1)} MOP in int8; at the ceilings ${(workers * allowed).toFixed(0)} tokens/s`);
    if (workers === 1) printGoal("tokens/s", Math.max(speed.wall, speed.cpu), goal, (value) => value.toFixed(0));
  }
  const [one, all] = speeds;
  console.log(`${several} workers: ${times(all.wall / one.wall)} by the wall clock, ${times(all.cpu / one.cpu)} by the processor's time`);
  printGoal(`${several} workers`, Math.max(all.wall / one.wall, all.cpu / one.cpu), 0.9 * several);
}

const layerWeights = 4 * HIDDEN * HIDDEN + 2 * HIDDEN * WIDE;
/** Operations of one layer's attention for a token: forward 2 products, backward 5 (scores once more, dP, dV, dK, dQ). */
const attentionForward = 4 * LENGTH * HIDDEN;
const attentionBackward = 10 * LENGTH * HIDDEN;
const lowRank = RANK * (4 * 2 * HIDDEN + 2 * (HIDDEN + WIDE));

async function adapterMode(limit) {
  // The lowest adapted layer makes no gradient of its input: three of its square products less.
  const backwardWeights = ADAPTED * layerWeights - 3 * HIDDEN * HIDDEN;
  await report(`Adapter mode, rank ${RANK} on six linear layers of the last ${ADAPTED}, trunk kept`, { mode: "adapter", rows, rounds, encoder: values.encoder }, {
    int8: 2 * ADAPTED * layerWeights,
    float: 2 * backwardWeights + ADAPTED * (6 * lowRank + attentionForward + attentionBackward),
  }, 2000, limit);
}

async function fullMode(limit) {
  await report("Full mode, all 22.7 million weights and one such adapter", { mode: "full", rows, rounds: Math.min(rounds, 3) }, {
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
