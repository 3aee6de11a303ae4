import { RootstockError } from "../../errors.ts";
import { MAX_WORKERS } from "../../limits.ts";
import { workerThreads } from "../../load/builtin.ts";
import { unpackError } from "../../packed-error.ts";
import { Meeting } from "./meeting.ts";
import type { PeerMessage, PeerStart } from "./peer.ts";
import { shareMemory } from "./shared-sums.ts";

type NodeWorker = import("node:worker_threads").Worker;

export interface PeersOptions {
  /** Stops all peers, wherever they are. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that rank 0 is given then for its own end: its `host.signal` is aborted at once. Default 0: none. */
  readonly graceMs?: number | undefined;
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
export async function withPeers<Result>(count: number, entry: URL, data: unknown, options: PeersOptions = {}): Promise<Result> {
  const { signal, graceMs = 0, onMessage } = options;
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
  const over = new AbortController();
  try {
    return await new Promise<Result>((resolve, reject) => {
      const stopped = (): void => reject(signal!.reason as Error);
      const onAbort = (): void => {
        if (graceMs === 0) return stopped();
        const timer = setTimeout(stopped, graceMs);
        over.signal.addEventListener("abort", () => clearTimeout(timer));
        workers[0]!.postMessage("stop");
      };
      signal?.addEventListener("abort", onAbort, { signal: over.signal });
      let [result, ended] = [undefined as unknown, 0];
      const heard = (message: PeerMessage, rank: number): void => {
        if (over.signal.aborted) return;
        if (message.kind === "message") onMessage?.(message.value, rank);
        else if (message.kind === "error") throw signal?.aborted === true ? signal.reason : unpackError(message.error);
        else {
          if (rank === 0) result = message.value;
          // What each posted before has come then, too.
          if (++ended === count) resolve(result as Result);
        }
      };
      for (let rank = 0; rank < count; rank++) {
        const start: PeerStart = { rank, shared, data };
        // Flags of the process as `--input-type` would be refused for a file.
        const worker = new threads.Worker(entry, { execArgv: [], workerData: start });
        workers.push(worker);
        ends.push(new Promise((done) => worker.on("exit", done)));
        listen(worker, (message) => heard(message, rank), reject, `peer ${rank} of ${count}`);
      }
    });
  } finally {
    over.abort();
    new Meeting(shared.meeting, count).break();
    await Promise.all(workers.map((worker) => worker.terminate()));
    await Promise.all(ends);
  }
}

function listen(worker: NodeWorker, heard: (message: PeerMessage) => void, fail: (error: Error) => void, name: string): void {
  const lost = (how: string, cause?: unknown): void => {
    fail(new RootstockError("worker-lost", `${name} was lost: ${how}. Nothing of this run was kept but its checkpoint; run it again.`, { cause }));
  };
  worker.on("exit", (code) => lost(`it ended with exit code ${code}`));
  worker.on("error", (cause: unknown) => lost(`it threw ${cause instanceof Error ? cause.message : String(cause)}`, cause));
  worker.on("messageerror", (cause) => lost("it sent a message that cannot be decoded", cause));
  worker.on("message", (message: PeerMessage) => {
    try {
      heard(message);
    } catch (error) {
      fail(error as Error);
    }
  });
}
