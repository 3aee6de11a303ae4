import { coresAvailable } from "../load/builtin.ts";
import { MAX_WORKERS } from "../limits.ts";
import { toSource } from "../load/source.ts";
import { ownOptions, type OptionKinds } from "../own-options.ts";
import { checkInteger, LOAD_OPTIONS, type LoadOptions, type Progress, type SourceLike } from "../runtime/options.ts";
import { Crew } from "./crew.ts";
import { sent } from "./messages.ts";
import { EncoderPool } from "./pool.ts";
import { startThread, type Thread } from "./thread.ts";

/** More than this many workers are started only when they are asked for: each holds the encoder. */
const MOST_BY_DEFAULT = 8;

/** Options of `loadPool`: those of `loadEncoder`, and the number of workers. */
export interface PoolOptions extends LoadOptions {
  /** 1 to 64. Default: the cores that are available, at most 8. */
  readonly workers?: number | undefined;
  /** Called as bytes of the weights file arrive in the first worker; the others read at the same time. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

const POOL_OPTIONS: OptionKinds<PoolOptions> = { ...LOAD_OPTIONS, workers: "" };

/**
 * Loads an encoder into several workers, each with its own memory. A path or URL is read by every worker; files in memory
 * are cloned to each; an object with `open(file)` is asked once a worker, and again when one is lost.
 *
 * @throws RootstockError as `loadEncoder`; `worker-lost` when a worker cannot be started, or ends while it loads.
 */
export function loadPool(source: SourceLike, options: PoolOptions = {}): Promise<EncoderPool> {
  return loadPoolOf(startThread, source, options);
}

/** The same with another way to start a worker. @internal */
export async function loadPoolOf(start: () => Thread, source: SourceLike, options: PoolOptions): Promise<EncoderPool> {
  const { signal, onProgress, workers, ...rest } = ownOptions(options, POOL_OPTIONS);
  signal?.throwIfAborted();
  const count = checkInteger(workers ?? Math.min(MOST_BY_DEFAULT, coresAvailable()), "workers", 1, MAX_WORKERS);
  // Before there are threads: what is no source is no reason to start one.
  toSource(source);
  const crew = new Crew({ source, options: sent(rest) }, start);
  const end = new AbortController();
  const tell = onProgress && ((progress: Progress): void => {
    try {
      onProgress(progress);
    } catch (error) {
      end.abort(error);
    }
  });
  const onAbort = (): void => end.abort(signal!.reason);
  signal?.addEventListener("abort", onAbort);
  try {
    await new Promise<unknown>((resolve, reject) => {
      end.signal.addEventListener("abort", () => reject(end.signal.reason as Error));
      Promise.all(Array.from({ length: count }, (_, index) => crew.join(index === 0 ? tell : undefined))).then(resolve, reject);
    });
    return new EncoderPool(crew);
  } catch (error) {
    crew.dispose(() => error as Error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
