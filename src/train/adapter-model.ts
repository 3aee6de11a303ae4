import { LINEAR_PARTS, NORM_PARTS } from "../model/plan.ts";
import type { AdapterHost } from "../model/adapter.ts";
import { channelBytes, readBias, type LinearPlace } from "../model/weight-format.ts";
import type { LayerLinear, LayerNormPart } from "../format/types.ts";
import type { Address } from "../wasm/kernels.ts";
import type { Layout, LinearMemory } from "../wasm/memory.ts";
import { groupLimits, planGroup, type GroupOptions } from "./group.ts";
import { planKeptLayer, type TrainLayer } from "./layer.ts";
import { panelBytes, type TrainLinear } from "./linear.ts";
import type { TrainMachine } from "./machine.ts";
import type { TrainNorm } from "./norm.ts";
import { Parameters } from "./parameters.ts";
import type { TrainModel } from "./pass.ts";
import { planTrainWorkspace } from "./workspace.ts";

export interface AdapterModelOptions {
  /** The adapter that is trained. */
  readonly group: GroupOptions;
  /** Most token rows of a pass. */
  readonly rows: number;
  /** Most tokens of one text; default: all that the encoder reads. */
  readonly longest?: number;
}

/**
 * Adapter mode: the encoder frozen and as it is served, 7-bit weights and all, from the adapter's first layer on; forward is the
 * served one bit for bit, backward goes through what the weights stand for. Its layers' weights are copied to the training's own
 * memory (1.8 MB a layer at MiniLM's sizes, and 7.1 MB in float32), so the encoder goes on serving meanwhile.
 */
export function planAdapterModel(layout: Layout, host: AdapterHost, { group, rows, longest }: AdapterModelOptions): TrainModel {
  const { config, pooler } = host.plan;
  const { layers: count, hidden, intermediate } = config;
  const firstLayer = Math.min(count, ...group.layers);
  const parameters = new Parameters(layout);
  const work = planTrainWorkspace(layout, config, { rows, longest: Math.min(longest ?? config.maxPositions, rows), ...groupLimits([group]) });
  const linear = (place: LinearPlace): TrainLinear => planFrozen(layout, host, place, group.kind === "dora");
  const layers = host.plan.layers.slice(firstLayer).map((layer): TrainLayer => ({
    linears: Object.fromEntries(LINEAR_PARTS.map((part) => [part, linear(layer[part])])) as Record<LayerLinear, TrainLinear>,
    norms: Object.fromEntries(NORM_PARTS.map((part) => [part, planFrozenNorm(layout, hidden)])) as Record<LayerNormPart, TrainNorm>,
    kept: planKeptLayer(layout, work.rows, hidden, intermediate),
  }));
  return {
    config, parameters, work, firstLayer, layers,
    embeddings: null,
    pooler: group.head?.through === "pooler" && pooler !== null ? linear(pooler) : null,
    groups: new Map([[group.name, planGroup(layout, parameters, config, group, layers, firstLayer, work.rows)]]),
    states: Array.from({ length: layers.length + 1 }, () => layout.reserve(work.rows * hidden * 4)),
  };
}

function planFrozen(layout: Layout, { format }: AdapterHost, { columns, depth, inputScale }: LinearPlace, keepsWeight: boolean): TrainLinear {
  return {
    depth, columns,
    served: {
      depth, columns,
      panels: layout.reserve(format.panelBytes(columns, depth)),
      channels: layout.reserve(channelBytes(columns)),
      inputScale: inputScale === 0 ? 0 : layout.reserve(depth * 4),
    },
    weight: keepsWeight ? layout.reserve(columns * depth * 4) : 0,
    bias: layout.reserve(columns * 4),
    trained: null,
    forwardPanels: 0,
    backwardPanels: layout.reserve(panelBytes(depth, columns)),
  };
}

function planFrozenNorm(layout: Layout, width: number): TrainNorm {
  return { width, gamma: layout.reserve(width * 4), beta: layout.reserve(width * 4), trained: null };
}

/** Copies the encoder's weights to where `planAdapterModel` reserved room for them. The host's memory is only read. */
export function fillAdapterModel({ memory }: TrainMachine, model: TrainModel, host: AdapterHost): void {
  for (const [at, layer] of model.layers.entries()) {
    const source = host.plan.layers[model.firstLayer + at]!;
    for (const part of LINEAR_PARTS) fillFrozen(memory, layer.linears[part], host, source[part]);
    for (const part of NORM_PARTS) {
      copy(memory, layer.norms[part].gamma, host.memory, source[part].gamma, model.config.hidden * 4);
      copy(memory, layer.norms[part].beta, host.memory, source[part].beta, model.config.hidden * 4);
    }
  }
  if (model.pooler !== null) fillFrozen(memory, model.pooler, host, host.plan.pooler!);
}

function fillFrozen(memory: LinearMemory, linear: TrainLinear, { memory: from, format }: AdapterHost, source: LinearPlace): void {
  const { depth, columns, backwardPanels, weight, bias } = linear;
  const served = linear.served!;
  copy(memory, served.panels, from, source.panels, format.panelBytes(columns, depth));
  copy(memory, served.channels, from, source.channels, channelBytes(columns));
  if (served.inputScale !== 0) copy(memory, served.inputScale, from, source.inputScale, depth * 4);
  memory.floats(bias, columns).set(readBias(from, source));
  // dX = dY·W reads W in panels of 8 inputs, a step for each output channel.
  const panels = memory.floats(backwardPanels, panelBytes(depth, columns) / 4);
  const row = new Float32Array(depth);
  for (let channel = 0; channel < columns; channel++) {
    format.readChannel(from, source, channel, row);
    for (let k = 0; k < depth; k++) panels[(k >> 3) * columns * 8 + channel * 8 + (k & 7)] = row[k]!;
    if (weight !== 0) memory.floats(weight + channel * depth * 4, depth).set(row);
  }
}

function copy(to: LinearMemory, target: Address, from: LinearMemory, source: Address, bytes: number): void {
  to.octets(target, bytes).set(from.octets(source, bytes));
}
