import { describe, expect, it } from "vitest";
import { readEncoderConfig } from "../../src/format/encoder-config.ts";
import type { EncoderConfig } from "../../src/format/types.ts";
import { drawKey, threshold, type Draws, type DropoutRates } from "../../src/train/dropout.ts";
import { planFullModel } from "../../src/train/full-model.ts";
import type { GroupOptions } from "../../src/train/group.ts";
import { headBackward, headForward, type HeadKind } from "../../src/train/head.ts";
import { crossEntropyLoss, sumOf } from "../../src/train/losses.ts";
import { startTraining, type TrainMachine } from "../../src/train/machine.ts";
import { readParameter, zeroGradients } from "../../src/train/parameters.ts";
import { backward, beginPass, forward, type TrainModel } from "../../src/train/pass.ts";
import { refresh } from "../../src/train/refresh.ts";
import { trainBuilds } from "../kernels/instance.ts";
import { Random } from "../kernels/int8-layout.ts";
import { reference } from "../kernels/reference.ts";
import { ACTIVATIONS, crossEntropy, dense, lastState, NO_DROPS, slotNorms, type Drops, type Matrix, type Twin64, type Values } from "./float64-encoder.ts";

const TEXTS = [[3, 7, 6, 12, 5], [9], [4, 4, 16, 2, 11, 8, 0]];
const CLASSES = 3;
const TOKEN: HeadKind = { classes: CLASSES, through: "token", name: "classifier" };

function configOf(change: object = {}): EncoderConfig {
  const json = {
    model_type: "bert", vocab_size: 17, hidden_size: 12, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 21,
    hidden_act: "gelu", max_position_embeddings: 9, type_vocab_size: 2, layer_norm_eps: 1e-6, pad_token_id: 0, ...change,
  };
  return readEncoderConfig(new TextEncoder().encode(JSON.stringify(json)));
}

interface Case {
  what: string;
  group: Partial<GroupOptions>;
  config?: object;
  head?: HeadKind;
  /** Tokens that are read; absent: all. */
  read?: number[];
}

const ALL = ["query", "key", "value", "attentionOutput", "intermediate", "output"] as const;
const CASES: Case[] = [
  { what: "LoRA on every linear layer", group: { kind: "lora", targets: ALL, rank: 3, alpha: 5 } },
  { what: "rsLoRA with biases of the targets, gelu-tanh", group: { kind: "lora", targets: ["query", "output"], rank: 5, alpha: 4, rsLora: true, bias: "targets" }, config: { hidden_act: "gelu_new" } },
  { what: "DoRA on every linear layer", group: { kind: "dora", targets: ALL, rank: 2, alpha: 3 } },
  { what: "DoRA with biases of the targets", group: { kind: "dora", targets: ["value", "intermediate"], rank: 4, alpha: 4, bias: "targets" } },
  { what: "(IA)³ on key, value and the feed-forward's input", group: { kind: "ia3", targets: ["key", "value", "output"] }, config: { hidden_act: "relu" } },
  { what: "the head alone, through the pooler, first tokens read", group: { kind: "none", targets: [], layers: [] }, head: { ...TOKEN, through: "pooler" }, read: [0] },
  {
    what: "a head with a dense layer of its own, first tokens read", group: { kind: "lora", targets: ["query", "value"], rank: 2, alpha: 2 },
    head: { classes: CLASSES, through: { name: "classifier.dense", activation: "gelu" }, name: "classifier.out_proj" },
    read: [0],
  },
  { what: "factorised embeddings (ELECTRA)", group: { kind: "lora", targets: ["key"], rank: 1, alpha: 1 }, config: { model_type: "electra", embedding_size: 8 } },
  { what: "factorised embeddings wider than the feed-forward block", group: { layers: [] }, config: { model_type: "albert", embedding_size: 40 } },
  { what: "one layer that is run twice (ALBERT)", group: { layers: [] }, config: { model_type: "albert", embedding_size: 8 } },
  { what: "positions after the padding's (RoBERTa)", group: { kind: "lora", targets: ["value"], rank: 2, alpha: 2 }, config: { model_type: "roberta", pad_token_id: 1, max_position_embeddings: 11, type_vocab_size: 1 } },
  { what: "no token types (DistilBERT)", group: { kind: "lora", targets: ["query"], rank: 2, alpha: 2 }, config: { model_type: "distilbert", dim: 12, n_layers: 2, n_heads: 3, hidden_dim: 21, activation: "gelu" } },
];

