/** The layers of each family: our canonical names beside the module paths of transformers' bare models (BertModel, …). */

import type { EmbeddingTable, EncoderConfig, Family, LayerLinear, LayerNormPart, NormSite, Site } from "./types.ts";

/** A linear layer: weight (out, in), bias (out). */
export interface LinearModule {
  readonly kind: "linear";
  readonly path: string;
  readonly name: string;
  readonly site: Site;
  readonly out: number;
  readonly in: number;
}
/** A LayerNorm: weight and bias (width). */
export interface NormModule {
  readonly kind: "norm";
  readonly path: string;
  readonly name: string;
  readonly site: NormSite;
  readonly width: number;
}
/** An embedding table: weight (rows, width), no bias. */
export interface TableModule {
  readonly kind: "table";
  readonly path: string;
  readonly name: string;
  readonly part: EmbeddingTable;
  readonly rows: number;
  readonly width: number;
}
/** `path`: in the bare model. `name`: canonical, without `.weight`. */
export type EncoderModule = LinearModule | NormModule | TableModule;

/** Name of the bare model inside a task class: `bert.encoder…` in BertForTokenClassification. */
export function classPrefix(family: Family): string {
  return family === "xlm-roberta" ? "roberta" : family;
}

type LayerPaths = Readonly<Record<LayerLinear | LayerNormPart, string>>;

const BERT_LAYER: LayerPaths = {
  query: "attention.self.query",
  key: "attention.self.key",
  value: "attention.self.value",
  attentionOutput: "attention.output.dense",
  attentionNorm: "attention.output.LayerNorm",
  intermediate: "intermediate.dense",
  output: "output.dense",
  outputNorm: "output.LayerNorm",
};
const DISTILBERT_LAYER: LayerPaths = {
  query: "attention.q_lin",
  key: "attention.k_lin",
  value: "attention.v_lin",
  attentionOutput: "attention.out_lin",
  attentionNorm: "sa_layer_norm",
  intermediate: "ffn.lin1",
  output: "ffn.lin2",
  outputNorm: "output_layer_norm",
};
const ALBERT_LAYER: LayerPaths = {
  query: "attention.query",
  key: "attention.key",
  value: "attention.value",
  attentionOutput: "attention.dense",
  attentionNorm: "attention.LayerNorm",
  intermediate: "ffn",
  output: "ffn_output",
  outputNorm: "full_layer_layer_norm",
};

function layerRoot(family: Family, layer: number): string {
  if (family === "distilbert") return `transformer.layer.${layer}`;
  if (family === "albert") return `encoder.albert_layer_groups.0.albert_layers.${layer}`;
  return `encoder.layer.${layer}`;
}

function layerModules(config: EncoderConfig, layer: number): EncoderModule[] {
  const { family, hidden, intermediate } = config;
  const paths = family === "distilbert" ? DISTILBERT_LAYER : family === "albert" ? ALBERT_LAYER : BERT_LAYER;
  const root = layerRoot(family, layer);
  const linear = (part: LayerLinear, out: number, input: number): LinearModule => ({
    kind: "linear", path: `${root}.${paths[part]}`, name: `layer.${layer}.${part}`, site: { layer, part }, out, in: input,
  });
  const norm = (part: LayerNormPart): NormModule => ({
    kind: "norm", path: `${root}.${paths[part]}`, name: `layer.${layer}.${part}`, site: { layer, part }, width: hidden,
  });
  return [
    linear("query", hidden, hidden),
    linear("key", hidden, hidden),
    linear("value", hidden, hidden),
    linear("attentionOutput", hidden, hidden),
    norm("attentionNorm"),
    linear("intermediate", intermediate, hidden),
    linear("output", hidden, intermediate),
    norm("outputNorm"),
  ];
}

/** Rows of the position table as the file has it: RoBERTa's starts with `positionOffset` rows that no token uses. */
export function positionRows(config: EncoderConfig): number {
  return config.maxPositions + config.positionOffset;
}

function embeddingModules(config: EncoderConfig): EncoderModule[] {
  const { family, embeddingSize: width, hidden } = config;
  const table = (part: EmbeddingTable, path: string, rows: number): TableModule => ({
    kind: "table", path: `embeddings.${path}`, name: `embeddings.${part}`, part, rows, width,
  });
  const modules: EncoderModule[] = [
    table("word", "word_embeddings", config.vocabulary),
    table("position", "position_embeddings", positionRows(config)),
  ];
  if (config.typeVocabulary > 0) modules.push(table("type", "token_type_embeddings", config.typeVocabulary));
  modules.push({ kind: "norm", path: "embeddings.LayerNorm", name: "embeddings.norm", site: { layer: null, part: "norm" }, width });
  if (config.projection) {
    const path = family === "albert" ? "encoder.embedding_hidden_mapping_in" : "embeddings_project";
    modules.push({ kind: "linear", path, name: "embeddings.projection", site: { layer: null, part: "projection" }, out: hidden, in: width });
  }
  return modules;
}

/** The pooler of the families that can have one (not DistilBERT, not ELECTRA). */
export function poolerModule(config: EncoderConfig): LinearModule | null {
  const { family, hidden } = config;
  if (family === "distilbert" || family === "electra") return null;
  const path = family === "albert" ? "pooler" : "pooler.dense";
  return { kind: "linear", path, name: "pooler", site: { layer: null, part: "pooler" }, out: hidden, in: hidden };
}

/** Every module with weights except the pooler, in the order of the forward pass. ALBERT's shared layer is layer 0. */
export function encoderModules(config: EncoderConfig): EncoderModule[] {
  const modules = embeddingModules(config);
  for (let layer = 0; layer < config.storedLayers; layer++) modules.push(...layerModules(config, layer));
  return modules;
}

/** Every module that the family can have: `encoderModules`, and the pooler. */
export function allModules(config: EncoderConfig): EncoderModule[] {
  const pooler = poolerModule(config);
  return pooler === null ? encoderModules(config) : [...encoderModules(config), pooler];
}
