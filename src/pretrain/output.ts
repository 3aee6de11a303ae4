import { BARE_MODEL_METADATA, bareModelConfig } from "../format/bare-model.ts";
import { poolerModule } from "../format/encoder-modules.ts";
import { bytesOf, toFloat16 } from "../format/floats.ts";
import { encoderMetadata } from "../format/manifest.ts";
import { PEFT_ROOT } from "../format/peft-tensors.ts";
import { safetensorsFile, type TensorToWrite } from "../format/safetensors-writer.ts";
import type { EncoderConfig } from "../format/types.ts";
import { BACKBONE } from "../train/full-model.ts";
import { layerModules } from "../train/group.ts";
import { groupOf, readParameter, type Parameter } from "../train/parameters.ts";
import { fingerprint, type StartEncoder } from "./encoder-source.ts";
import type { Trainer } from "./trainer.ts";
import type { PretrainingSettings } from "./types.ts";

/** A folder's files by name. */
export type Files = ReadonlyMap<string, Uint8Array>;

const json = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/**
 * The encoder as Hugging Face's folder of the bare model; a pooler that it came with is left as it was. One that was frozen is the folder that it
 * came in, so that adapters fit both.
 * @throws RootstockError `tensor-value` for a value that F16 does not hold.
 */
export function encoderFiles({ machine, plan }: Trainer, start: StartEncoder, dtype: "F32" | "F16"): Files {
  if (plan.model.isFrozen === true) return new Map([...start.files, ["model.safetensors", start.weights]]);
  const tensors: TensorToWrite[] = [];
  const add = (name: string, shape: readonly number[], values: Float32Array): void => {
    tensors.push({ name, dtype, shape, data: dtype === "F32" ? bytesOf(values) : toFloat16(values, name) });
  };
  for (const parameter of plan.model.parameters.all()) {
    if (groupOf(parameter) === BACKBONE) add(parameter.name.slice(BACKBONE.length + 1), parameter.shape, readParameter(machine, parameter, "value"));
  }
  const pooler = poolerModule(start.config);
  const [weight, bias] = pooler === null ? [null, null] : [start.read(`${pooler.path}.weight`), start.read(`${pooler.path}.bias`)];
  if (pooler !== null && weight !== null && bias !== null) {
    add(`${pooler.path}.weight`, [pooler.out, pooler.in], weight);
    add(`${pooler.path}.bias`, [pooler.out], bias);
  }
  const config = bareModelConfig(start.files.get("config.json")!, start.config.family, dtype);
  return new Map([...start.files, ["config.json", config], ["model.safetensors", safetensorsFile(tensors, BARE_MODEL_METADATA)]]);
}

/**
 * A family's LoRA group as PEFT saves an adapter without a head (FEATURE_EXTRACTION), which names the encoder it goes with.
 * @param group "ner", "tc", or "shared"
 */
export async function adapterFiles({ machine, plan }: Trainer, config: EncoderConfig, settings: PretrainingSettings, group: string, encoder: Files): Promise<Files> {
  const own = [...plan.model.parameters].filter((parameter) => groupOf(parameter) === group && !isHead(parameter));
  const tensors = own.map((parameter): TensorToWrite => ({
    name: `${PEFT_ROOT}${parameter.name.slice(group.length + 1)}`, dtype: "F32", shape: parameter.shape, data: bytesOf(readParameter(machine, parameter, "value")),
  }));
  const metadata = new Map([...BARE_MODEL_METADATA, ...encoderMetadata(await fingerprint(encoder.get("model.safetensors")!))]);
  return new Map([
    ["adapter_config.json", json(adapterConfig(config, settings))],
    ["adapter_model.safetensors", safetensorsFile(tensors, metadata)],
  ]);
}

/** Every field of PEFT's LoraConfig that changes what the adapter does; modules are named whole, so that no ending matches another. */
function adapterConfig(config: EncoderConfig, { adapter }: PretrainingSettings): Record<string, unknown> {
  const { layers, rank, alpha, rsLora, targets } = adapter;
  const numbers = Array.from({ length: layers }, (_, i) => config.layers - layers + i);
  return {
    peft_type: "LORA", task_type: "FEATURE_EXTRACTION", base_model_name_or_path: null, revision: null, auto_mapping: null, inference_mode: true,
    r: rank, lora_alpha: alpha, lora_dropout: 0, use_rslora: rsLora, use_dora: false, bias: "none", lora_bias: false, fan_in_fan_out: false,
    init_lora_weights: true, rank_pattern: {}, alpha_pattern: {}, modules_to_save: null, exclude_modules: null,
    layers_to_transform: null, layers_pattern: null,
    target_modules: numbers.flatMap((layer) => targets.map((part) => layerModules(config, layer).get(part)!.path)),
  };
}

function isHead({ name }: Parameter): boolean {
  return name.includes("/classifier.");
}

/** The NER head and the names of its classes: of use only to go on with the same sources. null where there is none. */
export function headFiles({ machine, plan }: Trainer, classes: readonly string[]): Files | null {
  const own = [...plan.model.parameters].filter(isHead);
  if (own.length === 0) return null;
  const tensors = own.map((parameter): TensorToWrite => ({
    name: parameter.name.slice(parameter.name.indexOf("/") + 1), dtype: "F32", shape: parameter.shape, data: bytesOf(readParameter(machine, parameter, "value")),
  }));
  return new Map([["head.safetensors", safetensorsFile(tensors, BARE_MODEL_METADATA)], ["labels.json", json(classes)]]);
}
