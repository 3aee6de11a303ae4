// The multi-task case of tests/golden/train, through the trainer.
import { place } from "../../src/format/json.ts";
import type { UpdateBatch } from "../../src/pretrain/batch.ts";
import { readSettings } from "../../src/pretrain/settings.ts";
import { Trainer } from "../../src/pretrain/trainer.ts";
import type { TrainBuild } from "../../src/train/machine.ts";
import { readParameter, writeParameter } from "../../src/train/parameters.ts";
import type { Peers } from "../../src/train/peers.ts";
import { readTensors } from "../golden/read-tensors.ts";
import { config, FOLDER, given } from "../train/fixture.ts";

/** The case's settings: `ner + 0.5·tc`, AdamW at a constant rate, two groups. */
const SETTINGS = {
  regime: "task-primary", steps: 20, schedule: "constant", warmup: 0, lossWeights: { ner: 1, tc: 0.5 },
  learningRates: { backbone: 1e-3, head: 1e-3, adapters: 1e-3 },
  adapter: { layers: 2, rank: 4, alpha: 8, targets: ["query", "value"] },
  ner: { batchSize: 4 }, pairs: { batchSize: 5, temperature: 0.05, direction: "first" }, maxLength: 12, probe: { every: null },
};

export function settingsOf(change: object = {}) {
  return readSettings({ ...SETTINGS, ...change }, place("settings"));
}

/** The case's batches. */
export const BATCH: { readonly ner: NonNullable<UpdateBatch["ner"]>; readonly tc: NonNullable<UpdateBatch["tc"]> } = {
  ner: given.ner_batch.input_ids.map((ids, text) => {
    const labels = given.ner_batch.labels[text]!;
    const read = labels.flatMap((label, token) => (label >= 0 ? [token] : []));
    return { ids: Int32Array.from(ids), read: Int32Array.from(read), labels: Int32Array.from(read, (token) => labels[token]!), allowed: null };
  }),
  tc: given.tc_batch.a.map((a, pair) => ({ a: Int32Array.from(a), b: Int32Array.from(given.tc_batch.b[pair]!) })),
};

/** A trainer with the case's initial values, as far as its regime has the tensors. */
export async function startTrainer(change: object = {}, options: { readonly build?: TrainBuild; readonly peers?: Peers; readonly signal?: AbortSignal } = {}): Promise<Trainer> {
  const { build, ...rest } = options;
  const machine = build === undefined ? {} : { build };
  const initial = readTensors(`${FOLDER}/initial.safetensors`);
  const trainer = await Trainer.start({ config, settings: settingsOf(change), classes: given.classes, machine, ...rest }, (m, parameters) => {
    for (const [name, values] of initial) if (name.startsWith("backbone/")) writeParameter(m, parameters.get(name), "value", values);
  });
  for (const parameter of trainer.plan.model.parameters) {
    const values = initial.get(parameter.name);
    if (values !== undefined && !parameter.name.startsWith("backbone/")) writeParameter(trainer.machine, parameter, "value", values);
  }
  trainer.refresh();
  return trainer;
}

/** Values of all that is trained, by name. */
export function valuesOf({ machine, plan }: Trainer): Map<string, Float32Array> {
  return new Map([...plan.model.parameters].map((parameter) => [parameter.name, readParameter(machine, parameter, "value")]));
}

export function gradientsOf({ machine, plan }: Trainer): Map<string, Float32Array> {
  return new Map([...plan.model.parameters].map((parameter) => [parameter.name, readParameter(machine, parameter, "gradient")]));
}
