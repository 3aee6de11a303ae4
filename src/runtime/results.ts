import { RootstockError } from "../errors.ts";
import { classify, type Classification } from "../heads/classify.ts";
import { decodeEntities, tokensToScore, type Entity, type EntityGroup } from "../heads/entities.ts";
import { isFiniteArray } from "../model/finite.ts";
import { overflow } from "../run/deliver.ts";
import type { Machine } from "../run/forward.ts";
import type { Output, Reading } from "../run/pass-text.ts";
import { rowInWindow } from "../text/windows.ts";
import type { Call, WorkBranch } from "./call.ts";
import type { RunOptions } from "./options.ts";
import type { Pooling } from "./sentence.ts";
import type { EncodedText } from "./requests.ts";
import { headOf, type Task } from "./task.ts";

/** What a task gives for a text: spans of a token-classification head, or labels of a text classifier. */
export type TaskResult = Entity[] | EntityGroup[] | Classification[];

/** Results of one request, under the names of its tasks. */
export type Results<Name extends string = string> = Record<Name, TaskResult>;

/** What a caller states of tasks by their names: `{ people: EntityGroup[]; intent: Classification[] }`. */
export type Stated<Known> = { readonly [Name in keyof Known]: TaskResult };

/** Names of tasks: those that are asked for, or those of what is stated. */
export type NameOf<Asked> = Asked extends string ? Asked : keyof Asked & string;

/** What `run` gives: any result under each name, or what is stated. */
export type ResultsOf<Asked> = [Asked] extends [string] ? Results<Asked> : Asked;

/** How results are wanted. */
export type ResultOptions = Pick<RunOptions, "aggregation" | "ignoreLabels" | "offsets" | "topK">;

/** A task's branches over a text, one a window; `done` gets the result when all have theirs. */
export function taskBranches(call: Call, task: Task, text: EncodedText, options: ResultOptions, done: (result: TaskResult) => void): WorkBranch[] {
  const output = (take: (scores: Float32Array) => void): Output => ({ kind: "scores", apply: task.score, take });
  if (headOf(task).kind === "sequence") {
    const weights = text.windows.map(({ length }) => length);
    const labels = (pieces: readonly Float32Array[]): void => done(labelsOf(task, weightedMean(pieces, weights), options));
    return windowBranches(call, task, text.windows.map(() => "first"), output, labels);
  }
  const tokens = tokensToScore(text.encoded, options.aggregation ?? "first");
  const spans = (pieces: readonly Float32Array[]): void => done(spansOf(task, joined(pieces), tokens, text, options));
  return windowBranches(call, task, windowReadings(tokens, text), output, spans);
}

/** The branches of a text's sentence vector: the mean over the rows of all its windows, or that of their first rows weighted by their tokens; scaled to length 1. */
export function vectorBranches(call: Call, task: Task | null, { windows }: EncodedText, pooling: Pooling, machine: Machine, done: (vector: Float32Array) => void): WorkBranch[] {
  const weights = windows.map(({ ids }) => ids.length);
  const output = (take: (vector: Float32Array) => void): Output => ({ kind: pooling === "mean" ? "mean" : "states", take });
  return windowBranches(call, task, windows.map(() => (pooling === "mean" ? "all" : "first")), output, (pieces) => {
    const { kernels, memory, work } = machine;
    const mean = weightedMean(pieces, weights);
    // Free while results are handed out.
    const scratch = memory.floats(work.projected, mean.length);
    scratch.set(mean);
    kernels.l2Normalize(work.projected, mean.length);
    if (!isFiniteArray(scratch)) throw overflow();
    done(scratch.slice());
  });
}

/** One branch a window; `done` gets their outputs in order when all are there, and an error of ours that it throws fails the call. */
export function windowBranches(
  call: Call,
  task: Task | null,
  readings: readonly Reading[],
  output: (take: (values: Float32Array) => void) => Output,
  done: (pieces: readonly Float32Array[]) => void,
): WorkBranch[] {
  const fail = call.failIn(task);
  const pieces = new Array<Float32Array>(readings.length);
  let missing = readings.length;
  const take = (index: number, values: Float32Array): void => {
    pieces[index] = values;
    if (--missing > 0) return;
    try {
      done(pieces);
    } catch (error) {
      // Anything else is a kernel that stopped: then the pass ends.
      if (!(error instanceof RootstockError)) throw error;
      fail(error);
    }
  };
  return readings.map((read, index) => ({ adapter: task?.adapter ?? null, read, fail, output: output((values) => take(index, values)) }));
}

/** Rows of each window that hold the tokens wanted. Windows are read in the order of their tokens, each token in one. */
function windowReadings(tokens: Int32Array, { windows, encoded }: EncodedText): Int32Array[] {
  let next = 0;
  return windows.map((window) => {
    const first = next;
    while (next < tokens.length && tokens[next]! < window.to) next++;
    return tokens.slice(first, next).map((token) => rowInWindow(window, encoded, token));
  });
}

function labelsOf(task: Task, scores: Float32Array, { topK }: ResultOptions): TaskResult {
  return classify(scores, task.labels, topK);
}

function spansOf(task: Task, probabilities: Float32Array, tokens: Int32Array, { text, encoded }: EncodedText, options: ResultOptions): TaskResult {
  return decodeEntities({ probabilities, tokens }, text, encoded, task.scheme, options);
}

function joined(pieces: readonly Float32Array[]): Float32Array {
  if (pieces.length === 1) return pieces[0]!;
  const out = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** In float64 and in order, so that it is the same everywhere. */
function weightedMean(pieces: readonly Float32Array[], weights: readonly number[]): Float32Array {
  const [first] = pieces;
  if (pieces.length === 1) return first!;
  const sum = new Float64Array(first!.length);
  let total = 0;
  for (const [index, piece] of pieces.entries()) {
    const weight = weights[index]!;
    total += weight;
    for (let i = 0; i < sum.length; i++) sum[i]! += piece[i]! * weight;
  }
  return Float32Array.from(sum, (value) => value / total);
}
