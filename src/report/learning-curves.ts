import type { TrainingHistory } from "../finetune/types.ts";
import type { Point } from "./buckets.ts";
import { grouped, percent, short } from "./figures.ts";
import { lineChart } from "./line-chart.ts";
import type { Markup } from "./markup.ts";
import { folded } from "./page.ts";
import { table } from "./table.ts";

export const METRIC_NAMES = { span_f1: "span F1", accuracy: "accuracy", micro_f1: "micro F1" } as const;

/** Charts of loss and metric, and behind a fold those of the rate and the gradient, and every evaluation in figures. */
export function learningCurves(history: TrainingHistory): Markup[] {
  const { steps, evaluations, metric, best } = history;
  const name = METRIC_NAMES[metric];
  const over = (value: (step: TrainingHistory["steps"][number]) => number): Point[] => steps.map((step) => [step.step, value(step)]);
  const loss = lineChart({
    title: "Loss",
    x: "step",
    series: [
      { name: "train", points: over((step) => step.loss) },
      { name: "dev", points: evaluations.map((evaluation) => [evaluation.step, evaluation.loss]), dots: true },
    ],
  });
  const score = lineChart({
    title: `Dev ${name}`,
    x: "step",
    series: [{ name, points: evaluations.map((evaluation) => [evaluation.step, evaluation.metric]), dots: true }],
    format: percent,
    limits: [0, 1],
    ...(best === null ? {} : { mark: { point: [best.step, best.metric], label: `Best: ${percent(best.metric)} at step ${grouped(best.step)}` } }),
  });
  const rate = lineChart({ title: "Learning rate", x: "step", series: [{ name: "learning rate", points: over((step) => step.learningRate) }] });
  const norm = lineChart({ title: "Length of the gradient", x: "step", series: [{ name: "length of the gradient", points: over((step) => step.gradientNorm) }] });
  return evaluations.length === 0 ? [loss, rate, norm] : [loss, score, rate, norm, folded("Every evaluation", evaluationTable(history))];
}

function evaluationTable({ evaluations, metric, best }: TrainingHistory): Markup {
  return table({
    caption: "Every evaluation on the dev rows",
    columns: [{ name: "Step", kind: "number" }, { name: "Epoch", kind: "number" }, { name: "Loss", kind: "number" }, { name: METRIC_NAMES[metric], kind: "number" }, { name: "Kept" }],
    rows: evaluations.map((evaluation) => [
      grouped(evaluation.step), grouped(evaluation.epoch), short(evaluation.loss), percent(evaluation.metric), evaluation.step === best?.step ? "yes" : "",
    ]),
  }); // prettier-ignore
}
