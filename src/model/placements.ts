import { positionRows } from "../format/encoder-modules.ts";
import type { Dtype } from "../format/types.ts";
import type { Address } from "../wasm/kernels.ts";
import { LINEAR_PARTS, NORM_PARTS, SCALED_INPUTS, type EncoderPlan, type NormPlace } from "./plan.ts";
import { channelBytes, packedBytes, type LinearPlace } from "./weight-format.ts";

/** A tensor of a converted encoder: its name in the file, and the bytes of linear memory that are its content. */
export interface Placement {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly address: Address;
  readonly bytes: number;
}

/**
 * The converted form: every weight of the plan as it lies in linear memory. Writing one is reading these bytes out,
 * loading one is copying them in.
 *
 * - `….panels` U8: 7-bit weights in the kernels' order · `….channels` U8: scale, bias and sum of each output channel
 * - `….inputScale` F32: what the rows are multiplied by before they are quantised
 * - `embeddings.word.codes` I8, `embeddings.word.scales` F32 · positions, types and LayerNorms F32
 */
export function placements(plan: EncoderPlan): Placement[] {
  const { config, word } = plan;
  const { embeddingSize } = config;
  const list: Placement[] = [];
  const floats = (name: string, address: Address, ...shape: number[]): void => {
    list.push({ name, dtype: "F32", shape, address, bytes: 4 * shape.reduce((a, b) => a * b, 1) });
  };
  const norm = (name: string, place: NormPlace, width: number): void => {
    floats(`${name}.weight`, place.gamma, width);
    floats(`${name}.bias`, place.beta, width);
  };
  const linear = (name: string, place: LinearPlace): void => {
    const terms = channelBytes(place.columns);
    const panels = packedBytes(place.columns, place.depth);
    list.push({ name: `${name}.channels`, dtype: "U8", shape: [terms], address: place.channels, bytes: terms });
    list.push({ name: `${name}.panels`, dtype: "U8", shape: [panels], address: place.panels, bytes: panels });
  };
  floats("embeddings.word.scales", word.scales, word.rows);
  const codes = word.rows * word.width;
  list.push({ name: "embeddings.word.codes", dtype: "I8", shape: [word.rows, word.width], address: word.codes, bytes: codes });
  floats("embeddings.position", plan.position, positionRows(config), embeddingSize);
  if (plan.type !== 0) floats("embeddings.type", plan.type, config.typeVocabulary, embeddingSize);
  norm("embeddings.norm", plan.embeddingNorm, embeddingSize);
  if (plan.projection !== null) linear("embeddings.projection", plan.projection);
  for (let index = 0; index < config.storedLayers; index++) {
    const layer = plan.layers[index]!;
    for (const part of LINEAR_PARTS) linear(`layer.${index}.${part}`, layer[part]);
    for (const part of NORM_PARTS) norm(`layer.${index}.${part}`, layer[part], config.hidden);
    for (const [input, part] of Object.entries(SCALED_INPUTS)) {
      floats(`layer.${index}.${input}.inputScale`, layer[part].inputScale, config.hidden);
    }
  }
  if (plan.pooler !== null) linear("pooler", plan.pooler);
  return list;
}
