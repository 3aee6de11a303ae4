import { RootstockError } from "../errors.ts";
import { BARE_MODEL_METADATA, bareModelConfig } from "../format/bare-model.ts";
import { allModules, type EncoderModule } from "../format/encoder-modules.ts";
import { MANIFEST_NAME, readManifest } from "../format/manifest.ts";
import { sentenceFiles } from "../format/sentence-config.ts";
import { writeSafetensors, type TensorToWrite } from "../format/safetensors-writer.ts";
import { MAX_CONFIG_BYTES, MAX_TOKENIZER_BYTES } from "../limits.ts";
import { toSource, type SourceLike } from "../load/source.ts";
import type { EncoderPlan } from "../model/plan.ts";
import { readBias, unpackChannel, type LinearPlace, type TablePlace } from "../model/weight-format.ts";
import { readFile, readOptionalFile } from "../runtime/files.ts";
import { joinParts } from "../runtime/join-parts.ts";
import { INT8_PARTS } from "../runtime/load.ts";
import { loadParts } from "../runtime/load-encoder.ts";
import type { LoadOptions } from "../runtime/options.ts";
import type { LinearMemory } from "../wasm/memory.ts";
import { checkEmptyTarget, writeFolder, type FileToWrite } from "./write-folder.ts";

const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json"];

/**
 * Writes a converted encoder as Hugging Face's folder of the bare model in float32, which transformers and PEFT load: each weight is the number
 * that its code stands for, calibration's factors and bias corrections included. What is trained on it is trained on the weights that serve; only
 * the rounding of activations is left out.
 *
 * @throws RootstockError those of loading; `argument-invalid` when the source is not converted or the target is not empty;
 *   `target-unwritable`. The target is whole or untouched.
 */
export async function exportEncoder(given: SourceLike, target: string, options: Pick<LoadOptions, "signal" | "onProgress"> = {}): Promise<void> {
  checkEmptyTarget(target);
  const { signal } = options;
  const folder = toSource(given);
  const bytes = await readOptionalFile(folder, MANIFEST_NAME, { signal, limit: MAX_CONFIG_BYTES });
  if (bytes === null) throw new RootstockError("argument-invalid", `${folder.location} is not a converted folder: it is in Hugging Face's form already.`);
  const { machine } = await loadParts(folder, options, INT8_PARTS);
  const manifest = readManifest(bytes);
  const source = joinParts(folder, manifest);
  const { memory, plan } = machine;
  const { config } = plan;
  const modules = allModules(config).filter(({ name }) => name !== "pooler" || plan.pooler !== null);
  const tensors = modules.flatMap((module) => tensorsOf(memory, plan, module));
  const files: FileToWrite[] = [];
  for (const name of TOKENIZER_FILES) {
    const bytes = await readOptionalFile(source, name, { signal, limit: MAX_TOKENIZER_BYTES, manifest });
    if (bytes !== null) files.push({ name, parts: [bytes] });
  }
  files.push({ name: "config.json", parts: [bareModelConfig(await readFile(source, "config.json", { signal, limit: MAX_CONFIG_BYTES, manifest }), config.family, "F32")] });
  for (const [name, bytes] of manifest.sentence === undefined ? [] : sentenceFiles(manifest.sentence, config.hidden)) files.push({ name, parts: [bytes] });
  const { header, parts } = writeSafetensors(tensors, BARE_MODEL_METADATA);
  files.push({ name: "model.safetensors", parts: [header, ...parts] });
  signal?.throwIfAborted();
  writeFolder(target, files);
}

function tensorsOf(memory: LinearMemory, plan: EncoderPlan, module: EncoderModule): TensorToWrite[] {
  const tensor = (suffix: string, shape: readonly number[], values: Float32Array): TensorToWrite =>
    ({ name: `${module.path}.${suffix}`, dtype: "F32", shape, data: new Uint8Array(values.buffer) });
  if (module.kind === "table") {
    const { part, rows, width } = module;
    const values = part === "word" ? tableRows(memory, plan.word) : memory.floats(plan[part], rows * width).slice();
    return [tensor("weight", [rows, width], values)];
  }
  if (module.kind === "norm") {
    const { layer, part } = module.site;
    const { gamma, beta } = layer === null ? plan.embeddingNorm : plan.layers[layer]![part];
    return [tensor("weight", [module.width], memory.floats(gamma, module.width).slice()), tensor("bias", [module.width], memory.floats(beta, module.width).slice())];
  }
  const place = linearPlace(plan, module);
  return [tensor("weight", [module.out, module.in], linearRows(memory, place)), tensor("bias", [module.out], readBias(memory, place))];
}

function linearPlace(plan: EncoderPlan, { site }: EncoderModule & { kind: "linear" }): LinearPlace {
  if (site.layer !== null) return plan.layers[site.layer]![site.part];
  return site.part === "pooler" ? plan.pooler! : plan.projection!;
}

function linearRows(memory: LinearMemory, place: LinearPlace): Float32Array {
  const { columns, depth } = place;
  const values = new Float32Array(columns * depth);
  for (let channel = 0; channel < columns; channel++) unpackChannel(memory, place, channel, values.subarray(channel * depth, (channel + 1) * depth));
  return values;
}

function tableRows(memory: LinearMemory, { codes, scales, rows, width }: TablePlace): Float32Array {
  const { i8 } = memory;
  const values = new Float32Array(rows * width);
  for (const [row, scale] of memory.floats(scales, rows).entries()) {
    for (let i = row * width; i < (row + 1) * width; i++) values[i] = i8[codes + i]! * scale;
  }
  return values;
}
