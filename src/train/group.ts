import { RootstockError } from "../errors.ts";
import { encoderModules, type EncoderModule } from "../format/encoder-modules.ts";
import type { EncoderConfig, LayerLinear, LayerNormPart } from "../format/types.ts";
import { MAX_LABELS, MAX_RANK } from "../limits.ts";
import { LINEAR_PARTS } from "../model/plan.ts";
import type { Layout } from "../wasm/memory.ts";
import { planHead, type HeadKind } from "./head.ts";
import type { TrainLayer, TrainLayerSlots } from "./layer.ts";
import type { Parameters } from "./parameters.ts";
import type { TrainGroup } from "./pass.ts";
import { planSlot, type SlotKind, type TrainSlot } from "./slot.ts";

/** An adapter to be trained. */
export interface GroupOptions {
  /** First part of its parameters' names. */
  readonly name: string;
  /** Layers of the encoder that it changes; [] for a head alone. */
  readonly layers: readonly number[];
  readonly targets: readonly LayerLinear[];
  readonly kind: "lora" | "dora" | "ia3" | "none";
  /** r and alpha of "lora" and "dora". */
  readonly rank?: number;
  readonly alpha?: number;
  /** s = alpha/√r instead of alpha/r. */
  readonly rsLora?: boolean;
  /** Targets whose input (IA)³ scales; it scales the output of others. Default: both output layers, as PEFT has it for BERT. */
  readonly feedforward?: readonly LayerLinear[];
  /** Which biases are trained: those of the targets (PEFT's "lora_only"), or none. */
  readonly bias?: "none" | "targets";
  readonly head: HeadKind | null;
}

/** The modules of one transformer layer by part. */
export function layerModules(config: EncoderConfig, layer: number): ReadonlyMap<LayerLinear | LayerNormPart, EncoderModule> {
  const stored = layer % config.storedLayers;
  const found = new Map<LayerLinear | LayerNormPart, EncoderModule>();
  for (const module of encoderModules(config)) {
    if (module.kind === "table" || module.site.layer !== stored) continue;
    found.set(module.site.part as LayerLinear | LayerNormPart, module);
  }
  return found;
}

/** @throws RootstockError `argument-invalid`, `adapter-unsupported`. */
function checkGroup({ layers: count, storedLayers }: EncoderConfig, { name, layers, kind, rank = 8, bias = "none", head }: GroupOptions): void {
  const wrong = (what: string): RootstockError => new RootstockError("argument-invalid", `the adapter "${name}": ${what}`);
  const isWithin = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;
  const layer = layers.find((index) => !Number.isInteger(index) || index < 0 || index >= count);
  if (storedLayers < count && layers.length > 0) {
    throw new RootstockError(
      "adapter-unsupported",
      `the adapter "${name}": this encoder runs one layer many times (ALBERT), and adapters on such layers cannot be trained. Train the head alone, or take another encoder.`,
    );
  }
  if (!/^[^/]+$/.test(name)) throw wrong("its name must not be empty and must hold no /, which ends it in the parameters' names.");
  if (layer !== undefined) throw wrong(`there is no layer ${layer}; the encoder has layers 0 to ${count - 1}.`);
  if ((kind === "lora" || kind === "dora") && !isWithin(rank, MAX_RANK)) throw wrong(`its rank is ${rank}; it must be a whole number from 1 to ${MAX_RANK}.`);
  if (kind === "ia3" && bias !== "none") throw wrong("(IA)³ trains no biases. Take LoRA, or leave out the biases.");
  if (head !== null && !isWithin(head.classes, MAX_LABELS)) throw wrong(`its head has ${head.classes} classes; there must be 1 to ${MAX_LABELS}.`);
}

/** Reserves an adapter's parameters and buffers. `layers` are the model's, the first of them the encoder's `firstLayer`. */
export function planGroup(
  layout: Layout, parameters: Parameters, config: EncoderConfig, options: GroupOptions, layers: readonly TrainLayer[], firstLayer: number, rows: number,
): TrainGroup {
  const { name, head } = options;
  checkGroup(config, options);
  return {
    name,
    layers: layers.map((layer, at) => (options.layers.includes(firstLayer + at) ? planSlots(layout, parameters, config, options, layer, firstLayer + at, rows) : null)),
    head: head === null ? null : planHead(layout, parameters, name, head, rows, config.hidden),
  };
}

function planSlots(
  layout: Layout, parameters: Parameters, config: EncoderConfig, options: GroupOptions, layer: TrainLayer, index: number, rows: number,
): TrainLayerSlots {
  const modules = layerModules(config, index);
  const linears: Partial<Record<LayerLinear, TrainSlot>> = {};
  for (const part of LINEAR_PARTS) {
    const kind = slotKind(options, part);
    if (kind !== null) linears[part] = planSlot(layout, parameters, `${options.name}/${modules.get(part)!.path}`, layer.linears[part], kind, rows);
  }
  return { linears };
}

function slotKind(options: GroupOptions, part: LayerLinear): SlotKind | null {
  const { kind, targets, rank = 8, alpha = rank, rsLora = false, feedforward = ["attentionOutput", "output"], bias = "none" } = options;
  if (kind === "none" || !targets.includes(part)) return null;
  const hasRank = kind !== "ia3";
  return {
    rank: hasRank ? rank : 0,
    scale: hasRank ? alpha / (rsLora ? Math.sqrt(rank) : rank) : 0,
    dora: kind === "dora",
    ia3: hasRank ? null : feedforward.includes(part) ? "input" : "output",
    bias: bias === "targets",
  };
}

/** Most rank and most classes of some adapters: what the workspace has to hold. */
export function groupLimits(groups: readonly GroupOptions[]): { rank: number; classes: number } {
  return {
    rank: Math.max(4, ...groups.map(({ rank = 8 }) => rank)),
    classes: Math.max(1, ...groups.map(({ head }) => head?.classes ?? 1)),
  };
}
