/** Matches the tensors of an encoder's file with the modules of its configuration: none missing, none unaccounted for. */

import { quote, RootstockError } from "../errors.ts";
import { classPrefix, encoderModules, poolerModule, type EncoderModule } from "./encoder-modules.ts";

import type { EncoderConfig, EncoderTensors, TensorInfo } from "./types.ts";

/**
 * What task checkpoints carry beside an encoder without the prefix of a class: heads of masked-language models, pre-training,
 * classification, question answering and multiple choice. They are not read. In a checkpoint with the prefix nothing outside of it is:
 * a class of one's own may have any name there (`linear` of ColBERT, `crf.transitions`), and transformers passes over it as well.
 */
const HEADS = new RegExp(
  "^(cls|lm_head|classifier|pre_classifier|qa_outputs|vocab_transform|vocab_layer_norm|vocab_projector|predictions|" +
    "sop_classifier|discriminator_predictions|generator_predictions|generator_lm_head|sequence_summary)\\.",
);

/** Buffers of 0, 1, 2, … and of zeros that older versions of transformers saved. */
const BUFFERS = /^embeddings\.(position_ids|token_type_ids)$/;

/** LayerNorms of checkpoints converted from TensorFlow keep its names; transformers renames them on load as well. */
function modernName(path: string): string {
  return path.replace(/(LayerNorm)\.gamma$/, "$1.weight").replace(/(LayerNorm)\.beta$/, "$1.bias");
}

/** The table that every family has, and under one name. */
const WORD_TABLE = "embeddings.word_embeddings.weight";

/** Tensors of the bare model by path, heads and buffers left out. `prefix` is stripped where the file's encoder has it. */
function bareTensors(tensors: ReadonlyMap<string, TensorInfo>, prefix: string, where: string): Map<string, TensorInfo> {
  const prefixed = !tensors.has(WORD_TABLE) && [...tensors.keys()].some((name) => name.startsWith(prefix));
  const bare = new Map<string, TensorInfo>();
  for (const [name, tensor] of tensors) {
    if (prefixed && !name.startsWith(prefix)) continue;
    const path = modernName(prefixed ? name.slice(prefix.length) : name);
    if (BUFFERS.test(path) || (!prefixed && HEADS.test(path))) continue;
    if (bare.has(path)) throw new RootstockError("tensor-unexpected", `${where}: ${quote(name)} is there twice under two names.`);
    bare.set(path, tensor);
  }
  return bare;
}

function unexpected(name: string, where: string): RootstockError {
  return new RootstockError(
    "tensor-unexpected",
    `${where}: the tensor ${quote(name)} is no part of the encoder that config.json describes; check that both are of one model.`,
  );
}

/** Shapes of a module's tensors by suffix. */
function shapes(module: EncoderModule): [string, number[]][] {
  switch (module.kind) {
    case "linear": return [["weight", [module.out, module.in]], ["bias", [module.out]]];
    case "norm": return [["weight", [module.width]], ["bias", [module.width]]];
    case "table": return [["weight", [module.rows, module.width]]];
  }
}

/** Refuses a tensor that is not of the shape, or not of a floating-point type that is read. */
export function checkTensor(tensor: TensorInfo, shape: readonly number[], where: string): void {
  if (tensor.shape.length !== shape.length || tensor.shape.some((dimension, i) => dimension !== shape[i])) {
    throw new RootstockError(
      "tensor-shape",
      `${where}: ${quote(tensor.name)} is [${tensor.shape.join(", ")}], the configuration says [${shape.join(", ")}].`,
    );
  }
  checkDtype(tensor, where);
}

/** Throws `tensor-dtype` unless the tensor is F32, F16 or BF16. */
export function checkDtype(tensor: TensorInfo, where: string): void {
  if (tensor.dtype !== "F32" && tensor.dtype !== "F16" && tensor.dtype !== "BF16") {
    throw new RootstockError("tensor-dtype", `${where}: ${quote(tensor.name)} is ${tensor.dtype}; weights are read as F32, F16 or BF16.`);
  }
}

/** What to do about a tensor that is not there. */
function hint(tensors: ReadonlyMap<string, TensorInfo>): string {
  const isConverted = [...tensors.keys()].some((name) => name.endsWith(".panels"));
  return isConverted ? "the weights are of the converted form, so rootstock.json must be beside them" : "check that config.json and the weights are of one model";
}

/**
 * The encoder's tensors under canonical names (see EncoderTensors). Throws `tensor-missing`, `tensor-unexpected`,
 * `tensor-shape`, `tensor-dtype`. The pooler may be absent.
 */
export function resolveEncoderTensors(
  config: EncoderConfig,
  tensors: ReadonlyMap<string, TensorInfo>,
  where = "model.safetensors",
): EncoderTensors {
  const bare = bareTensors(tensors, `${classPrefix(config.family)}.`, where);
  const resolved = new Map<string, TensorInfo>();
  const take = (module: EncoderModule): void => {
    for (const [suffix, shape] of shapes(module)) {
      const path = `${module.path}.${suffix}`;
      const tensor = bare.get(path);
      if (tensor === undefined) {
        throw new RootstockError(
          "tensor-missing",
          `${where}: the tensor ${quote(path)} is not there; ${hint(tensors)}.`,
        );
      }
      checkTensor(tensor, shape, where);
      resolved.set(`${module.name}.${suffix}`, tensor);
      bare.delete(path);
    }
  };
  for (const module of encoderModules(config)) take(module);
  const poolerOfFamily = poolerModule(config);
  const pooler = poolerOfFamily !== null && [...bare.keys()].some((path) => path.startsWith(`${poolerOfFamily.path}.`));
  if (poolerOfFamily !== null && pooler) take(poolerOfFamily);
  for (const tensor of bare.values()) throw unexpected(tensor.name, where);
  return { tensors: resolved, pooler };
}
