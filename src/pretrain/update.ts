import { adamWStep, clipFactor, gradientNorm } from "../train/adamw.ts";
import { BACKBONE } from "../train/full-model.ts";
import { groupOf, type Parameter } from "../train/parameters.ts";
import { refresh } from "../train/refresh.ts";
import type { TrainMachine } from "../train/machine.ts";
import type { PretrainingModel } from "./model.ts";
import type { PretrainingSettings, TaskFamily } from "./types.ts";

/** Updates that the tensors of each group have had: AdamW's t. */
export type UpdateCounts = Map<string, number>;

/** Tensors that a loss of these families reaches. The others are not touched: AdamW moves even what has no gradient. */
export function reachedBy({ model, backbone, regime }: PretrainingModel, families: readonly TaskFamily[]): Parameter[] {
  if (families.length === 0) return [];
  const groups = new Set<string>(families);
  if (regime.groups === "shared") groups.add("shared");
  if (backbone.length > 0) groups.add(BACKBONE);
  return [...model.parameters].filter((parameter) => groups.has(groupOf(parameter)));
}

/**
 * One update by the gradients that have been added.
 * @param rate share of the peak learning rates
 * @returns the gradients' norm before clipping; null when it is not finite, and nothing was changed
 */
export function update(
  m: TrainMachine, plan: PretrainingModel, settings: PretrainingSettings, parameters: readonly Parameter[], counts: UpdateCounts, rate: number,
): number | null {
  const { learningRates, weightDecay, clip } = settings;
  const norm = gradientNorm(m, parameters);
  if (!Number.isFinite(norm)) return null;
  const learningRate = (parameter: Parameter): number => rate * learningRates[rateOf(parameter)];
  const factor = clip === null ? 1 : clipFactor(norm, clip);
  for (const group of new Set(parameters.map(groupOf))) {
    const count = (counts.get(group) ?? 0) + 1;
    counts.set(group, count);
    adamWStep(m, parameters.filter((parameter) => groupOf(parameter) === group), count, { learningRate, weightDecay }, factor);
  }
  refresh(m, plan.model);
  return norm;
}

function rateOf(parameter: Parameter): keyof PretrainingSettings["learningRates"] {
  if (groupOf(parameter) === BACKBONE) return "backbone";
  return parameter.name.includes("/classifier.") ? "head" : "adapters";
}
