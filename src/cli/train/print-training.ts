import type { TrainingHistory, TrainingProgress } from "../../finetune/types.ts";
import { METRIC_NAMES } from "../../report/learning-curves.ts";
import { terminalCurves } from "../../report/terminal-plot.ts";
import { clock, grouped, percent, table } from "../print-table.ts";
import { printable } from "../print-text.ts";
import type { Session } from "../session.ts";

/** "epoch 2/5, step 120/300, loss 0.312, dev 61.23 % (best 63.01 %), 3,904 tokens/s, 0:42 left" */
export function progressText({ phase, epoch, epochs, step, steps, loss, metric, best, tokensPerSecond, secondsLeft }: TrainingProgress): string {
  const parts = [`epoch ${epoch}/${epochs}`, `step ${grouped(step)}/${grouped(steps)}`];
  if (phase === "dev") parts.push("measuring dev");
  if (loss !== null) parts.push(`loss ${loss.toFixed(3)}`);
  if (metric !== null && best !== null) parts.push(`dev ${percent(metric)} (best ${percent(best)})`);
  if (tokensPerSecond > 0) parts.push(`${grouped(Math.round(tokensPerSecond))} tokens/s`, `${clock(secondsLeft)} left`);
  return parts.join(", ");
}

/** What `--json` prints: figures; the rest is in history.json. */
export function jsonResult(history: TrainingHistory, out: string): object {
  const { name, kind, labels, metric, best, steps, stopped, tokens, seconds, warnings } = history;
  const last = steps.at(-1);
  return { task: name, out, kind, labels: labels.length, metric, best, steps: last?.step ?? 0, epochs: last?.epoch ?? 0, loss: last?.loss ?? null, stopped, tokens, seconds, warnings };
}

/** The worst of many, as in the report; all are in report.html. */
const MOST_LABELS = 10;

export function printResult(history: TrainingHistory, out: string, { style, width }: Session): string {
  const { name, metric, best, steps, stopped, tokens, seconds, warnings, perEntity = [] } = history;
  const made = `${grouped(steps.at(-1)?.step ?? 0)} updates${stopped === "patience" ? ", ended after no more gain" : ""}`;
  const result = best === null ? made : `${METRIC_NAMES[metric]} ${percent(best.metric)} on dev, at update ${grouped(best.step)} of ${made}`;
  const worst = [...perEntity].sort((a, b) => a.f1 - b.f1).slice(0, MOST_LABELS);
  const cells = worst.map(({ label, precision, recall, f1, support }) => [printable(label), percent(precision), percent(recall), percent(f1), grouped(support)]);
  const heading = perEntity.length > worst.length ? `the ${worst.length} worst of ${grouped(perEntity.length)}` : "label";
  const curves = terminalCurves(history, width);
  const lines = [
    `${style.bold(name)}: ${result}`,
    ...(curves.length === 0 ? [] : ["", ...curves]),
    ...(cells.length === 0 ? [] : ["", ...table([[heading, "precision", "recall", "F1", "support"], ...cells], "lrrrr")]),
    "",
    ...warnings.map((warning) => `warning: ${printable(warning)}`),
    `${out}: the adapter, history.json, report.html`,
    style.dim(`${clock(seconds)}, ${grouped(tokens)} tokens, ${grouped(Math.round(tokens / Math.max(seconds, 1e-3)))} a second`),
  ];
  return `${lines.join("\n")}\n`;
}
