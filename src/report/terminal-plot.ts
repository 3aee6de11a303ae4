import plot from "simple-ascii-chart";
import type { TrainingHistory } from "../finetune/types.ts";
import { countAxis, roundAxis } from "./axis.ts";
import { buckets, type Point } from "./buckets.ts";
import { percent, short } from "./figures.ts";
import { METRIC_NAMES } from "./learning-curves.ts";

export interface TerminalPlot {
  readonly title: string;
  readonly x: string;
  readonly points: readonly Point[];
  /** Columns, its axis included: 30 or more. */
  readonly width: number;
  readonly format?: (value: number) => string;
  readonly limits?: readonly [number, number];
}

/** Columns beside the curve: names of the y axis, the axis, its arrow. */
const BESIDE = 12;
/** Lines of a curve. */
const HEIGHT = 10;

/** One curve as lines of text; empty where fewer than two points are finite. */
export function terminalPlot({ title, x, points, width, format = short, limits }: TerminalPlot): string[] {
  const columns = Math.max(18, width - BESIDE);
  // One point a column: the library joins points by steps, and several in a column would be drawn over each other.
  const drawn = buckets(points, columns);
  if (drawn.length < 2) return [];
  const yAxis = roundAxis(drawn.map(({ mean }) => mean), 3, limits);
  const last = points.at(-1)![0];
  const xAxis = countAxis(last, 4);
  // The library's axis ends with the curve, which therefore ends with the last point and not in the middle of the last bucket.
  const curve = drawn.map(({ x: middle, mean }, index): [number, number] => [index === drawn.length - 1 ? last : Math.round(middle), mean]);
  const text = plot(curve, {
    width: columns,
    height: HEIGHT,
    yRange: [yAxis.min, yAxis.max],
    customYAxisTicks: [...yAxis.ticks],
    customXAxisTicks: [...xAxis.ticks],
    formatter: (value, { axis }) => (axis === "y" ? format(value) : String(value)),
    symbols: { chart: { we: "─", wns: "╮", ns: "│", nse: "╰", wsn: "╯", sne: "╭" } },
  });
  const lines = text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  return [`${title}, by ${x}`, ...lines];
}

/** Loss and dev metric of a training, one under the other. */
export function terminalCurves({ steps, evaluations, metric }: TrainingHistory, width: number): string[] {
  const loss = terminalPlot({ title: "train loss", x: "step", width, points: steps.map(({ step, loss: value }) => [step, value]) });
  const name = METRIC_NAMES[metric];
  const score = terminalPlot({ title: `dev ${name}`, x: "step", width, points: evaluations.map((evaluation) => [evaluation.step, evaluation.metric]), format: percent, limits: [0, 1] });
  return [...loss, ...(loss.length > 0 && score.length > 0 ? [""] : []), ...score];
}
