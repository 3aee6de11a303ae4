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

/**
 * The program of a peer: the same in all, but for the parts that each computes.
 * @param data what `withPeers` was given, as structured cloning makes it
 * @param post sends a message to the host's `onMessage`
 * @returns rank 0's is the result of `withPeers`
 */
export type PeerProgram = (peers: Peers, data: unknown, post: (message: unknown) => void) => unknown;

/**
 * Runs `program` as the peer that this worker is. The file that `withPeers` is given calls it once, at its top.
 * @throws RootstockError `argument-invalid` outside of such a worker.
 */
export function runPeer(program: PeerProgram): void {
  const { parentPort, workerData } = workerThreads() ?? {};
  if (parentPort == null || (workerData as Partial<PeerStart> | null)?.shared === undefined) {
    throw new RootstockError("argument-invalid", "runPeer works in a worker that withPeers has started. Give this file to withPeers.");
  }
  const { rank, shared, data } = workerData as PeerStart;
  const sums = new SharedSums(rank, shared);
  const post = (message: PeerMessage): void => parentPort.postMessage(message);
  // Its last word has been said: the host ends it. A program that waits for nothing ends by itself, and so counts as lost.
  const stay = (): void => void parentPort.on("message", () => undefined);
  const run = async (): Promise<void> => {
    const value = await program(sums, data, (message) => post({ kind: "message", value: message }));
    sums.end();
    post({ kind: "end", value: rank === 0 ? value : null });
  };
  const fail = (error: unknown): void => {
    // Whoever broke the meeting tells why.
    if (sums.meeting.isBroken) return;
    sums.meeting.break();
    post({ kind: "error", error: packError(error) });
  };
  void run().catch(fail).then(stay);
}
