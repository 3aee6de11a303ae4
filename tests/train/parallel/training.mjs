// A few updates of a tiny BERT over src/train, in full or adapter mode, alone or as one of several peers.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readEncoderConfig } from "../../../dist/format/encoder-config.js";
import { Encoder } from "../../../dist/runtime/encoder.js";
import { INT8_PARTS } from "../../../dist/runtime/load.js";
import { loadParts } from "../../../dist/runtime/load-encoder.js";
import { fillAdapterModel, planAdapterModel } from "../../../dist/train/adapter-model.js";
import { adamWStep, clipFactor, gradientNorm } from "../../../dist/train/adamw.js";
import { drawKey } from "../../../dist/train/dropout.js";
import { planFullModel } from "../../../dist/train/full-model.js";
import { headBackward, headForward } from "../../../dist/train/head.js";
import { initialise } from "../../../dist/train/initial.js";
import { crossEntropyLoss, sumOf } from "../../../dist/train/losses.js";
import { startTraining } from "../../../dist/train/machine.js";
import { readParameter, zeroGradients } from "../../../dist/train/parameters.js";
import { backward, beginPass, forward } from "../../../dist/train/pass.js";
import { shareOf } from "../../../dist/train/peers.js";
import { refresh } from "../../../dist/train/refresh.js";

const ENCODER = "tests/golden/tiny/bert";
const [UPDATES, CLASSES, ROWS, PARTS] = [8, 3, 64, 7];
const DROPOUT = { hidden: 0.1, attention: 0.1, lora: 0.1, classifier: 0.1 };
const GROUP = { name: "task", targets: ["query", "value", "output"], kind: "lora", rank: 4, alpha: 8, head: { classes: CLASSES, through: "token", name: "classifier" } };

/** Ids of a part's texts: 7 parts of 2 texts, drawn from a small vocabulary. */
const textsOf = (part) => [0, 1].map((text) => Array.from({ length: 5 + ((part * 3 + text) % 9) }, (_, i) => 1 + ((part * 53 + text * 29 + i * 7) % 50)));

const MODES = {
  async full() {
    const config = readEncoderConfig(readFileSync(`${ENCODER}/config.json`));
    const { machine, plan: model } = await startTraining((layout) => planFullModel(layout, config, { groups: [{ ...GROUP, layers: [1] }], rows: ROWS }));
    // Any values will do that a layer can work with.
    for (const { name, value, count } of model.parameters) {
      const values = machine.memory.floats(value, count);
      for (let i = 0; i < count; i++) values[i] = /LayerNorm.weight/.test(name) ? 1 : Math.sin(i * 12.9898 + count) * 0.05;
    }
    return { machine, model, passText: (ids) => ({ ids }) };
  },
  async adapter() {
    const loaded = await loadParts(ENCODER, {}, INT8_PARTS);
    const encoder = new Encoder(loaded);
    const host = { memory: loaded.machine.memory, plan: loaded.machine.plan, format: loaded.format };
    const group = { ...GROUP, layers: [host.plan.config.layers - 1] };
    const { machine, plan: model } = await startTraining((layout) => planAdapterModel(layout, host, { group, rows: ROWS }));
    fillAdapterModel(machine, model, host);
    const trunks = new Map();
    return {
      machine, model,
      async passText(ids) {
        const key = ids.join();
        if (!trunks.has(key)) trunks.set(key, (await encoder.hiddenStates(ids, null))[model.firstLayer]);
        return { state: trunks.get(key) };
      },
    };
  },
};

/** @returns a hash of every peer's parameters, losses and gradients; the losses; and the gradients of the first update. */
export async function train(peers, mode) {
  const { machine: m, model, passText } = await MODES[mode]();
  const group = model.groups.get("task");
  initialise(m, model, group, 1);
  const hash = createHash("sha256");
  const losses = [];
  const gradients = [];
  const tokens = Array.from({ length: PARTS }, (_, part) => textsOf(part).flat().length).reduce((sum, count) => sum + count);
  for (let update = 1; update <= UPDATES; update++) {
    zeroGradients(m, model.parameters);
    const loss = new Float32Array(1);
    const [first, end] = shareOf(peers, PARTS);
    for (let part = first; part < end; part++) {
      const texts = await Promise.all(textsOf(part).map(passText));
      const pass = beginPass(m, model, texts, group, { key: drawKey(update, part), rates: DROPOUT });
      const x = forward(m, pass);
      const { rows } = pass.batch;
      headForward(m, pass, group.head, x, rows);
      loss[0] += sumOf(crossEntropyLoss(m, group.head.loss, group.head.logits, Int32Array.from({ length: rows }, (_, row) => (row * part) % CLASSES), 1 / tokens));
      headBackward(m, pass, group.head, x, rows);
      backward(m, pass);
    }
    for (const { gradient, count } of model.parameters) await peers.sum(m.memory.floats(gradient, count));
    await peers.sum(loss);
    losses.push(loss[0] / tokens);
    if (update === 1) gradients.push(...[...model.parameters].map((parameter) => readParameter(m, parameter, "gradient")));
    adamWStep(m, model.parameters, update, { learningRate: 1e-2 }, clipFactor(gradientNorm(m, model.parameters), 1));
    refresh(m, model);
    for (const parameter of model.parameters) for (const part of ["value", "gradient"]) hash.update(readParameter(m, parameter, part));
  }
  return { hash: hash.update(String(losses)).digest("hex"), losses, gradients };
}
