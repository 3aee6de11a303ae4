import { RootstockError } from "../errors.ts";
import type { ScoreFunction } from "../heads/classify.ts";
import { isFiniteArray } from "../model/finite.ts";
import type { DensePlace, Head } from "../model/slot.ts";
import type { Address } from "../wasm/kernels.ts";
import type { Batch } from "./batch.ts";
import { linear, type Machine, type Steps } from "./forward.ts";
import type { Branch } from "./pass-text.ts";
import { rowsRead, type ItemReading } from "./reading.ts";

/** A branch that wants scores, and its rows in the matrix of read rows. */
interface Wanted {
  readonly branch: Branch;
  readonly rows: Int32Array;
}

/** Hands each branch what it asked for of the last state; branches of one head are scored together. */
export function* deliver(m: Machine, queries: Batch, reading: readonly ItemReading[]): Steps {
  const heads = new Map<Head, Map<ScoreFunction, Wanted[]>>();
  for (const item of reading) {
    for (const { branch, head } of item.branches) {
      const { output } = branch;
      const rows = rowsRead(item, branch.read);
      if (output.kind !== "scores") {
        give(branch, output.take, output.kind === "mean" ? meanOf(m, queries, rows) : statesOf(m, queries, rows));
        continue;
      }
      const functions = heads.get(head!) ?? new Map<ScoreFunction, Wanted[]>();
      heads.set(head!, functions);
      const wanted = functions.get(output.apply);
      if (wanted === undefined) functions.set(output.apply, [{ branch, rows }]);
      else wanted.push({ branch, rows });
    }
  }
  for (const [head, functions] of heads) {
    for (const [apply, wanted] of functions) yield* score(m, queries, head, apply, wanted);
  }
}

function give(branch: Branch, take: (values: Float32Array) => void, values: Float32Array): void {
  if (isFiniteArray(values)) take(values);
  else branch.fail(overflow());
}

/** The rows, one after the other. */
function statesOf(m: Machine, queries: Batch, rows: Int32Array): Float32Array {
  const { hidden } = m.plan.config;
  const out = new Float32Array(rows.length * hidden);
  const states = m.memory.floats(queries.x, queries.rows * hidden);
  for (const [i, row] of rows.entries()) out.set(states.subarray(row * hidden, (row + 1) * hidden), i * hidden);
  return out;
}

/** Their mean: all rows of one text, which lie together. */
function meanOf(m: Machine, queries: Batch, rows: Int32Array): Float32Array {
  const { kernels, memory, work, plan } = m;
  const { hidden } = plan.config;
  kernels.meanRows(queries.x + (rows[0] ?? 0) * hidden * 4, rows.length, hidden, hidden, 0, work.pooled);
  return memory.floats(work.pooled, hidden).slice();
}

/**
 * Rows → scores of one head, in blocks over the texts.
 *
 * A logit that is NaN or infinite fails its branch (`tensor-value`): softmax would make a label of it all the same.
 */
function* score(m: Machine, queries: Batch, head: Head, apply: ScoreFunction, wanted: readonly Wanted[]): Steps {
  const { kernels, memory, work } = m;
  const { outputs } = head.classifier;
  const rows = wanted.flatMap((one) => [...one.rows]);
  const values = new Float32Array(rows.length * outputs);
  const isBad = new Uint8Array(rows.length);
  const block = Math.min(work.block, Math.floor(work.logitElements / outputs));
  for (let first = 0; first < rows.length; first += block) {
    const n = Math.min(block, rows.length - first);
    memory.ints(work.ids, n).set(rows.slice(first, first + n));
    logits(m, queries.x, n, head);
    const scores = memory.floats(work.logits, n * outputs);
    if (!isFiniteArray(scores)) {
      for (let i = 0; i < n; i++) isBad[first + i] = isFiniteArray(scores.subarray(i * outputs, (i + 1) * outputs)) ? 0 : 1;
    }
    if (apply === "softmax") kernels.softmaxRows(work.logits, n, outputs, outputs);
    if (apply === "sigmoid") kernels.sigmoid(work.logits, n * outputs);
    values.set(scores, first * outputs);
    yield;
  }
  let first = 0;
  for (const { branch, rows: own } of wanted) {
    const end = first + own.length;
    if (isBad.subarray(first, end).includes(1)) branch.fail(overflow());
    else if (branch.output.kind === "scores") branch.output.take(values.slice(first * outputs, end * outputs));
    first = end;
  }
}

/** The rows named in `work.ids` → `work.logits`, through the pooler where the head's family has one. */
function logits(m: Machine, states: Address, rows: number, head: Head): void {
  const { kernels, work, plan } = m;
  const { hidden } = plan.config;
  kernels.gatherRows(states, work.ids, rows, hidden, work.pooled);
  let x = work.pooled;
  if (head.usesPooler && plan.pooler !== null) {
    const block = { first: 0, rows, parts: [{ first: 0, rows, adapter: null }] };
    linear(m, x, block, plan.pooler, () => head.poolerSlot, work.headHidden);
    kernels.tanh(work.headHidden, rows * hidden);
    x = work.headHidden;
  }
  if (head.dense !== null) {
    const to = x === work.pooled ? work.headHidden : work.pooled;
    dense(m, x, rows, head.dense, to);
    kernels[head.dense.activation](to, rows * head.dense.outputs);
    x = to;
  }
  dense(m, x, rows, head.classifier, work.logits);
}

function dense(m: Machine, x: Address, rows: number, place: DensePlace, y: Address): void {
  const { inputs, outputs, weights, bias } = place;
  m.kernels.dense(x, rows, inputs, inputs, weights, bias, outputs, y, outputs);
}

/** `values` as they are. @throws RootstockError `tensor-value` on NaN or infinity. */
export function finiteResult(values: Float32Array): Float32Array {
  if (isFiniteArray(values)) return values;
  throw overflow();
}

/** Of an encoder or adapter whose weights are finite and its results are not. */
export function overflow(): RootstockError {
  return new RootstockError(
    "tensor-value",
    "the results are not finite numbers: the weights overflow float32 on this text. Take the encoder or adapter from a sound copy or training run.",
  );
}
