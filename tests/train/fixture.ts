// The multi-task case of tests/golden/train: a tiny BERT with two LoRA groups, trained by PyTorch (tests/golden/train/case.json).
import { readFileSync } from "node:fs";
import { readEncoderConfig } from "../../src/format/encoder-config.ts";
import type { EncoderConfig } from "../../src/format/types.ts";
import { contrastiveLoss, planPairs, poolBackward, poolForward, type PairPlace } from "../../src/train/contrastive.ts";
import { planFullModel } from "../../src/train/full-model.ts";
import type { GroupOptions } from "../../src/train/group.ts";
import { headBackward, headForward } from "../../src/train/head.ts";
import { crossEntropyLoss, labelTotal, sumOf } from "../../src/train/losses.ts";
import { startTraining, type TrainBuild, type TrainMachine } from "../../src/train/machine.ts";
import { writeParameter } from "../../src/train/parameters.ts";
import { backward, beginPass, forward, type TrainModel } from "../../src/train/pass.ts";
import { refresh } from "../../src/train/refresh.ts";
import { readTensors } from "../golden/read-tensors.ts";

export const FOLDER = "tests/golden/train";

export interface TrainCase {
  config: object;
  lora: { r: number; alpha: number; layers: number[]; targets: ("query" | "value")[] };
  classes: number;
  ner_batch: { input_ids: number[][]; labels: number[][] };
  tc_batch: { a: number[][]; b: number[][]; temperature: number };
  loss: { ner: number; tc: number };
  backbone_gradient_cosine: { all: number; per_layer: Record<string, number> };
  adamw: { lr: number; betas: [number, number]; eps: number; weight_decay: number; clip_norm: number };
  trajectory: { ner: number; tc: number; grad_norm: number }[];
}

export const given = JSON.parse(readFileSync(`${FOLDER}/case.json`, "utf8")) as TrainCase;
export const config: EncoderConfig = readEncoderConfig(new TextEncoder().encode(JSON.stringify(given.config)));

export interface Fixture {
  machine: TrainMachine;
  model: TrainModel;
  pairs: PairPlace;
}

function group(name: string, classes: number | null): GroupOptions {
  const { r, alpha, layers, targets } = given.lora;
  return {
    name, layers, targets, kind: "lora", rank: r, alpha,
    head: classes === null ? null : { classes, through: "token", name: "classifier" },
  };
}

/** The case in memory, with its initial values. */
export async function startFixture(build?: TrainBuild): Promise<Fixture> {
  const { machine, plan } = await startTraining((layout) => ({
    model: planFullModel(layout, config, { groups: [group("ner", given.classes), group("tc", null)], rows: 80 }),
    pairs: planPairs(layout, 5, config.hidden),
  }), { build });
  for (const [name, values] of readTensors(`${FOLDER}/initial.safetensors`)) writeParameter(machine, plan.model.parameters.get(name), "value", values);
  refresh(machine, plan.model);
  return { machine, ...plan };
}

/** Adds the gradients of `share` times the NER loss, and returns the loss. */
export function nerStep({ machine: m, model }: Fixture, share = 1): number {
  const { input_ids, labels } = given.ner_batch;
  const ner = model.groups.get("ner")!;
  const head = ner.head!;
  const pass = beginPass(m, model, input_ids.map((ids) => ({ ids })), ner, null);
  const x = forward(m, pass);
  headForward(m, pass, head, x, pass.queries.rows);
  const all = labels.flat();
  const scale = 1 / labelTotal(all, {});
  const losses = crossEntropyLoss(m, head.loss, head.logits, all, scale * share);
  headBackward(m, pass, head, x, pass.queries.rows);
  backward(m, pass);
  return sumOf(losses) * scale;
}

/** The same for the loss over pairs. */
export function tcStep({ machine: m, model, pairs }: Fixture, share = 1): number {
  const { a, b, temperature } = given.tc_batch;
  const pass = beginPass(m, model, [...a, ...b].map((ids) => ({ ids })), model.groups.get("tc")!, null);
  poolForward(m, pairs, pass.batch, forward(m, pass), 0);
  const losses = contrastiveLoss(m, pairs, a.length, share / a.length, { temperature, direction: "first" });
  poolBackward(m, pairs, pass.batch, model.work.dState, 0);
  backward(m, pass);
  return sumOf(losses) / a.length;
}
