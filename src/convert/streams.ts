import { transposed } from "../model/adapter-values.ts";
import type { LinearPlace } from "../model/weight-format.ts";
import type { NormPlace } from "../model/plan.ts";
import { fillBatch, passes, type TextRows } from "../run/batch.ts";
import { activate, attention, linear, normalize, type Batch, type Machine } from "../run/forward.ts";
import type { Address } from "../wasm/kernels.ts";
import type { AdapterPool } from "../wasm/pool.ts";
import type { FloatLinear } from "./source-weights.ts";

/** Calibration rows: some whole texts that fit into one pass. */
export interface Pass {
  readonly texts: readonly TextRows[];
  readonly rows: number;
}

/** Rows of every pass, in the passes' order: one matrix each. */
export type Rows = readonly Float32Array[];

export function calibrationPasses(m: Machine, texts: readonly TextRows[]): Pass[] {
  return passes(texts, m.work.rows).map((group) => ({ texts: group, rows: group.reduce((sum, { ids }) => sum + ids.length, 0) }));
}

/** A pass's batch, its ids in the workspace. */
export function batchOf(m: Machine, pass: Pass): Batch {
  return fillBatch(m, pass.texts);
}

function put(m: Machine, address: Address, values: Float32Array): Address {
  m.memory.floats(address, values.length).set(values);
  return address;
}

function take(m: Machine, address: Address, count: number): Float32Array {
  return m.memory.floats(address, count).slice();
}

/** x → int8 product of a linear layer, as it is served. */
export function servedLinear(m: Machine, list: readonly Pass[], x: Rows, place: LinearPlace): Float32Array[] {
  const [from, to] = buffers(m, place);
  return list.map(({ rows }, i) => {
    put(m, from, x[i]!);
    linear(m, from, rows, place, null, to);
    return take(m, to, rows * place.columns);
  });
}

/** x → float32 product of a linear layer (`bias` left out where only the product is wanted). */
export function floatLinear(m: Machine, pool: AdapterPool, list: readonly Pass[], x: Rows, place: LinearPlace, own: FloatLinear, withBias: boolean): Float32Array[] {
  const { columns, depth } = place;
  const stride = (columns + 3) & ~3;
  const bytes = (depth + 1) * stride * 4;
  const weights = pool.allocate(bytes);
  const bias = weights + depth * stride * 4;
  put(m, weights, transposed(own.weight, columns, depth, 1));
  put(m, bias, own.bias);
  const [from, to] = buffers(m, place);
  const y = list.map(({ rows }, i) => {
    put(m, from, x[i]!);
    m.kernels.dense(from, rows, depth, depth, weights, withBias ? bias : 0, columns, to, columns);
    return take(m, to, rows * columns);
  });
  pool.release(weights, bytes);
  return y;
}

/** Workspace buffers wide enough for a linear layer's input and output. */
function buffers(m: Machine, place: LinearPlace): [from: Address, to: Address] {
  const { work, plan } = m;
  // Factorised embeddings may be wider than anything else.
  if (place === plan.projection) return [work.embedded, work.projected];
  const isWide = (width: number): boolean => width > plan.config.hidden;
  if (isWide(place.depth)) return [work.wide, work.projected];
  return [work.attended, isWide(place.columns) ? work.wide : work.projected];
}

export function attentionRows(m: Machine, list: readonly Pass[], q: Rows, k: Rows, v: Rows): Float32Array[] {
  const { work } = m;
  return list.map((pass, i) => {
    const batch = batchOf(m, pass);
    put(m, work.query, q[i]!);
    put(m, work.key, k[i]!);
    put(m, work.value, v[i]!);
    attention(m, batch);
    return take(m, work.context, q[i]!.length);
  });
}

/** LayerNorm(x + residual). */
export function normRows(m: Machine, list: readonly Pass[], x: Rows, residual: Rows | null, place: NormPlace, width: number): Float32Array[] {
  const { work, plan } = m;
  const at = place === plan.embeddingNorm ? work.embedded : work.projected;
  return list.map(({ rows }, i) => {
    put(m, at, x[i]!);
    const other = residual === null ? 0 : put(m, work.attended, residual[i]!);
    normalize(m, at, other, rows, width, place, 0, at);
    return take(m, at, x[i]!.length);
  });
}

export function activateRows(m: Machine, list: readonly Pass[], x: Rows): Float32Array[] {
  const { work } = m;
  return list.map((_, i) => {
    put(m, work.wide, x[i]!);
    activate(m, work.wide, x[i]!.length);
    return take(m, work.wide, x[i]!.length);
  });
}

/** a − b, pass by pass. */
export function difference(a: Rows, b: Rows): Float32Array[] {
  return a.map((rows, i) => rows.map((value, k) => value - b[i]![k]!));
}
