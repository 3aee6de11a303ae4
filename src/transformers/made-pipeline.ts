import { RootstockError } from "../errors.ts";
import type { Encoder } from "../runtime/encoder.ts";
import { RESIDENCE, type Residence } from "./residence.ts";
import type { TaskName } from "./tasks.ts";

/** What every pipeline has beside being called. */
export interface Pipeline<Task extends TaskName = TaskName> {
  readonly task: Task;
  /** The encoder that it runs on, which other pipelines may share. */
  readonly encoder: Encoder;
  /**
   * Waits for the calls that were made before, takes the adapter off the encoder, and disposes of the encoder when this was the last
   * pipeline over it and pipelines loaded it. Later calls reject with `disposed`; disposing twice does nothing more.
   */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A pipeline over an encoder, before its task's own types are put on it. */
export function makePipeline<Options extends object>(
  task: TaskName,
  residence: Residence,
  adapter: string | null,
  call: (texts: string | readonly string[], options: Options) => Promise<unknown>,
): Pipeline & ((texts: string | readonly string[], options?: Options) => Promise<unknown>) {
  const { encoder } = residence;
  const running = new Set<Promise<unknown>>();
  let ending: Promise<void> | null = null;

  const end = async (): Promise<void> => {
    await Promise.allSettled(running);
    try {
      if (adapter !== null) await encoder.removeAdapter(adapter);
    } catch (error) {
      // Whoever loaded the encoder, or took the adapter off it, was first.
      if (!(error instanceof RootstockError && (error.code === "disposed" || error.code === "task-unknown"))) throw error;
    } finally {
      residence.leave();
    }
  };
  const dispose = (): Promise<void> => (ending ??= end());

  const pipe = async (texts: string | readonly string[], options: Options | null = null): Promise<unknown> => {
    if (ending !== null) throw new RootstockError("disposed", "the pipeline was disposed. Make it again.");
    const work = call(texts, options ?? ({} as Options));
    running.add(work);
    try {
      return await work;
    } finally {
      running.delete(work);
    }
  };
  residence.enter();
  return Object.assign(pipe, { task, encoder, dispose, [Symbol.asyncDispose]: dispose, [RESIDENCE]: residence });
}

/** @throws RootstockError `disposed`. */
export function requireLive(encoder: Encoder): void {
  void encoder.info;
}
