import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { LoadParts } from "../../src/runtime/load-encoder.ts";
import { adamWStep, gradientNorm } from "../../src/train/adamw.ts";
import { fillAdapterModel, planAdapterModel } from "../../src/train/adapter-model.ts";
import { planFullModel } from "../../src/train/full-model.ts";
import type { GroupOptions } from "../../src/train/group.ts";
import { headBackward, headForward } from "../../src/train/head.ts";
import { initialise } from "../../src/train/initial.ts";
import { crossEntropyLoss, labelTotal, sumOf } from "../../src/train/losses.ts";
import { startTraining, type TrainMachine } from "../../src/train/machine.ts";
import { readParameter, writeParameter, zeroGradients } from "../../src/train/parameters.ts";
import { backward, beginPass, forward, type PassText, type TrainModel } from "../../src/train/pass.ts";
import { refresh } from "../../src/train/refresh.ts";
import { largestGap } from "../encoder/gap.ts";
import { FLOAT32 } from "../float32/encoder.ts";
import { readTensors } from "../golden/read-tensors.ts";
import { relativeGap } from "../kernels/gradients.ts";
import { BASE, groupOf, peftTensors, ROWS, startAdapter, writeAll, type Adapted } from "./adapter-fixture.ts";

const ADAPTERS = "tests/golden/tiny/bert-adapters";
const NAMES = ["lora-token", "lora-seq", "lora-one-layer", "rslora", "dora", "ia3", "ia3-token-ff", "lora-bias-lora-only"];

const TEXTS = (JSON.parse(readFileSync(`${BASE}/golden.json`, "utf8")) as { input_ids: number[][] }).input_ids.slice(0, 4).map((ids) => ids.slice(0, 24));

/** Labels of the rows that the head reads, some ignored. */
function labelsOf(rows: number, classes: number): number[] {
  return Array.from({ length: rows }, (_, row) => (row % 5 === 4 ? -100 : (row * 3 + 1) % classes));
}

/** Loss and gradients of one pass. */
function step(m: TrainMachine, model: TrainModel, texts: readonly PassText[]): number {
  const group = model.groups.get("task")!;
  const head = group.head!;
  const pass = beginPass(m, model, texts.map((text) => (head.usesPooler ? { ...text, read: [0] } : text)), group, null);
  const x = forward(m, pass);
  const { rows } = pass.queries;
  headForward(m, pass, head, x, rows);
  const labels = labelsOf(rows, head.loss.classes);
  const scale = 1 / labelTotal(labels, {});
  const losses = crossEntropyLoss(m, head.loss, head.logits, labels, scale);
  headBackward(m, pass, head, x, rows);
  backward(m, pass);
  return sumOf(losses) * scale;
}

/** The texts as the trunk leaves them. */
async function trunksOf({ encoder, model }: Adapted): Promise<PassText[]> {
  return Promise.all(TEXTS.map(async (ids) => ({ state: (await encoder.hiddenStates(ids, null))[model.firstLayer]! })));
}

function statesOf({ machine: m, model }: Adapted, texts: readonly PassText[]): Float32Array[] {
  const pass = beginPass(m, model, texts, model.groups.get("task")!, null);
  const x = forward(m, pass);
  const { hidden } = model.config;
  return pass.batch.segments.map(({ first, length }) => m.memory.floats(x + first * hidden * 4, length * hidden).slice());
}

