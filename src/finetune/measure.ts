import { classificationReport } from "../metrics/classification.ts";
import { multiLabelReport } from "../metrics/multi-label.ts";
import { spanReport, tagsToSpans, withLost } from "../metrics/spans.ts";
import type { DevExample } from "./examples.ts";
import type { Classes } from "./label-book.ts";
import type { Predictions } from "./predictions.ts";
import type { Mistake, TrainingHistory, TrainingKind } from "./types.ts";

/** Dev at one moment. */
export interface Measured extends Pick<TrainingHistory, "confusion" | "perEntity" | "mistakes"> {
  readonly metric: number;
}

export const METRIC_OF = { ner: "span_f1", classification: "accuracy", "multi-label": "micro_f1" } as const;

const MOST_MISTAKES = 20;
/** UTF-16 units of a mistake's text. */
const MISTAKE_UNITS = 500;
/** More labels than this make a table that nobody reads, of a million numbers at 1,000. */
const MOST_CONFUSED = 256;

/** Metric and details of what was predicted for `examples`. */
export function measure(kind: TrainingKind, classes: Classes, examples: readonly DevExample[], predictions: Predictions): Measured {
  const named = kind === "ner" ? tags(classes, examples, predictions) : labels(kind, classes, examples, predictions);
  const mistakes = mistakesOf(kind, examples, named, predictions.losses);
  const whole = kind === "ner" ? named.map((text, i) => withLost(text.gold, text.predicted, examples[i]!.lost)) : named;
  const [gold, predicted] = [whole.map((text) => text.gold), whole.map((text) => text.predicted)];
  if (kind === "ner") {
    const report = spanReport(gold, predicted);
    return { metric: report.f1, perEntity: report.perLabel, mistakes };
  }
  if (kind === "multi-label") {
    const report = multiLabelReport(gold, predicted);
    return { metric: report.f1, perEntity: report.perLabel, mistakes };
  }
  const report = classificationReport(gold.map(([label]) => label!), predicted.map(([label]) => label!));
  const details = { metric: report.accuracy, perEntity: report.perLabel, mistakes };
  return classes.names.length > MOST_CONFUSED ? details : { ...details, confusion: confusionOf(classes.names, named) };
}

/** Names of what a text's rows are and are said to be. */
interface Named {
  readonly gold: readonly string[];
  readonly predicted: readonly string[];
}

function tags({ names, indexOf }: Classes, examples: readonly DevExample[], { classes }: Predictions): Named[] {
  return examples.map(({ gold }, i) => ({
    gold: Array.from(gold, (number) => names[indexOf[number]!]!),
    predicted: Array.from(classes[i]!, (label) => names[label]!),
  }));
}

function labels(kind: TrainingKind, { names, indexOf }: Classes, examples: readonly DevExample[], { classes }: Predictions): Named[] {
  return examples.map(({ gold }, i) => ({
    gold: Array.from(gold, (number) => names[indexOf[number]!]!),
    predicted: kind === "multi-label" ? names.filter((_, label) => classes[i]![label] === 1) : [names[classes[i]![0]!]!],
  }));
}

function confusionOf(names: readonly string[], texts: readonly Named[]): { labels: readonly string[]; counts: number[][] } {
  const places = new Map(names.map((name, index) => [name, index]));
  const counts = names.map(() => names.map(() => 0));
  for (const { gold, predicted } of texts) counts[places.get(gold[0]!)!]![places.get(predicted[0]!)!]! += 1;
  return { labels: names, counts };
}

function mistakesOf(kind: TrainingKind, examples: readonly DevExample[], named: readonly Named[], losses: Float32Array): Mistake[] {
  const show = (example: DevExample, names: readonly string[]): unknown => {
    if (kind === "multi-label") return names;
    if (kind === "classification") return names[0];
    const { starts, ends } = example;
    return tagsToSpans(names).map(({ label, start, end }) => ({ start: starts[start]!, end: ends[end - 1]!, label }));
  };
  const shown = examples.map((example, i) => ({ i, expected: show(example, named[i]!.gold), predicted: show(example, named[i]!.predicted) }));
  return shown
    .filter(({ i, expected, predicted }) => examples[i]!.lost.length > 0 || JSON.stringify(sorted(expected)) !== JSON.stringify(sorted(predicted)))
    .sort((a, b) => losses[b.i]! - losses[a.i]! || a.i - b.i)
    .slice(0, MOST_MISTAKES)
    .map(({ i, expected, predicted }) => ({ text: examples[i]!.text.slice(0, MISTAKE_UNITS), expected, predicted, loss: losses[i]! }));
}

/** Labels of a text have no order. */
function sorted(value: unknown): unknown {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value.toSorted() : value;
}
