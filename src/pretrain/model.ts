import { RootstockError } from "../errors.ts";
import type { EncoderConfig } from "../format/types.ts";
import { planPairs, type PairPlace } from "../train/contrastive.ts";
import { BACKBONE, planFullModel } from "../train/full-model.ts";
import type { GroupOptions } from "../train/group.ts";
import { groupOf, type Parameter } from "../train/parameters.ts";
import type { TrainGroup, TrainModel } from "../train/pass.ts";
import type { Address } from "../wasm/kernels.ts";
import { Layout } from "../wasm/memory.ts";
import { REGIMES, type RegimePlan } from "./regime.ts";
import type { PretrainingSettings, TaskFamily } from "./types.ts";

/** A pass keeps 25 KB a row and layer at MiniLM's sizes: 600 MB for as many rows as these. */
const MOST_ROWS = 4096;
/** Of the 2 GiB that training may have; the rest is for kernels. */
const MOST_BYTES = 2 ** 31 - 2 ** 26;
/** The LoRA group that both families share. */
const SHARED = "shared";

/** What a regime trains, in memory. */
export interface PretrainingModel {
  readonly regime: RegimePlan;
  readonly model: TrainModel;
  /** null where no pairs are trained on. */
  readonly pairs: PairPlace | null;
  /** What is active in each family's passes; null: the encoder alone. */
  readonly groups: Readonly<Record<TaskFamily, TrainGroup | null>>;
  /** The encoder's tensors that are trained: none where it is frozen. */
  readonly backbone: readonly Parameter[];
  /** A second place for each one's gradient, where the two families' are wanted apart. */
  readonly aside: ReadonlyMap<Parameter, Address>;
}

/**
 * Reserves the model of a regime.
 * @param classes of the NER head
 * @throws RootstockError `argument-invalid` for adapters on more layers than there are, or passes that hold no text; as `planFullModel`.
 */
export function planPretraining(layout: Layout, config: EncoderConfig, settings: PretrainingSettings, classes: number): PretrainingModel {
  const { maxLength, adapter, passRows } = settings;
  const regime = REGIMES[settings.regime];
  if (regime.groups !== "none" && adapter.layers > config.layers) {
    throw new RootstockError("argument-invalid", `adapter.layers is ${adapter.layers} and the encoder has ${config.layers} layers.`);
  }
  if (passRows !== null && passRows < maxLength) {
    throw new RootstockError("argument-invalid", `passRows is ${passRows}, and a text may have ${maxLength} tokens. Give at least as many.`);
  }
  return planRows(layout, config, settings, classes, passRows ?? fittingRows(config, settings, classes));
}

/** A whole batch, or as much of it as there is memory for beside a probe, on or off: the cut into passes decides bits, and a probe none. */
function fittingRows(config: EncoderConfig, settings: PretrainingSettings, classes: number): number {
  const { maxLength, ner, pairs } = settings;
  const { families } = REGIMES[settings.regime];
  const probed = { ...settings, probe: { ...settings.probe, every: 1 } };
  const whole = Math.max(families.includes("ner") ? ner.batchSize * maxLength : 0, families.includes("tc") ? 2 * pairs.batchSize * maxLength : 0);
  for (let rows = Math.min(whole, Math.max(MOST_ROWS, maxLength)); ; rows = Math.max(maxLength, rows >> 1)) {
    const trial = new Layout();
    planRows(trial, config, probed, classes, rows);
    if (trial.end <= MOST_BYTES || rows === maxLength) return rows;
  }
}

function planRows(layout: Layout, config: EncoderConfig, settings: PretrainingSettings, classes: number, rows: number): PretrainingModel {
  const { pairs, probe } = settings;
  const regime = REGIMES[settings.regime];
  const model = planFullModel(layout, config, {
    groups: groupOptions(config, settings, regime, classes),
    rows,
    longest: settings.maxLength,
    isFrozen: !regime.trainsBackbone,
  });
  const backbone = [...model.parameters].filter((parameter) => groupOf(parameter) === BACKBONE);
  const wantsAside = regime.surgery || (regime.families.length > 1 && probe.every !== null);
  return {
    regime, model, backbone,
    pairs: regime.families.includes("tc") ? planPairs(layout, pairs.batchSize, config.hidden) : null,
    groups: activeGroups(model, regime),
    aside: new Map((wantsAside ? backbone : []).map((parameter) => [parameter, layout.reserve(parameter.count * 4)])),
  };
}

function groupOptions(config: EncoderConfig, { adapter }: PretrainingSettings, regime: RegimePlan, classes: number): GroupOptions[] {
  const { layers, rank, alpha, rsLora, targets } = adapter;
  const last = Array.from({ length: layers }, (_, i) => config.layers - layers + i);
  const lora = (name: string): GroupOptions => ({ name, layers: last, targets, kind: "lora", rank, alpha, rsLora, head: null });
  const bare = (name: string): GroupOptions => ({ name, layers: [], targets: [], kind: "none", head: null });
  const groups: GroupOptions[] = [];
  if (regime.families.includes("ner")) {
    groups.push({ ...(regime.groups === "own" ? lora("ner") : bare("ner")), head: { classes, through: "token", name: "classifier" } });
  }
  if (regime.families.includes("tc") && regime.groups === "own") groups.push(lora("tc"));
  if (regime.groups === "shared") groups.push(lora(SHARED));
  return groups;
}

function activeGroups({ groups }: TrainModel, regime: RegimePlan): PretrainingModel["groups"] {
  const ner = groups.get("ner") ?? null;
  const shared = regime.groups === "shared" ? groups.get(SHARED)! : null;
  if (shared === null || ner === null) return { ner, tc: groups.get("tc") ?? null };
  return { ner: { ...ner, layers: shared.layers }, tc: shared };
}

/** The part of the backbone that a tensor is of, as a probe names it. */
export function partOf({ name }: Parameter): string {
  const layer = /(?:^|\.)(?:layer|albert_layers)\.(\d+)\./.exec(name);
  return layer === null ? "embeddings" : `layer ${layer[1]}`;
}