describe("adapter mode, int8", () => {
  it.each(NAMES)("%s: the last state has the bits that are served", async (name) => {
    const adapted = await startAdapter(`${ADAPTERS}/${name}`);
    const { encoder, model } = adapted;
    const states = statesOf(adapted, await trunksOf(adapted));
    for (const [text, ids] of TEXTS.entries()) {
      const served = await encoder.forward(ids, "task");
      // Serving takes DoRA's norms in float64, training in float32: g may differ in its last bit, and then a code by one.
      if (name === "dora") expect(largestGap(states[text]!, served)).toBeLessThan(0.02);
      else expect(states[text]).toEqual(served);
    }
    expect(model.firstLayer).toBe(encoder.info.tasks[0]!.firstLayer);
  });

  it.each(["lora-token", "lora-seq"])("%s: the logits are those that are served", async (name) => {
    const adapted = await startAdapter(`${ADAPTERS}/${name}`);
    const { encoder, machine: m, model } = adapted;
    const head = model.groups.get("task")!.head!;
    const texts = await trunksOf(adapted);
    const pass = beginPass(m, model, texts.map((text) => (head.usesPooler ? { ...text, read: [0] } : text)), model.groups.get("task")!, null);
    const x = forward(m, pass);
    headForward(m, pass, head, x, pass.queries.rows);
    for (const [text, { first, length }] of pass.queries.segments.entries()) {
      const { classes } = head.loss;
      const got = m.memory.floats(head.logits + first * classes * 4, length * classes);
      expect(largestGap(got, await encoder.logits(TEXTS[text]!, "task"))).toBeLessThan(2e-6);
    }
  });

  it("trains the adapter and nothing else: the loss falls, and what is trained serves", async () => {
    const adapted = await startAdapter(`${ADAPTERS}/lora-token`);
    const { loaded, encoder, machine: m, model } = adapted;
    const texts = await trunksOf(adapted);
    initialise(m, model, model.groups.get("task")!, 1);
    const before = await encoder.forward(TEXTS[0]!, null);
    expect(statesOf(adapted, texts)[0]).toEqual(before); // B is 0: the adapter changes nothing yet
    const weights = loaded.machine.memory.u8.slice();
    const losses: number[] = [];
    for (let update = 1; update <= 40; update++) {
      zeroGradients(m, model.parameters);
      losses.push(step(m, model, texts));
      expect(Number.isFinite(gradientNorm(m, model.parameters))).toBe(true);
      adamWStep(m, model.parameters, update, { learningRate: 1e-2 }, 1);
      refresh(m, model);
    }
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 3);
    expect(Buffer.compare(loaded.machine.memory.u8, weights)).toBe(0);
  });

  it("a head alone reads the last state, and its gradients are those of the head of a whole adapter", async () => {
    const { loaded, encoder, machine: m, model } = await startAdapter(`${ADAPTERS}/lora-token`);
    const [{ memory, plan }, { format }] = [loaded.machine, loaded];
    const host = { memory, plan, format };
    const group: GroupOptions = { ...groupOf(`${ADAPTERS}/lora-token`), layers: [], kind: "none" };
    const { machine: own, plan: alone } = await startTraining((layout) => planAdapterModel(layout, host, { group, rows: ROWS }));
    expect([...alone.parameters].map(({ name }) => name)).toEqual(["task/classifier.weight", "task/classifier.bias"]);
    fillAdapterModel(own, alone, host);
    for (const parameter of alone.parameters) writeParameter(own, parameter, "value", readParameter(m, model.parameters.get(parameter.name), "value"));
    refresh(own, alone);
    const texts = await Promise.all(TEXTS.map(async (ids) => ({ state: await encoder.forward(ids, "task"), read: [0, 2] })));
    zeroGradients(own, alone.parameters);
    const loss = step(own, alone, texts);
    zeroGradients(m, model.parameters);
    const trunks = await trunksOf({ loaded, encoder, machine: m, model });
    expect(step(m, model, trunks.map((text) => ({ ...text, read: [0, 2] })))).toBe(loss);
    for (const parameter of alone.parameters) {
      expect(readParameter(own, parameter, "gradient")).toEqual(readParameter(m, model.parameters.get(parameter.name), "gradient"));
    }
  });

  it("the same seed gives the same bits, another other ones", async () => {
    const { machine: m, model } = await startAdapter(`${ADAPTERS}/lora-token`);
    const values = (seed: number): Float32Array[] => {
      initialise(m, model, model.groups.get("task")!, seed);
      return [...model.parameters].map((parameter) => readParameter(m, parameter, "value"));
    };
    const first = values(1);
    expect(values(2)).not.toEqual(first);
    expect(values(1)).toEqual(first);
  });
});

describe("adapter mode with float32 weights gives the gradients of full mode, which PyTorch and differences hold", () => {
  it.each(NAMES)("%s", async (name) => {
    const folder = `${ADAPTERS}/${name}`;
    const adapted = await startAdapter(folder, FLOAT32 satisfies LoadParts);
    const { machine: m, model } = adapted;
    zeroGradients(m, model.parameters);
    const loss = step(m, model, await trunksOf(adapted));

    const group = groupOf(folder);
    const { machine: fullMachine, plan: full } = await startTraining((layout) => planFullModel(layout, model.config, { groups: [group], rows: ROWS, pooler: true }));
    const base = [...readTensors(`${BASE}/model.safetensors`)].map(([path, values]) => [`backbone/${path}`, values] as const);
    writeAll(fullMachine, full.parameters, new Map([...base, ...peftTensors(folder)]));
    refresh(fullMachine, full);
    zeroGradients(fullMachine, full.parameters);
    expect(Math.abs(step(fullMachine, full, TEXTS.map((ids) => ({ ids }))) - loss)).toBeLessThan(2e-6);
    const names = [...model.parameters].map((parameter) => parameter.name);
    expect(names.sort()).toEqual([...peftTensors(folder).keys()].sort());
    for (const parameterName of names) {
      const got = readParameter(m, model.parameters.get(parameterName), "gradient");
      expect(relativeGap(got, readParameter(fullMachine, full.parameters.get(parameterName), "gradient")), parameterName).toBeLessThan(2e-5);
    }
  });
});
