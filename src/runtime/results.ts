import { located } from "../errors.ts";
import { classify, type Classification } from "../heads/classify.ts";
import { decodeEntities, tokensToScore, type Entity, type EntityGroup } from "../heads/entities.ts";
import type { PassText } from "../run/pass.ts";
import { rowInWindow } from "../text/windows.ts";
import type { Call, WorkBranch } from "./call.ts";
import type { RunOptions } from "./options.ts";
import type { EncodedText } from "./requests.ts";
import { headOf, type Task } from "./task.ts";

/** What a task gives for a text: spans of a token-classification head, or labels of a text classifier. */
export type TaskResult = Entity[] | EntityGroup[] | Classification[];

/** Results of one request, under the names of its tasks. */
export type Results<Name extends string = string> = Record<Name, TaskResult>;

/** A task's branches over a text, one a window; `done` gets the result when all have theirs. */
export function taskBranches(call: Call, task: Task, text: EncodedText, options: RunOptions, done: (result: TaskResult) => void): WorkBranch[] {
  const { windows } = text;
  const pieces = new Array<Float32Array>(windows.length);
  let missing = windows.length;
  const fail = (error: unknown): void => call.fail(located(error, `task "${task.name}"`));
  const isToken = headOf(task).kind === "token";
  const tokens = isToken ? tokensToScore(text.encoded, options.aggregation ?? "first") : null;
  return windows.map((window, index) => ({
    adapter: task.adapter,
    read: tokens === null ? "first" : tokensIn(tokens, window.from, window.to).map((token) => rowInWindow(window, text.encoded, token)),
    fail,
    output: {
      kind: "scores",
      apply: task.score,
      take(scores) {
        pieces[index] = scores;
        if (--missing > 0) return;
        try {
          done(tokens === null ? labelsOf(task, windowMean(pieces, windows), options) : spansOf(task, joined(pieces), tokens, text, options));
        } catch (error) {
          fail(error);
        }
      },
    },
  }));
}

/** Those of the tokens, in rising order, that lie in a range. */
function tokensIn(tokens: Int32Array, from: number, to: number): Int32Array {
  return tokens.filter((token) => token >= from && token < to);
}

function labelsOf(task: Task, scores: Float32Array, options: RunOptions): TaskResult {
  return classify(scores, task.labels, { topK: options.topK === undefined ? 1 : options.topK });
}

function spansOf(task: Task, probabilities: Float32Array, tokens: Int32Array, { text, encoded }: EncodedText, options: RunOptions): TaskResult {
  return decodeEntities({ probabilities, tokens }, text, encoded, task.scheme, {
    aggregation: options.aggregation ?? "first",
    ignoreLabels: options.ignoreLabels ?? ["O"],
    offsets: options.offsets ?? "utf16",
  });
}

/** Windows are read in the order of their tokens, so that their rows need only be put one after the other. */
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

/** The mean over the windows of a long text, each weighted by its tokens, in float64 and in their order. */
export function windowMean(pieces: readonly Float32Array[], windows: readonly { readonly length: number }[]): Float32Array {
  const [first] = pieces;
  if (pieces.length === 1) return first!;
  const sum = new Float64Array(first!.length);
  let weight = 0;
  for (const [index, piece] of pieces.entries()) {
    const { length } = windows[index]!;
    weight += length;
    for (let i = 0; i < sum.length; i++) sum[i]! += piece[i]! * length;
  }
  return Float32Array.from(sum, (value) => value / weight);
}

/** The texts of a pass for one text: its branches window by window. */
export function windowTexts({ windows }: EncodedText, branches: readonly (readonly WorkBranch[])[]): (Pick<PassText, "ids"> & { branches: WorkBranch[] })[] {
  return windows.map(({ ids }, index) => ({ ids, branches: branches.map((own) => own[index]!) }));
}
