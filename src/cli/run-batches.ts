import { setImmediate } from "node:timers/promises";
import { located } from "../errors.ts";
import { RootstockError, type Encoder, type Results, type RunOptions } from "../index.ts";
import type { TextItem } from "./read-texts.ts";

/** Texts a call: enough to fill a pass of the encoder with short ones. */
const BATCH = 32;

/** Items to their results, in order. */
type Call<T, R> = (items: readonly T[]) => Promise<readonly R[]>;

export interface Batches<T, R> {
  readonly call: Call<T, R>;
  /** For an item by itself; default `call`. */
  readonly callOne?: Call<T, R>;
  readonly onResults: (items: readonly T[], results: readonly R[]) => Promise<void>;
  /** Heard after every batch, the last one too. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs items in batches and hands results on in order. A batch with one that is refused is run again one by one, so that those before it have
 * their results and the error names its place.
 */
export async function inBatches<T extends TextItem, R>(items: readonly T[], { call, callOne = call, onResults, signal }: Batches<T, R>): Promise<void> {
  for (let first = 0; first < items.length; first += BATCH) {
    const batch = items.slice(first, first + BATCH);
    const results = await call(batch).catch((error: unknown) => {
      if (error instanceof RootstockError) return null;
      throw error;
    });
    if (results !== null) await onResults(batch, results);
    else {
      for (const item of batch) {
        const own = await callOne([item]).catch((error: unknown) => {
          throw located(error, item.where);
        });
        await onResults([item], own);
      }
    }
    await setImmediate(); // lets Ctrl-C in
    signal?.throwIfAborted();
  }
}

export interface BatchRun<T extends TextItem> {
  /** Tasks of a text that names none itself. */
  readonly tasks: readonly string[];
  readonly options: RunOptions;
  onResult(item: T, results: Results): Promise<void>;
  /** Other options to try a refused text with, or null to give up. */
  retry?(error: RootstockError): RunOptions | null;
}

/** Runs texts through their tasks `inBatches`. */
export async function runItems<T extends TextItem>(encoder: Encoder, items: readonly T[], run: BatchRun<T>): Promise<void> {
  const callWith = (batch: readonly T[], options: RunOptions): Promise<Results[]> =>
    encoder.runBatch(batch.map((item) => ({ ...item.content, tasks: item.tasks ?? run.tasks })), options);
  await inBatches(items, {
    call: (batch) => callWith(batch, run.options),
    callOne: (batch) =>
      callWith(batch, run.options).catch((error: unknown) => {
        const options = error instanceof RootstockError ? run.retry?.(error) : null;
        if (options == null) throw error;
        return callWith(batch, options);
      }),
    async onResults(batch, results) {
      for (const [index, item] of batch.entries()) await run.onResult(item, results[index]!);
    },
  });
}
