import { transposed } from "../model/adapter-values.ts";
import type { LinearPlace } from "../model/weight-format.ts";
import type { NormPlace } from "../model/plan.ts";
import { uniformBatch, type Batch, type Block } from "../run/batch.ts";
import { activate, attention, embed, linear, normalize, type Machine } from "../run/forward.ts";
import { fillRows, type TextIds } from "../run/rows.ts";
import type { Address } from "../wasm/kernels.ts";
import { alignUp } from "../wasm/memory.ts";
import type { AdapterPool } from "../wasm/pool.ts";
import type { FloatLinear } from "./source-weights.ts";

/** Calibration rows: some whole texts that fit into one pass. */
export interface Pass {
  readonly texts: readonly TextIds[];
  readonly rows: number;
}

/** Rows of every pass, in the passes' order: one matrix each. */
export type Rows = readonly Float32Array[];

export function calibrationPasses(m: Machine, texts: readonly TextIds[]): Pass[] {
  const passes: { texts: TextIds[]; rows: number }[] = [];
  for (const text of texts) {
    if (passes.length === 0 || passes.at(-1)!.rows + text.ids.length > m.work.rows) passes.push({ texts: [], rows: 0 });
    passes.at(-1)!.texts.push(text);
    passes.at(-1)!.rows += text.ids.length;
  }
  return passes;
}

/** A pass's batch, its ids in the workspace. */
export function batchOf(m: Machine, { texts }: Pass): Batch {
  const batch = uniformBatch(m.work.states[0], texts.map(({ ids }) => ids.length), null, 0, m.work.block);
  fillRows(m, texts, batch.segments.map(({ first }, text) => ({ text, first })));
  return batch;
}

/** The rounded encoder's embeddings after their LayerNorm, before a projection. */
export function embeddedRows(m: Machine, pass: Pass): Float32Array {
  const batch = batchOf(m, pass);
  const { embeddingSize: width } = m.plan.config;
  const rows = new Float32Array(batch.rows * width);
  for (const { first, rows: count, parts } of batch.blocks) {
    embed(m, { first, rows: count, parts }, m.work.embedded);
    rows.set(m.memory.floats(m.work.embedded, count * width), first * width);
  }
  return rows;
}

function put(m: Machine, address: Address, values: Float32Array): Address {
  m.memory.floats(address, values.length).set(values);
  return address;
}

/** Steps on rows, a block at a time: what lies between two products has room for no more. */
function inBlocks(m: Machine, rows: number, step: (block: Block) => void): void {
  for (let first = 0; first < rows; first += m.work.block) {
    const count = Math.min(m.work.block, rows - first);
    step({ first: 0, rows: count, parts: [{ first: 0, rows: count, adapter: null }] });
  }
}

/** Rows in, rows out: `step` turns a block of rows at `from` into one at `to`. */
function mapRows(m: Machine, list: readonly Pass[], x: Rows, [from, depth]: Place, [to, columns]: Place, step: (block: Block, pass: number, first: number) => void): Float32Array[] {
  return list.map(({ rows }, pass) => {
    const out = new Float32Array(rows * columns);
    let first = 0;
    inBlocks(m, rows, (block) => {
      put(m, from, x[pass]!.subarray(first * depth, (first + block.rows) * depth));
      step(block, pass, first);
      out.set(m.memory.floats(to, block.rows * columns), first * columns);
      first += block.rows;
    });
    return out;
  });
}

/** A buffer of a block of rows, and its width. */
type Place = readonly [at: Address, width: number];

/** x → int8 product of a linear layer, as it is served. */
export function servedLinear(m: Machine, list: readonly Pass[], x: Rows, place: LinearPlace): Float32Array[] {
  const [from, to] = buffers(m, place);
  return mapRows(m, list, x, [from, place.depth], [to, place.columns], (block) => linear(m, from, block, place, () => null, to));
}

/** Bytes of a linear layer in float32: its rows, padded as the kernel reads them, and its bias. */
export function floatLinearBytes(columns: number, depth: number): number {
  return (depth + 1) * alignUp(columns, 4) * 4;
}

/** x → float32 product of a linear layer (`bias` left out where only the product is wanted). */
export function floatLinear(m: Machine, pool: AdapterPool, list: readonly Pass[], x: Rows, place: LinearPlace, own: FloatLinear, withBias: boolean): Float32Array[] {
  const { columns, depth } = place;
  const stride = alignUp(columns, 4);
  const bytes = floatLinearBytes(columns, depth);
  const weights = pool.allocate(bytes);
  const bias = weights + depth * stride * 4;
  put(m, weights, transposed(own.weight, columns, depth, 1));
  put(m, bias, own.bias);
  const [from, to] = buffers(m, place);
  const y = mapRows(m, list, x, [from, depth], [to, columns], ({ rows }) => {
    m.kernels.dense(from, rows, depth, depth, weights, withBias ? bias : 0, columns, to, columns);
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
    const { segments } = batchOf(m, pass);
    put(m, work.query, q[i]!);
    put(m, work.key, k[i]!);
    put(m, work.value, v[i]!);
    for (const segment of segments) for (const _ of attention(m, segment, segment));
    return m.memory.floats(work.query, q[i]!.length).slice();
  });
}

/** LayerNorm(x + residual). */
export function normRows(m: Machine, list: readonly Pass[], x: Rows, residual: Rows | null, place: NormPlace, width: number): Float32Array[] {
  const { work, plan } = m;
  const at = place === plan.embeddingNorm ? work.embedded : work.projected;
  return mapRows(m, list, x, [at, width], [at, width], (block, pass, first) => {
    const other = residual === null ? 0 : put(m, work.attended, residual[pass]!.subarray(first * width, (first + block.rows) * width));
    normalize(m, at, other, block, width, place, () => 0, at);
  });
}

export function activateRows(m: Machine, list: readonly Pass[], x: Rows): Float32Array[] {
  const { work, plan } = m;
  const { intermediate } = plan.config;
  return mapRows(m, list, x, [work.wide, intermediate], [work.wide, intermediate], ({ rows }) => activate(m, work.wide, rows * intermediate));
}

/** a − b, pass by pass. */
export function difference(a: Rows, b: Rows): Float32Array[] {
  return a.map((rows, i) => rows.map((value, k) => value - b[i]![k]!));
}