interface Started {
  m: TrainMachine;
  model: TrainModel;
  twin: Twin64;
  values: Map<string, Float64Array>;
}

async function start({ group, config: change, head = TOKEN }: Case, build: (typeof trainBuilds)[number]): Promise<Started> {
  const config = configOf(change);
  const options: GroupOptions = { name: "task", layers: [0, 1], targets: [], kind: "none", head, ...group };
  const { machine: m, plan: model } = await startTraining((layout) => planFullModel(layout, config, { groups: [options], rows: 16, pooler: head.through === "pooler" }), { build });
  const random = new Random(17);
  const values = new Map<string, Float64Array>();
  for (const { name, value, count } of model.parameters) {
    const isScale = /LayerNorm\.weight|magnitude|ia3/.test(name);
    const floats = m.memory.floats(value, count);
    for (let i = 0; i < count; i++) floats[i] = random.float(isScale ? 0.3 : 0.4) + (isScale ? 1 : 0);
    values.set(name, Float64Array.from(floats));
  }
  refresh(m, model);
  const scale = (options.alpha ?? 0) / (options.rsLora ? Math.sqrt(options.rank!) : (options.rank ?? 1));
  const norms = new Map<string, Float64Array>();
  for (const name of values.keys()) {
    if (!name.endsWith(".lora_magnitude_vector")) continue;
    const slot = name.slice(0, -".lora_magnitude_vector".length);
    const path = slot.slice(slot.indexOf("/") + 1);
    norms.set(slot, slotNorms(values.get(`backbone/${path}.weight`)!, values.get(`${slot}.lora_A.weight`)!, values.get(`${slot}.lora_B.weight`)!, options.rank!, scale));
  }
  return { m, model, values, twin: { config, group: "task", scale, norms, feedforward: ["output"] } };
}

/** One label a row that is read, the second ignored. */
function labelsOf(rows: number): number[] {
  return Array.from({ length: rows }, (_, row) => (row === 1 ? -100 : (row * 2 + 1) % CLASSES));
}

/** Loss and gradients of the library. */
function step({ m, model }: Started, read: number[] | undefined, draws: Draws | null = null): number {
  zeroGradients(m, model.parameters);
  const group = model.groups.get("task")!;
  const head = group.head!;
  const pass = beginPass(m, model, TEXTS.map((ids) => (read === undefined ? { ids } : { ids, read })), group, draws);
  const x = forward(m, pass);
  const { rows } = pass.queries;
  headForward(m, pass, head, x, rows);
  const losses = crossEntropyLoss(m, head.loss, head.logits, labelsOf(rows), 1);
  headBackward(m, pass, head, x, rows);
  backward(m, pass);
  return sumOf(losses);
}

const ON_WEIGHTS = 10;
const CLASSIFIER = -3;

/** By rate, keys and count; a loss is asked for hundreds of times with the same draws. */
const FACTORS = new Map<string, Float32Array>();

/** What a pass over TEXTS multiplies with, from the twin of the dropout kernel; `first` is the text's first row. Where all tokens are read. */
function dropsOf({ key, rates }: Draws, text: number, first: number): Drops {
  const factors = (rate: number, key1: number, count: number): Float32Array => {
    const name = [rate, key, key1, count].join();
    if (!FACTORS.has(name)) FACTORS.set(name, reference<Float32Array>("dropout", new Float32Array(count).fill(1), threshold(rate), 1 / (1 - rate), key, key1));
    return FACTORS.get(name)!;
  };
  return {
    rows: (kind, place, x: Matrix) => x.map((row, r) => {
      const all = factors(rates[kind], drawKey(place), (first + x.length) * row.length);
      return row.map((value, k) => value * all[(first + r) * row.length + k]!);
    }),
    weight(layer, head, query, at, keys) {
      const wide = Math.ceil(keys / 8) * 8;
      return factors(rates.attention, (drawKey(layer * 16 + ON_WEIGHTS, text) + Math.imul(head, 0x9e3779b9)) | 0, keys * wide)[query * wide + at]!;
    },
  };
}

