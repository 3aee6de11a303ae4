import { setImmediate } from "node:timers/promises";
import { located } from "../errors.ts";
import { RootstockError, type Encoder, type Results, type RunOptions } from "../index.ts";
import type { TextItem } from "./read-texts.ts";

/** Texts a call: enough to fill a pass of the encoder with short ones. */
export const BATCH = 32;

export interface BatchRun<T extends TextItem> {
  /** Tasks of a text that names none itself. */
  readonly tasks: readonly string[];
  readonly options: RunOptions;
  onResult(item: T, results: Results): Promise<void>;
  /** Other options to try a refused text with, or null to give up. */
  retry?(error: RootstockError): RunOptions | null;
}

/**
 * Runs texts in batches and hands each result on in order. A batch with a text that is refused is run again one by one,
 * so that the texts before it have their results and the error names its place.
 */
export async function runItems<T extends TextItem>(encoder: Encoder, items: readonly T[], run: BatchRun<T>): Promise<void> {
  for (let first = 0; first < items.length; first += BATCH) {
    const batch = items.slice(first, first + BATCH);
    const results = await runBatch(encoder, batch, run);
    for (const [index, item] of batch.entries()) {
      await run.onResult(item, results === null ? await runOne(encoder, item, run) : results[index]!);
    }
    await setImmediate(); // lets Ctrl-C in
  }
}

/** null when a text of the batch is refused. */
async function runBatch<T extends TextItem>(encoder: Encoder, batch: readonly T[], { tasks, options }: BatchRun<T>): Promise<Results[] | null> {
  const requests = batch.map((item) => ({ ...item.content, tasks: item.tasks ?? tasks }));
  try {
    return await encoder.runBatch(requests, options);
  } catch (error) {
    if (error instanceof RootstockError) return null;
    throw error;
  }
}

async function runOne<T extends TextItem>(encoder: Encoder, item: T, run: BatchRun<T>): Promise<Results> {
  const requests = [{ ...item.content, tasks: item.tasks ?? run.tasks }];
  const attempt = async (options: RunOptions): Promise<Results> => (await encoder.runBatch(requests, options))[0]!;
  try {
    return await attempt(run.options).catch((error: unknown) => {
      const options = error instanceof RootstockError ? run.retry?.(error) : null;
      if (options == null) throw error;
      return attempt(options);
    });
  } catch (error) {
    throw located(error, item.where);
  }
}
