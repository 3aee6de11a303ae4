import { Worker } from "node:worker_threads";
import type { EncoderPool, PoolOptions } from "../../src/pool/index.ts";
import type { Thread } from "../../src/pool/thread.ts";
import type { SourceLike } from "../../src/index.ts";
import { loadPoolOf, nodeThread } from "./built.ts";

/**
 * In which message a worker goes wrong, and how; at "answer": in the host's first answer to what it asks. "terminate": from outside,
 * once the message is sent. "refuse": it refuses the adapter of the name `at`, or that is added with the option `at`. "trap": a kernel
 * traps; "damage": it overwrites the weights before.
 */
export interface Fault {
  readonly at: string;
  readonly how: "exit" | "throw" | "rejection" | "garbage" | "refuse" | "terminate" | "trap" | "damage";
}

interface Message {
  readonly t?: string;
  readonly m?: string;
  readonly a?: readonly unknown[];
  readonly e?: unknown;
}

export interface Watched {
  readonly pool: EncoderPool;
  /** Every worker that was started, in order. */
  readonly workers: readonly Worker[];
  /** What the host sent, and what it received. */
  readonly posted: readonly Message[];
  readonly received: readonly Message[];
}

/** A pool of real workers, the first ones with a fault each (null: none). */
export async function watchedPool(
  source: SourceLike,
  options: PoolOptions,
  faults: readonly (Fault | null)[] = [],
  workers: Worker[] = [],
): Promise<Watched> {
  const posted: Message[] = [];
  const received: Message[] = [];
  const start = (): Thread => {
    const fault = faults[workers.length] ?? null;
    const isInside = fault !== null && fault.how !== "terminate";
    const worker = isInside
      ? new Worker(new URL("./faulty-worker.mjs", import.meta.url), { execArgv: [], workerData: fault })
      : new Worker(new URL("../../dist/pool/worker.js", import.meta.url), { execArgv: [] });
    workers.push(worker);
    const thread = nodeThread(worker);
    return {
      ...thread,
      post(message) {
        posted.push(message as Message);
        thread.post(message);
        const { m: method, a: args } = message as Message;
        if (!isInside && fault !== null && (method === fault.at || (method === "call" && args?.[1] === fault.at))) void worker.terminate();
      },
      listen(listener) {
        thread.listen({
          ...listener,
          message(data) {
            received.push(data as Message);
            listener.message(data);
          },
        });
      },
    };
  };
  return { pool: await loadPoolOf(start, source, options), workers, posted, received };
}
