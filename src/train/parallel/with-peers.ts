import { RootstockError } from "../../errors.ts";
import { MAX_WORKERS } from "../../limits.ts";
import { workerThreads } from "../../load/builtin.ts";
import { unpackError } from "../../packed-error.ts";
import { Meeting } from "./meeting.ts";
import type { PeerMessage, PeerStart } from "./peer.ts";
import { shareMemory } from "./shared-sums.ts";

type NodeWorker = import("node:worker_threads").Worker;

export interface PeersOptions {
  /** Stops all peers at once, wherever they are. */
  readonly signal?: AbortSignal | undefined;
  /** What a peer posts. */
  readonly onMessage?: ((message: unknown, rank: number) => void) | undefined;
}

/**
 * Runs a program in `count` worker threads that train together, and returns what rank 0's returns. When one fails, is lost or is
 * stopped, all are: sums that wait reject, and every thread has ended before this rejects, with one error. Node, Deno, Bun.
 *
 * @param count 1 to 64
 * @param entry a module that calls `runPeer`
 * @param data for every peer, by structured cloning: SharedArrayBuffers are shared, all else is copied
 * @throws what the first peer that failed threw; RootstockError `worker-lost` when one ended before its work was done;
 *   `argument-invalid` for a wrong count, without worker threads, and when the peers do not sum the same; `signal.reason`.
 */
export async function withPeers<Result>(count: number, entry: URL, data: unknown, { signal, onMessage }: PeersOptions = {}): Promise<Result> {
  if (!Number.isInteger(count) || count < 1 || count > MAX_WORKERS) {
    throw new RootstockError("argument-invalid", `the number of peers is ${count}; it must be a whole number from 1 to ${MAX_WORKERS}.`);
  }
  const threads = workerThreads();
  if (threads === undefined) {
    throw new RootstockError("argument-invalid", "training with several workers needs worker threads, as Node, Deno and Bun have them. Train with one here.");
  }
  signal?.throwIfAborted();
  const shared = shareMemory(count);
  const workers: NodeWorker[] = [];
  const ends: Promise<unknown>[] = [];
  let result: Result;
  let ended = 0;
  const stop = new AbortController();
  try {
    return await new Promise<Result>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason as Error), { signal: stop.signal });
      for (let rank = 0; rank < count; rank++) {
        const start: PeerStart = { rank, shared, data };
        // Flags of the process as `--input-type` would be refused for a file.
        const worker = new threads.Worker(entry, { execArgv: [], workerData: start });
        workers.push(worker);
        const lost = (how: string, cause?: unknown): void => {
          reject(new RootstockError("worker-lost", `peer ${rank} of ${count} was lost: ${how}. Nothing of this run was kept but its checkpoint; run it again.`, { cause }));
        };
        ends.push(new Promise((done) => worker.on("exit", done)));
        worker.on("exit", (code) => lost(`it ended with exit code ${code}`));
        worker.on("error", (cause: unknown) => lost(`it threw ${cause instanceof Error ? cause.message : String(cause)}`, cause));
        worker.on("messageerror", (cause) => lost("it sent a message that cannot be decoded", cause));
        worker.on("message", (message: PeerMessage) => {
          if (message.kind === "error") reject(unpackError(message.error));
          else if (message.kind === "message") tell(message.value, rank);
          else {
            if (rank === 0) result = message.value as Result;
            // What each posted before has come then, too.
            if (++ended === count) resolve(result);
          }
        });
      }
      function tell(message: unknown, rank: number): void {
        try {
          if (!stop.signal.aborted) onMessage?.(message, rank);
        } catch (error) {
          reject(error as Error);
        }
      }
    });
  } finally {
    stop.abort();
    new Meeting(shared.meeting, count).break();
    await Promise.all(workers.map((worker) => worker.terminate()));
    await Promise.all(ends);
  }
}
