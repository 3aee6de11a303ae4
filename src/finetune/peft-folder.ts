import { bytesOf } from "../format/floats.ts";
import { NO_TARGETS } from "../format/peft-config.ts";
import { encoderMetadata } from "../format/manifest.ts";
import { safetensorsFile } from "../format/safetensors-writer.ts";
import type { EncoderConfig, Fingerprint, LayerLinear } from "../format/types.ts";
import { LINEAR_PARTS } from "../model/plan.ts";
import { layerModules } from "../train/group.ts";
import type { HeadKind } from "../train/head.ts";
import type { Parameters } from "../train/parameters.ts";
import { PeftNames } from "./peft-names.ts";
import type { AdapterShape } from "./settings.ts";
import type { TrainingKind } from "./types.ts";

export interface FolderOptions {
  readonly config: EncoderConfig;
  readonly fingerprint: Fingerprint;
  readonly kind: TrainingKind;
  readonly shape: AdapterShape;
  readonly head: HeadKind;
  readonly loraDropout: number;
  readonly maxLength: number;
  readonly labels: readonly string[];
  readonly parameters: Parameters;
  readonly values: ReadonlyMap<string, Float32Array>;
}

/** The files of a PEFT folder, as PEFT saves them and reads them. */
export function peftFolder(options: FolderOptions): Map<string, Uint8Array> {
  return new Map([
    ["adapter_config.json", json(adapterConfig(options))],
    ["adapter_model.safetensors", weights(options)],
    ["config.json", json(labelConfig(options))],
  ]);
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}

function weights({ config, fingerprint, parameters, values }: FolderOptions): Uint8Array {
  const names = new PeftNames(config);
  const tensors = [...parameters].map(({ name, shape }) => ({ name: names.toFile(name), dtype: "F32" as const, shape, data: bytesOf(values.get(name)!) }));
  return safetensorsFile(tensors, new Map([["format", "pt"], ...encoderMetadata(fingerprint)]));
}

/** What transformers and serving read of the labels, and the length that `rootstock eval` cuts at. `fromEntries` defines own properties, so a label "__proto__" stays one. */
function labelConfig({ kind, labels, maxLength }: FolderOptions): object {
  const type = { ner: undefined, classification: "single_label_classification", "multi-label": "multi_label_classification" }[kind];
  return {
    id2label: Object.fromEntries(labels.map((label, index) => [String(index), label])),
    label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
    ...(type === undefined ? {} : { problem_type: type }),
    max_length: maxLength,
  };
}

function adapterConfig(options: FolderOptions): object {
  const { config, kind, shape, head, loraDropout } = options;
  const { method, rank, alpha, rsLora, layers, biases } = shape;
  const common = {
    task_type: kind === "ner" ? "TOKEN_CLS" : "SEQ_CLS",
    base_model_name_or_path: null,
    modules_to_save: savedModules(head),
    fan_in_fan_out: false,
    inference_mode: true,
  };
  if (method === "ia3") return { peft_type: "IA3", ...common, ...ia3Targets(config, shape), init_ia3_weights: true };
  const lora = { peft_type: "LORA", ...common, r: rank, lora_alpha: alpha, lora_dropout: loraDropout, bias: biases ? "lora_only" : "none", init_lora_weights: true };
  if (method === "head") return { ...lora, target_modules: NO_TARGETS };
  return { ...lora, use_rslora: rsLora, use_dora: method === "dora", layers_to_transform: layers, layers_pattern: "layer", ...loraTargets(config, shape) };
}

/** Modules of the head, which PEFT matches by ending. */
function savedModules({ through, name }: HeadKind): string[] {
  const roots = [...(typeof through === "string" ? [] : [through.name]), name].map((path) => path.split(".", 1)[0]!);
  return [...new Set(roots)];
}

/** A linear layer's path within a transformer layer: "attention.self.query". */
function pathOf(config: EncoderConfig, part: LayerLinear): string {
  return layerModules(config, 0).get(part)!.path.replace(/^.*\blayers?\.\d+\./, "");
}

/** PEFT matches names by ending, so "output.dense" is attention's output layer as well, which may have to be taken out again. */
function loraTargets(config: EncoderConfig, { targets }: AdapterShape): object {
  const wanted = targets.map((part) => pathOf(config, part));
  const others = LINEAR_PARTS.filter((part) => !targets.includes(part)).map((part) => pathOf(config, part));
  const caught = others.filter((path) => wanted.some((target) => path.endsWith(`.${target}`)));
  return { target_modules: wanted, exclude_modules: caught.length === 0 ? null : `.*\\.(${caught.map(escaped).join("|")})` };
}

/** (IA)³ has no list of layers, so they are part of the names' pattern. */
function ia3Targets(config: EncoderConfig, { targets, feedforward, layers }: AdapterShape): object {
  const pattern = (parts: readonly LayerLinear[]): string => `.*\\.layer\\.(${layers.join("|")})\\.(${parts.map((part) => escaped(pathOf(config, part))).join("|")})`;
  const inputs = targets.filter((part) => feedforward.includes(part));
  return { target_modules: pattern(targets), feedforward_modules: inputs.length === 0 ? [] : pattern(inputs) };
}

function escaped(path: string): string {
  return path.replaceAll(".", "\\.");
}
