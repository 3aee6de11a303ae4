import { RootstockError, type Classification, type Encoder, type Entity, type RunOptions, type TaskInfo } from "../index.ts";
import { GIVEN } from "../finetune/predictions.ts";
import { splitTag } from "../heads/tags.ts";
import { classificationReport, type ClassificationReport } from "../metrics/classification.ts";
import { multiLabelReport, type MultiLabelReport } from "../metrics/multi-label.ts";
import { spanReport, withLost, type SpanReport } from "../metrics/spans.ts";
import { readExamples, type Answer, type Example } from "./read-examples.ts";
import { runItems } from "./run-batches.ts";
import { wordTags } from "./word-tags.ts";

export type Report = ({ kind: "classification" } & ClassificationReport) | ({ kind: "labels" } & MultiLabelReport) | ({ kind: "spans" } & SpanReport);

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
  /** What the spans of rows count in. */
  readonly offsets: "utf16" | "codepoint";
  /** Tokens and tags are read where a row has text and spans as well. */
  readonly preferTokens: boolean;
  readonly signal: AbortSignal;
  onRows(done: number): void;
}

/** Collects gold and predicted answers, and compares them. */
interface Scorer {
  add(answer: Answer, result: Classification[] | Entity[]): void;
  /** @throws RootstockError where nothing was added */
  report(): Report;
}

/** Runs a JSONL test set through a task and scores it. @throws RootstockError as `readExamples` and `runBatch` */
export async function evaluateTask(encoder: Encoder, task: TaskInfo, path: string, evaluation: EvaluationOptions): Promise<Evaluation> {
  if (task.kind === null) throw new RootstockError("argument-invalid", "the adapter has no head, so it gives no labels to score. Give one with a head.");
  const { maxTokens, signal, onRows } = evaluation;
  const { tokenizer } = encoder.loaded;
  if (tokenizer === null) throw new RootstockError("source-missing", "the encoder folder has no tokenizer.json, so rows cannot be read. Add the file.");
  const scorer = task.kind === "token" ? spanScorer() : labelScorer();
  const options: RunOptions = { signal, maxTokens, aggregation: "none", ignoreLabels: [], topK: null };
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
      scorer.add(example.answer, results[task.name] as Classification[] | Entity[]);
      rows++;
    },
  };
  const start = performance.now();
  for await (const examples of readExamples(path, { ...evaluation, kind: task.kind, tokenizer })) {
    await runItems(encoder, examples, run);
    onRows(rows);
  }
  if (rows === 0) throw new RootstockError("argument-invalid", `${path} has no rows, so there is nothing to score. Give a test set.`);
  const seconds = (performance.now() - start) / 1000;
  const report = scorer.report();
  const known = new Set(task.kind === "token" ? task.labels.map((label) => splitTag(label)?.type ?? label) : task.labels);
  const unknownLabels = report.perLabel.map(({ label }) => label).filter((label) => !known.has(label));
  return { rows, truncated, unknownLabels, seconds, report };
}

/** Of one label a text, or of any number: the rows say which. */
function labelScorer(): Scorer {
  const gold: string[][] = [];
  const predicted: string[][] = [];
  let isOne = true;
  return {
    add(answer, result) {
      const ranked = result as Classification[];
      isOne = answer.form === "label";
      gold.push(answer.form === "label" ? [answer.label] : answer.form === "labels" ? [...answer.labels] : []);
      predicted.push((isOne ? ranked.slice(0, 1) : ranked.filter(({ score }) => score >= GIVEN)).map(({ label }) => label));
    },
    report: () =>
      isOne
        ? { kind: "classification", ...classificationReport(gold.map(([label]) => label!), predicted.map(([label]) => label!)) }
        : { kind: "labels", ...multiLabelReport(gold, predicted) },
  };
}

function spanScorer(): Scorer {
  const gold: string[][] = [];
  const predicted: string[][] = [];
  return {
    add(answer, result) {
      if (answer.form !== "tags") return;
      const { tags, ends, lost } = answer;
      const sentence = withLost(tags, wordTags(ends, result as Entity[]), lost);
      gold.push(sentence.gold);
      predicted.push(sentence.predicted);
    },
    report: () => ({ kind: "spans", ...spanReport(gold, predicted) }),
  };
}
