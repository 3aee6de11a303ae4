/**
 * config.json of a Hugging Face encoder. Every field that changes the forward pass is read or, where another value than
 * ours would silently change the maths, refused by name; the rest (dropout, token ids, labels, versions) is ignored.
 */

import { quote, RootstockError } from "../errors.ts";
import { MAX_DEPTH, MAX_DIMENSION, MAX_LAYERS } from "../limits.ts";
import { field, parseJson, place, readChoice, readInteger, readNumber, readObject, type Place } from "./json.ts";
import type { Activation, EncoderConfig, Family } from "./types.ts";

const FAMILIES: readonly Family[] = ["bert", "distilbert", "roberta", "xlm-roberta", "albert", "electra"];

/** transformers' names. The tanh names differ in how they group the constants, not in what they compute. */
const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map([
  ["gelu", "gelu"],
  ["gelu_python", "gelu"],
  ["gelu_new", "gelu-tanh"],
  ["gelu_pytorch_tanh", "gelu-tanh"],
  ["gelu_python_tanh", "gelu-tanh"],
  ["gelu_fast", "gelu-tanh"],
  ["gelu_accurate", "gelu-tanh"],
  ["relu", "relu"],
]);

/** Names under which a family keeps the common sizes. */
interface SizeNames {
  readonly hidden: string;
  readonly layers: string;
  readonly heads: string;
  readonly intermediate: string;
  readonly activation: string;
}

const COMMON: SizeNames = {
  hidden: "hidden_size",
  layers: "num_hidden_layers",
  heads: "num_attention_heads",
  intermediate: "intermediate_size",
  activation: "hidden_act",
};
const DISTILBERT: SizeNames = { hidden: "dim", layers: "n_layers", heads: "n_heads", intermediate: "hidden_dim", activation: "activation" };

/** transformers' default epsilon, and DistilBERT's only one: it is written into the code. */
const DEFAULT_EPSILON = 1e-12;

type Fields = ReadonlyMap<string, unknown>;

/** A value that is neither there nor null. transformers writes null for "not set". */
function present(fields: Fields, key: string): unknown {
  const value = fields.get(key);
  return value === null ? undefined : value;
}

function readFamily(fields: Fields, at: Place): Family {
  const type = present(fields, "model_type");
  const family = FAMILIES.find((name) => name === type);
  if (family === undefined) {
    const found = typeof type === "string" ? `model_type ${quote(type)} is not read` : "model_type is missing";
    throw new RootstockError("family-unsupported", `${at.path}: ${found}; supported: ${FAMILIES.join(", ")}.`);
  }
  return family;
}

/** Fields whose other values mean another network. Absent and null are the default. */
function refuseOtherMaths(fields: Fields, family: Family, hidden: number, at: Place): void {
  const refuse = (key: string, problem: string): never => {
    throw new RootstockError("config-invalid", `${at.path}: ${key}: ${problem}`);
  };
  for (const key of ["is_decoder", "add_cross_attention", "is_encoder_decoder"]) {
    const value = present(fields, key);
    if (value !== undefined && value !== false) refuse(key, "only plain encoders are supported; it must be false.");
  }
  const position = present(fields, "position_embedding_type");
  if (position !== undefined && position !== "absolute") refuse("position_embedding_type", 'only "absolute" is supported.');
  const pruned = present(fields, "pruned_heads");
  if (pruned !== undefined && readObject(pruned, field(at, "pruned_heads")).size > 0) {
    refuse("pruned_heads", "heads of different number a layer are not supported; save the model unpruned.");
  }
  if (present(fields, "quantization_config") !== undefined) {
    refuse("quantization_config", "the weights are quantised already; use the F32, F16 or BF16 checkpoint.");
  }
  if (family === "albert") {
    for (const key of ["num_hidden_groups", "inner_group_num"]) {
      const value = present(fields, key);
      if (value !== undefined && value !== 1) refuse(key, "only 1 is supported (one shared layer).");
    }
  } else if (family !== "electra") {
    const width = present(fields, "embedding_size");
    if (width !== undefined && width !== hidden) refuse("embedding_size", `a ${family} with factorised embeddings is not supported.`);
  }
}

function readActivation(fields: Fields, name: string, family: Family, at: Place): Activation {
  const value = present(fields, name) ?? (family === "albert" ? "gelu_new" : "gelu");
  return ACTIVATIONS.get(readChoice(value, field(at, name), [...ACTIVATIONS.keys()])) as Activation;
}

/** Rows of the position table, and where they start for RoBERTa: position ids count from pad + 1. */
function readPositions(fields: Fields, family: Family, padId: number, at: Place): { maxPositions: number; positionOffset: number } {
  const positionOffset = family === "roberta" || family === "xlm-roberta" ? padId + 1 : 0;
  const rows = readInteger(fields.get("max_position_embeddings"), field(at, "max_position_embeddings"), positionOffset + 1, MAX_DIMENSION);
  return { maxPositions: rows - positionOffset, positionOffset };
}

function readTypeVocabulary(fields: Fields, family: Family, at: Place): number {
  if (family === "distilbert") return 0;
  return readInteger(present(fields, "type_vocab_size") ?? 2, field(at, "type_vocab_size"), 1, MAX_DIMENSION);
}

/**
 * Reads config.json of an encoder. Throws `json-invalid`, `limit-exceeded`, `family-unsupported`, `config-invalid`.
 * Unknown fields are ignored; null means absent.
 */
export function readEncoderConfig(source: Uint8Array | string): EncoderConfig {
  const at = place("config.json", "config-invalid");
  const fields = readObject(parseJson(source, { where: at.path }), at);
  const family = readFamily(fields, at);
  const names = family === "distilbert" ? DISTILBERT : COMMON;
  const size = (name: string, max: number): number => readInteger(fields.get(name), field(at, name), 1, max);
  const hidden = size(names.hidden, MAX_DEPTH);
  const heads = size(names.heads, hidden);
  if (hidden % heads !== 0) {
    throw new RootstockError("config-invalid", `${at.path}: ${names.hidden} ${hidden} is not a multiple of ${names.heads} ${heads}.`);
  }
  refuseOtherMaths(fields, family, hidden, at);
  const layers = size(names.layers, MAX_LAYERS);
  const vocabulary = size("vocab_size", MAX_DIMENSION);
  const factorised = family === "albert" || family === "electra";
  const embeddingSize = factorised ? size("embedding_size", MAX_DEPTH) : hidden;
  const defaultPad = family === "roberta" || family === "xlm-roberta" ? 1 : 0;
  const padId = readInteger(present(fields, "pad_token_id") ?? defaultPad, field(at, "pad_token_id"), 0, vocabulary - 1);
  const epsilon = family === "distilbert" ? DEFAULT_EPSILON : (present(fields, "layer_norm_eps") ?? DEFAULT_EPSILON);
  return {
    family,
    layers,
    storedLayers: family === "albert" ? 1 : layers,
    hidden,
    heads,
    headSize: hidden / heads,
    intermediate: size(names.intermediate, MAX_DEPTH),
    vocabulary,
    ...readPositions(fields, family, padId, at),
    typeVocabulary: readTypeVocabulary(fields, family, at),
    embeddingSize,
    projection: family === "albert" || embeddingSize !== hidden,
    activation: readActivation(fields, names.activation, family, at),
    epsilon: readNumber(epsilon, field(at, "layer_norm_eps"), 1e-30, 1),
    padId,
  };
}
