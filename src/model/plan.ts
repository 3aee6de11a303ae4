import { positionRows } from "../format/encoder-modules.ts";
import type { EncoderConfig, LayerLinear, LayerNormPart } from "../format/types.ts";
import type { Address } from "../wasm/kernels.ts";
import type { Layout } from "../wasm/memory.ts";
import { channelBytes, type LinearPlace, type TablePlace, type WeightFormat } from "./weight-format.ts";

/** The six linear layers of a transformer layer, in the order of the forward pass. */
export const LINEAR_PARTS: readonly LayerLinear[] = ["query", "key", "value", "attentionOutput", "intermediate", "output"];
export const NORM_PARTS: readonly LayerNormPart[] = ["attentionNorm", "outputNorm"];

/** Where a LayerNorm's weight and bias lie, `width` f32 each. */
export interface NormPlace {
  readonly gamma: Address;
  readonly beta: Address;
}

export type LayerPlan = Readonly<Record<LayerLinear, LinearPlace> & Record<LayerNormPart, NormPlace>>;

/** Inputs whose channels calibration may scale: those that come out of a LayerNorm, where channels differ most. */
export const SCALED_INPUTS = { attention: "query", intermediate: "intermediate" } as const;

/** Where every weight of an encoder lies in linear memory. */
export interface EncoderPlan {
  readonly config: EncoderConfig;
  /** 8-bit rows, vocabulary × embeddingSize. */
  readonly word: TablePlace;
  /** f32, all positions of the file × embeddingSize, positionOffset included. */
  readonly position: Address;
  /** f32, typeVocabulary × embeddingSize; 0 for families without token types. */
  readonly type: Address;
  readonly embeddingNorm: NormPlace;
  /** embeddingSize → hidden, for factorised embeddings (ALBERT, ELECTRA). */
  readonly projection: LinearPlace | null;
  /** One entry a layer; ALBERT's are all the same object. */
  readonly layers: readonly LayerPlan[];
  readonly pooler: LinearPlace | null;
}

/** Reserves an address for every weight. */
export function planEncoder(
  config: EncoderConfig,
  hasPooler: boolean,
  format: WeightFormat,
  layout: Layout,
): EncoderPlan {
  const { hidden, embeddingSize, intermediate } = config;
  const floats = (count: number): Address => layout.reserve(count * 4);
  const linear = (columns: number, depth: number, inputScale = 0): LinearPlace => ({
    panels: layout.reserve(format.panelBytes(columns, depth)),
    channels: layout.reserve(channelBytes(columns)),
    columns,
    depth,
    inputScale,
  });
  const norm = (width: number): NormPlace => ({ gamma: floats(width), beta: floats(width) });
  const layer = (): LayerPlan => {
    const attentionScale = floats(hidden);
    return {
      query: linear(hidden, hidden, attentionScale),
      key: linear(hidden, hidden, attentionScale),
      value: linear(hidden, hidden, attentionScale),
      attentionOutput: linear(hidden, hidden),
      attentionNorm: norm(hidden),
      intermediate: linear(intermediate, hidden, floats(hidden)),
      output: linear(hidden, intermediate),
      outputNorm: norm(hidden),
    };
  };
  const word: TablePlace = {
    codes: layout.reserve(config.vocabulary * format.tableRowBytes(embeddingSize)),
    scales: floats(config.vocabulary),
    rows: config.vocabulary,
    width: embeddingSize,
  };
  const position = floats(positionRows(config) * embeddingSize);
  const type = config.typeVocabulary > 0 ? floats(config.typeVocabulary * embeddingSize) : 0;
  const embeddingNorm = norm(embeddingSize);
  const projection = config.projection ? linear(hidden, embeddingSize) : null;
  const stored = Array.from({ length: config.storedLayers }, layer);
  const layers = Array.from({ length: config.layers }, (_, index) => stored[index % stored.length]!);
  const pooler = hasPooler ? linear(hidden, hidden) : null;
  return { config, word, position, type, embeddingNorm, projection, layers, pooler };
}
