// One PEFT adapter of tests/golden/tiny/bert-adapters, served by the library and trained on in adapter mode.
import { readFileSync } from "node:fs";
import type { LayerLinear } from "../../src/format/types.ts";
import { Encoder } from "../../src/runtime/encoder.ts";
import { INT8_PARTS } from "../../src/runtime/load.ts";
import { loadParts, type LoadedEncoder, type LoadParts } from "../../src/runtime/load-encoder.ts";
import { fillAdapterModel, planAdapterModel } from "../../src/train/adapter-model.ts";
import type { GroupOptions } from "../../src/train/group.ts";
import { startTraining, type TrainMachine } from "../../src/train/machine.ts";
import type { TrainModel } from "../../src/train/pass.ts";
import { writeParameter, type Parameters } from "../../src/train/parameters.ts";
import { refresh } from "../../src/train/refresh.ts";
import { readTensors } from "../golden/read-tensors.ts";
import { someLabels } from "../encoder/gap.ts";

export const BASE = "tests/golden/tiny/bert";
export const ROWS = 120;

/** Tensors of a PEFT file under the names that training gives them. */
export function peftTensors(folder: string): Map<string, Float32Array> {
  const named = new Map<string, Float32Array>();
  for (const [name, values] of readTensors(`${folder}/adapter_model.safetensors`)) {
    named.set(`task/${name.replace("base_model.model.", "").replace("bert.", "").replace(".base_layer.bias", ".bias")}`, values);
  }
  return named;
}

/** The options that `adapter_config.json` stands for. */
export function groupOf(folder: string): GroupOptions {
  const config = JSON.parse(readFileSync(`${folder}/adapter_config.json`, "utf8")) as Record<string, unknown>;
  const tensors = peftTensors(folder);
  const paths: [string, LayerLinear][] = [
    ["attention.self.query", "query"], ["attention.self.key", "key"], ["attention.self.value", "value"],
    ["attention.output.dense", "attentionOutput"], ["intermediate.dense", "intermediate"], ["output.dense", "output"],
  ];
  const slots = [...tensors.keys()].filter((name) => /lora_A|ia3_l/.test(name));
  const partOf = (name: string): LayerLinear => paths.find(([path]) => name.includes(`.${path}.`))![1];
  // PEFT matches by ending, so "output.dense" is the attention's output layer as well.
  const feedforward = (config["feedforward_modules"] as string[] | undefined) ?? [];
  const classes = tensors.get("task/classifier.bias")!.length;
  return {
    name: "task",
    layers: [...new Set(slots.map((name) => Number(/layer\.(\d+)\./.exec(name)![1])))].sort((a, b) => a - b),
    targets: [...new Set(slots.map(partOf))],
    kind: config["peft_type"] === "IA3" ? "ia3" : config["use_dora"] === true ? "dora" : "lora",
    rank: Number(config["r"] ?? 0), alpha: Number(config["lora_alpha"] ?? 0), rsLora: config["use_rslora"] === true,
    feedforward: paths.filter(([path]) => feedforward.some((ending) => path.endsWith(ending))).map(([, part]) => part),
    bias: config["bias"] === "lora_only" ? "targets" : "none",
    head: { classes, through: config["task_type"] === "SEQ_CLS" ? "pooler" : "token", name: "classifier" },
  };
}

export interface Adapted {
  loaded: LoadedEncoder;
  encoder: Encoder;
  machine: TrainMachine;
  model: TrainModel;
}

export function writeAll(machine: TrainMachine, parameters: Parameters, tensors: ReadonlyMap<string, Float32Array>): void {
  for (const [name, values] of tensors) writeParameter(machine, parameters.get(name), "value", values);
}

/** The base encoder with the adapter added as "task", and the same adapter in training. `parts`: float32 instead of int8. */
export async function startAdapter(folder: string, parts?: LoadParts): Promise<Adapted> {
  const loaded = await loadParts(BASE, {}, parts ?? INT8_PARTS);
  const encoder = new Encoder(loaded);
  const group = groupOf(folder);
  await encoder.addAdapter("task", folder, { labels: someLabels(group.head!.classes) });
  const host = { memory: loaded.machine.memory, plan: loaded.machine.plan, format: loaded.format };
  const { machine, plan: model } = await startTraining((layout) => planAdapterModel(layout, host, { group, rows: ROWS }), { start: parts?.start });
  fillAdapterModel(machine, model, host);
  writeAll(machine, model.parameters, peftTensors(folder));
  refresh(machine, model);
  return { loaded, encoder, machine, model };
}
