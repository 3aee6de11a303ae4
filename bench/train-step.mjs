// One update of training at MiniLM's sizes (6 layers, 384 wide, 30,522 words), alone or with peers: 64 texts of 32 tokens.
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
import { shareOf } from "../dist/train/peers.js";
import { refresh } from "../dist/train/refresh.js";

export const [TEXTS, LENGTH, CLASSES, HIDDEN, WIDE, LAYERS, RANK, ADAPTED] = [64, 32, 9, 384, 1536, 6, 8, 3];
const TARGETS = ["query", "key", "value", "attentionOutput", "intermediate", "output"];
const GROUP = {
  name: "task", layers: [3, 4, 5], targets: TARGETS, kind: "lora", rank: RANK, alpha: 16,
  head: { classes: CLASSES, through: "token", name: "classifier" },
};

const MODES = {
  async adapter(rows, encoder) {
    const { machine: { memory, plan }, format } = await loadParts(encoder, {}, INT8_PARTS);
    const host = { memory, plan, format };
    const { machine: m, plan: model } = await startTraining((layout) => planAdapterModel(layout, host, { group: GROUP, rows, longest: LENGTH }));
    fillAdapterModel(m, model, host);
    const texts = Array.from({ length: TEXTS }, (_, text) => ({ state: Float32Array.from({ length: LENGTH * HIDDEN }, (__, i) => Math.sin(i * 1.7 + text)) }));
    return { m, model, texts };
  },
  async full(rows) {
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
    const texts = Array.from({ length: TEXTS }, (_, text) => ({ ids: Int32Array.from({ length: LENGTH }, (__, i) => 1000 + ((text * 977 + i * 7919) % 20_000)) }));
    return { m, model, texts };
  },
};

/** Seconds of the fastest call, of the wall clock and of the process' own time. */
export function fastest(run, times) {
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

/** Fastest of some updates, and the memory of one peer in bytes. */
export async function measure(peers, { mode, rows, rounds, encoder }) {
  const { m, model, texts } = await MODES[mode](rows, encoder);
  initialise(m, model, model.groups.get("task"), 1);
  const meet = () => peers.sum(new Float32Array(1));
  let step = 1;
  const run = () => {
    update(m, model, texts, step++, rows, peers);
    meet();
  };
  run();
  return { ...fastest(run, rounds), bytes: m.memory.bytes };
}

/** One update over all texts. */
function update(m, model, texts, step, rows, peers) {
  const group = model.groups.get("task");
  zeroGradients(m, model.parameters);
  const perPass = Math.max(1, Math.floor(rows / LENGTH));
  const [begin, end] = shareOf(peers, texts.length);
  for (let first = begin; first < end; first += perPass) {
    const pass = beginPass(m, model, texts.slice(first, Math.min(end, first + perPass)), group, null);
    const x = forward(m, pass);
    const labels = Int32Array.from({ length: pass.batch.rows }, (_, row) => row % CLASSES);
    headForward(m, pass, group.head, x, pass.batch.rows);
    crossEntropyLoss(m, group.head.loss, group.head.logits, labels, 1 / (TEXTS * LENGTH));
    headBackward(m, pass, group.head, x, pass.batch.rows);
    backward(m, pass);
  }
  for (const { gradient, count } of model.parameters) peers.sum(m.memory.floats(gradient, count));
  adamWStep(m, model.parameters, step, { learningRate: 1e-4 }, clipFactor(gradientNorm(m, model.parameters), 1));
  refresh(m, model);
}
