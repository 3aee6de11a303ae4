import { RootstockError, type Classification, type Encoder, type Entity, type RunOptions, type TaskInfo } from "../index.ts";
import { splitTag } from "../heads/tags.ts";
import { classificationReport, type ClassificationReport } from "../metrics/classification.ts";
import { spanReport, type SpanReport } from "../metrics/spans.ts";
import { readExamples, type Example } from "./read-examples.ts";
import { runItems } from "./run-batches.ts";
import type { TextItem } from "./read-texts.ts";
import { wordTags } from "./word-tags.ts";

export type Report = ({ kind: "classification" } & ClassificationReport) | ({ kind: "spans" } & SpanReport);

export interface Evaluation {
  readonly rows: number;
  /** Rows of more tokens than are read: their ends were left out. */
  readonly truncated: number;
  /** Labels of the data that are none of the adapter's. */
  readonly unknownLabels: readonly string[];
  readonly seconds: number;
  readonly report: Report;
}

export interface EvaluationOptions {
  readonly maxTokens: number;
  readonly signal: AbortSignal;
  onRows(done: number): void;
}

/** Collects gold and predicted answers, and compares them. */
interface Scorer {
  add(example: Example, result: Classification[] | Entity[]): void;
  report(): Report;
  readonly labels: ReadonlySet<string>;
}

/** Runs a JSONL test set through a task and scores it. @throws RootstockError as `readExamples` and `runBatch` */
export async function evaluateTask(encoder: Encoder, task: TaskInfo, path: string, { maxTokens, signal, onRows }: EvaluationOptions): Promise<Evaluation> {
  if (task.kind === null) throw new RootstockError("argument-invalid", "the adapter has no head, so it gives no labels to score. Give one with a head.");
  const scorer = task.kind === "token" ? spanScorer(task.labels) : labelScorer(task.labels);
  const options: RunOptions = { signal, maxTokens, aggregation: "none", ignoreLabels: [] };
  let rows = 0;
  let truncated = 0;
  const run = {
    tasks: [task.name],
    options,
    // A text is cut only after it was refused: that is how the cut ones are counted.
    retry(error: RootstockError): RunOptions | null {
      if (error.code !== "text-too-long") return null;
      truncated++;
      return { ...options, overflow: "truncate" };
    },
    async onResult(example: Example, results: Record<string, unknown>): Promise<void> {
      scorer.add(example, results[task.name] as Classification[] | Entity[]);
      rows++;
    },
  };
  const start = performance.now();
  for await (const examples of readExamples(path, task.kind, signal)) {
    await runItems(encoder, examples, run);
    onRows(rows);
  }
  if (rows === 0) throw new RootstockError("argument-invalid", `${path} has no rows, so there is nothing to score. Give a test set.`);
  const seconds = (performance.now() - start) / 1000;
  const report = scorer.report();
  const unknownLabels = report.perLabel.map(({ label }) => label).filter((label) => !scorer.labels.has(label));
  return { rows, truncated, unknownLabels, seconds, report };
}

function labelScorer(labels: readonly string[]): Scorer {
  const gold: string[] = [];
  const predicted: string[] = [];
  return {
    labels: new Set(labels),
    add(example, result) {
      gold.push(example.label!);
      predicted.push((result as Classification[])[0]!.label);
    },
    report: () => ({ kind: "classification", ...classificationReport(gold, predicted) }),
  };
}

function spanScorer(labels: readonly string[]): Scorer {
  const gold: (readonly string[])[] = [];
  const predicted: string[][] = [];
  return {
    labels: new Set(labels.map((label) => splitTag(label)?.type ?? label)),
    add(example, result) {
      gold.push(example.tags!);
      predicted.push(wordTags(wordsOf(example), result as Entity[]));
    },
    report: () => ({ kind: "spans", ...spanReport(gold, predicted) }),
  };
}

function wordsOf({ content }: TextItem): readonly string[] {
  return "tokens" in content ? content.tokens : [content.text];
}
