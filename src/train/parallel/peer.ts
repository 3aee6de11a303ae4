import { RootstockError } from "../../errors.ts";
import { workerThreads } from "../../load/builtin.ts";
import { packError, type PackedError } from "../../packed-error.ts";
import type { Peers } from "../peers.ts";
import { SharedSums, type SharedMemory } from "./shared-sums.ts";

/** What a worker is started with. */
export interface PeerStart {
  readonly rank: number;
  readonly shared: SharedMemory;
  readonly data: unknown;
}

/** What a worker tells its host. */
export type PeerMessage =
  | { readonly kind: "message"; readonly value: unknown }
  /** All have done their work; the value is rank 0's alone. */
  | { readonly kind: "end"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: PackedError };

/** What the host is to a peer. */
export interface PeerHost {
  /** Sends a message to `onMessage`. */
  post(message: unknown): void;
  /** Aborted, in rank 0 alone, when the host's is and there is time for a last word (`graceMs`). */
  readonly signal: AbortSignal;
}

/**
 * The program of a peer: the same in all, but for the parts that each computes.
 * @param data what `withPeers` was given, as structured cloning makes it
 * @returns rank 0's is the result of `withPeers`
 */
export type PeerProgram<Data = unknown> = (peers: Peers, data: Data, host: PeerHost) => unknown;

/**
 * Runs `program` as the peer that this worker is. The file that `withPeers` is given calls it once, at its top.
 * @throws RootstockError `argument-invalid` outside of such a worker.
 */
export function runPeer<Data>(program: PeerProgram<Data>): void {
  const { parentPort, workerData } = workerThreads() ?? {};
  if (parentPort == null || (workerData as Partial<PeerStart> | null)?.shared === undefined) {
    throw new RootstockError("argument-invalid", "runPeer works in a worker that withPeers has started. Give this file to withPeers.");
  }
  const { rank, shared, data } = workerData as PeerStart;
  const sums = new SharedSums(rank, shared);
  const stop = new AbortController();
  const post = (message: PeerMessage): void => parentPort.postMessage(message);
  parentPort.on("message", () => stop.abort());
  // A program that waits for nothing ends, and so counts as lost, instead of waiting for ever.
  parentPort.unref();
  const run = async (): Promise<void> => {
    const value = await program(sums, data as Data, { post: (message) => post({ kind: "message", value: message }), signal: stop.signal });
    sums.end();
    post({ kind: "end", value: rank === 0 ? value : null });
  };
  const fail = (error: unknown): void => {
    // Whoever broke the meeting tells why.
    if (sums.meeting.isBroken) return;
    sums.meeting.break();
    post({ kind: "error", error: packError(error) });
  };
  // After its last word the host ends it.
  void run().catch(fail).then(() => parentPort.ref());
}
