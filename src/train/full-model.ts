import { encoderModules, poolerModule, positionRows } from "../format/encoder-modules.ts";
import type { EncoderConfig, LayerLinear, LayerNormPart } from "../format/types.ts";
import { LINEAR_PARTS, NORM_PARTS } from "../model/plan.ts";
import type { Layout } from "../wasm/memory.ts";
import type { TrainEmbeddings } from "./embeddings.ts";
import { groupLimits, layerModules, planGroup, type GroupOptions } from "./group.ts";
import { planKeptLayer, type KeptLayer, type TrainLayer } from "./layer.ts";
import { planTrained, type TrainLinear } from "./linear.ts";
import { planKeptNorm, planTrainedNorm, type TrainNorm } from "./norm.ts";
import { Parameters, type Parameter } from "./parameters.ts";
import type { TrainModel } from "./pass.ts";
import { planTrainWorkspace } from "./workspace.ts";

export interface FullModelOptions {
  /** Adapters on top of the encoder, each active for its own batches. */
  readonly groups: readonly GroupOptions[];
  /** Most token rows of a pass: what is kept grows with it, 25 KB a row and layer at MiniLM's sizes. */
  readonly rows: number;
  /** Most tokens of one text; default: all that the encoder reads. */
  readonly longest?: number;
  /** Train the encoder's pooler as well (a head may go through it). */
  readonly pooler?: boolean;
  /** Train the groups alone, on the encoder's float32 weights as they are. */
  readonly isFrozen?: boolean;
}

/** The name under which the encoder's own parameters stand. */
export const BACKBONE = "backbone";

/**
 * Full mode: every weight of the encoder in float32 and trained (or frozen), by whatever loss reaches it, together with adapters.
 * Parameters are named `backbone/` and the module path of transformers' bare model (BertModel, …).
 */
export function planFullModel(layout: Layout, config: EncoderConfig, options: FullModelOptions): TrainModel {
  const { groups, rows, isFrozen = false } = options;
  const parameters = new Parameters(layout);
  const work = planTrainWorkspace(layout, config, { rows, longest: Math.min(options.longest ?? config.maxPositions, rows), ...groupLimits(groups) });
  const embeddings = planEmbeddings(layout, parameters, config, work.rows, isFrozen);
  const stored = Array.from({ length: config.storedLayers }, (_, index) => planStored(layout, parameters, config, index, isFrozen));
  const keep = (): KeptLayer => planKeptLayer(layout, work.rows, config.hidden, config.intermediate);
  // No backward step reads what the layers below all groups keep, so these share one place.
  const lowest = isFrozen ? Math.min(config.layers, ...groups.flatMap((group) => group.layers)) : 0;
  const below = lowest > 0 ? keep() : null;
  const layers = Array.from({ length: config.layers }, (_, index): TrainLayer => ({
    ...stored[index % stored.length]!,
    kept: index < lowest ? below! : keep(),
  }));
  const pooler = options.pooler === true ? poolerModule(config) : null;
  return {
    config, parameters, work, embeddings, layers, isFrozen,
    firstLayer: 0,
    pooler: pooler && planTrained(layout, parameters, `${BACKBONE}/${pooler.path}`, pooler.out, pooler.in, isFrozen),
    groups: new Map(groups.map((group) => [group.name, planGroup(layout, parameters, config, group, layers, 0, work.rows)])),
    states: Array.from({ length: config.layers + 1 }, () => layout.reserve(work.rows * config.hidden * 4)),
  };
}

function planStored(layout: Layout, parameters: Parameters, config: EncoderConfig, index: number, isFrozen: boolean): Pick<TrainLayer, "linears" | "norms"> {
  const modules = layerModules(config, index);
  const linears = {} as Record<LayerLinear, TrainLinear>;
  const norms = {} as Record<LayerNormPart, TrainNorm>;
  for (const part of LINEAR_PARTS) {
    const module = modules.get(part)!;
    if (module.kind === "linear") linears[part] = planTrained(layout, parameters, `${BACKBONE}/${module.path}`, module.out, module.in, isFrozen);
  }
  for (const part of NORM_PARTS) norms[part] = planTrainedNorm(parameters, `${BACKBONE}/${modules.get(part)!.path}`, config.hidden, isFrozen);
  return { linears, norms };
}

function planEmbeddings(layout: Layout, parameters: Parameters, config: EncoderConfig, rows: number, isFrozen: boolean): TrainEmbeddings {
  const width = config.embeddingSize;
  const path = (name: string): string => `${BACKBONE}/${encoderModules(config).find((module) => module.name === name)!.path}`;
  const table = (part: string, count: number): Parameter => parameters.add(`${path(`embeddings.${part}`)}.weight`, [count, width], isFrozen);
  return {
    width,
    word: table("word", config.vocabulary),
    position: table("position", positionRows(config)),
    type: config.typeVocabulary > 0 ? table("type", config.typeVocabulary) : null,
    norm: planTrainedNorm(parameters, path("embeddings.norm"), width, isFrozen),
    keptNorm: planKeptNorm(layout, rows, width),
    projection: config.projection ? planTrained(layout, parameters, path("embeddings.projection"), config.hidden, width, isFrozen) : null,
    embedded: config.projection ? layout.reserve(rows * width * 4) : 0,
  };
}
