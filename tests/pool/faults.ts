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
  /** Resolves in the very turn in which such a message was sent, or received, before another one can come. */
  sending(is: (message: Message) => boolean): Promise<void>;
  receiving(is: (message: Message) => boolean): Promise<void>;
}

/** Messages that went one way, and who waits for one. */
class Way {
  readonly messages: Message[] = [];
  #waiting: { is: (message: Message) => boolean; resolve: () => void }[] = [];

  add(message: Message): void {
    this.messages.push(message);
  }

  /** After the message was dealt with. */
  tell(message: Message): void {
    const heard = this.#waiting.filter(({ is }) => is(message));
    this.#waiting = this.#waiting.filter((one) => !heard.includes(one));
    for (const { resolve } of heard) resolve();
  }

  next(is: (message: Message) => boolean): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ is, resolve }));
  }
}

/** A pool of real workers, the first ones with a fault each (null: none). */
export async function watchedPool(
  source: SourceLike,
  options: PoolOptions,
  faults: readonly (Fault | null)[] = [],
  workers: Worker[] = [],
): Promise<Watched> {
  const [posted, received] = [new Way(), new Way()];
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
        posted.add(message as Message);
        thread.post(message);
        posted.tell(message as Message);
        const { m: method, a: args } = message as Message;
        if (!isInside && fault !== null && (method === fault.at || (method === "call" && args?.[1] === fault.at))) void worker.terminate();
      },
      listen(listener) {
        thread.listen({
          ...listener,
          message(data) {
            received.add(data as Message);
            listener.message(data);
            received.tell(data as Message);
          },
        });
      },
    };
  };
  const pool = await loadPoolOf(start, source, options);
  return { pool, workers, posted: posted.messages, received: received.messages, sending: (is) => posted.next(is), receiving: (is) => received.next(is) };
}
