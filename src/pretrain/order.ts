import { RootstockError } from "../errors.ts";
import { drawKey } from "../train/dropout.ts";
import type { TaskFamily } from "./types.ts";

/** Batches that are sorted by length together: enough for lengths to be alike within a batch, few enough for batches to differ by chance. */
const POOL_BATCHES = 50;

const FAMILY_KEYS: Readonly<Record<TaskFamily, number>> = { ner: 1, tc: 2 };
/** What a random number is for. */
const [ROWS, BATCHES, REPEATS] = [1, 2, 3];

export interface OrderOptions {
  readonly family: TaskFamily;
  readonly seed: number;
  readonly batchSize: number;
}

/** What the order reads of a row. */
export interface WeightedRow {
  readonly source: { readonly weight: number };
}

/**
 * Which rows make a family's batches: a function of the rows, their weights, the seed and the size of a batch alone, so that every regime
 * sees the same batches. An epoch takes each row of weight 1 once, of weight 2 twice, of weight ½ every second one, in random order; of
 * each 50 batches the rows are sorted by length, cut, and the batches put in random order again.
 */
export class BatchOrder {
  readonly #rows: readonly WeightedRow[];
  readonly #options: OrderOptions;
  readonly #lengthOf: (row: number) => number;
  /** Batches of an epoch. */
  readonly perEpoch: number;
  #epoch: { readonly number: number; readonly rows: Int32Array };
  #pool = { epoch: -1, number: -1, batches: [] as Int32Array[] };

  /**
   * @param lengthOf tokens of a row: asked only of rows that are near their turn
   * @throws RootstockError `data-invalid` for fewer rows than a batch.
   */
  constructor(rows: readonly WeightedRow[], options: OrderOptions, lengthOf: (row: number) => number) {
    this.#rows = rows;
    this.#options = options;
    this.#lengthOf = lengthOf;
    const { family, batchSize } = options;
    this.#epoch = { number: 0, rows: this.#draw(0) };
    this.perEpoch = Math.floor(this.#epoch.rows.length / batchSize);
    if (this.perEpoch === 0) {
      const what = family === "ner" ? "sentences" : "pairs";
      throw new RootstockError("data-invalid", `${rows.length} ${what} make no batch of ${batchSize}. Give more rows, or a smaller batchSize.`);
    }
  }

  /** Row numbers of the batch `index`, from 0 on without end. */
  batch(index: number): Int32Array {
    const number = Math.floor(index / this.perEpoch);
    const within = index % this.perEpoch;
    if (this.#epoch.number !== number) this.#epoch = { number, rows: this.#draw(number) };
    const pool = Math.floor(within / POOL_BATCHES);
    if (this.#pool.epoch !== number || this.#pool.number !== pool) this.#pool = { epoch: number, number: pool, batches: this.#sort(number, pool) };
    return this.#pool.batches[within % POOL_BATCHES]!;
  }

  /** The rows of an epoch in random order: each as often as its weight says, fractions by turns within their source. */
  #draw(epoch: number): Int32Array {
    const order = this.#shuffled(this.#rows.length, epoch, ROWS);
    const seen = new Map<WeightedRow["source"], number>();
    const drawn: number[] = [];
    for (const row of order) {
      const { source } = this.#rows[row]!;
      const before = seen.get(source) ?? 0;
      seen.set(source, before + 1);
      const times = Math.floor((before + 1) * source.weight) - Math.floor(before * source.weight);
      for (let i = 0; i < times; i++) drawn.push(row);
    }
    // Rows that are drawn several times would stand side by side.
    return this.#shuffled(drawn.length, epoch, REPEATS).map((at) => drawn[at]!);
  }

  #sort(epoch: number, pool: number): Int32Array[] {
    const { batchSize } = this.#options;
    const count = Math.min(POOL_BATCHES, this.perEpoch - pool * POOL_BATCHES);
    const first = pool * POOL_BATCHES * batchSize;
    const rows = Array.from(this.#epoch.rows.subarray(first, first + count * batchSize), (row) => ({ row, length: this.#lengthOf(row) }));
    const sorted = rows.toSorted((a, b) => a.length - b.length);
    return Array.from(this.#shuffled(count, epoch, BATCHES, pool), (batch) =>
      Int32Array.from(sorted.slice(batch * batchSize, (batch + 1) * batchSize), ({ row }) => row),
    );
  }

  /** 0 … count − 1 in random order (Fisher–Yates). */
  #shuffled(count: number, ...purpose: readonly number[]): Int32Array {
    const { seed, family } = this.#options;
    const key = drawKey(seed, FAMILY_KEYS[family], ...purpose);
    const order = Int32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(((drawKey(key, i) >>> 0) / 2 ** 32) * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }
}