/** The same loss in float64. */
function loss64({ twin }: Started, values: Values, { head = TOKEN, read }: Case, draws: Draws | null = null): number {
  let [sum, row] = [0, 0];
  for (const [text, ids] of TEXTS.entries()) {
    const drops = draws === null ? NO_DROPS : dropsOf(draws, text, row);
    let x = lastState(twin, values, ids, drops);
    if (read !== undefined) x = read.map((token) => x[token]!);
    if (head.through === "pooler") x = dense(values, "backbone/pooler.dense", x, Math.tanh);
    else if (head.through !== "token") x = dense(values, `task/${head.through.name}`, x, ACTIVATIONS[head.through.activation]);
    for (const z of dense(values, `task/${head.name}`, drops.rows("classifier", CLASSIFIER, x))) {
      const label = labelsOf(row + 1)[row]!;
      if (label >= 0) sum += crossEntropy(z, label);
      row++;
    }
  }
  return sum;
}

/** Entries of a parameter that are compared: all of small ones, and some of each larger one. */
function entriesOf(count: number, seed: number): number[] {
  const random = new Random(seed + 1);
  return count <= 8 ? Array.from({ length: count }, (_, i) => i) : Array.from({ length: 8 }, () => random.integer(0, count - 1));
}

const RATES: DropoutRates = { hidden: 0.2, attention: 0.3, lora: 0.25, classifier: 0.4 };

describe.each(trainBuilds)("gradients of a whole tiny encoder against differences in float64, %s", (build) => {
  async function compare(given: Case, draws: Draws | null): Promise<void> {
    const started = await start(given, build);
    const { m, model, values } = started;
    const loss = step(started, given.read, draws);
    // No buffer of a pass reaches into the weights.
    for (const parameter of model.parameters) expect(Float64Array.from(readParameter(m, parameter, "value")), parameter.name).toEqual(values.get(parameter.name));
    expect(Math.abs(loss - loss64(started, values, given, draws)) / loss).toBeLessThan(2e-6);
    let compared = 0;
    for (const [at, parameter] of [...model.parameters].entries()) {
      const gradient = readParameter(m, parameter, "gradient");
      const exact = values.get(parameter.name)!;
      for (const i of entriesOf(parameter.count, at)) {
        const value = exact[i]!;
        const at = (x: number): number => {
          exact[i] = x;
          return loss64(started, values, given, draws);
        };
        const slope = (at(value + 1e-5) - at(value - 1e-5)) / 2e-5;
        exact[i] = value;
        expect(Math.abs(gradient[i]! - slope), `${parameter.name}[${i}]: ${gradient[i]} instead of ${slope}`).toBeLessThan(2e-5 * Math.max(1, Math.abs(slope)));
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(150);
  }

  it.each(CASES)("$what", async (given) => compare(given, null));

  it.each(CASES.slice(0, 5))("with dropout everywhere: $what", async (given) => compare(given, { key: 4711, rates: RATES }));

  it.each(Object.entries(RATES))("dropout of %s changes the loss, by another key otherwise, and at rate 0 nothing", async (kind, rate) => {
    const started = await start(CASES[0]!, build);
    const none: DropoutRates = { hidden: 0, attention: 0, lora: 0, classifier: 0 };
    const lossOf = (key: number, rates: DropoutRates): number => step(started, undefined, { key, rates });
    const losses = [lossOf(1, none), lossOf(1, { ...none, [kind]: rate }), lossOf(2, { ...none, [kind]: rate })];
    expect(new Set(losses).size).toBe(3);
    expect([step(started, undefined), lossOf(2, none)]).toEqual([losses[0], losses[0]]);
  });
});
