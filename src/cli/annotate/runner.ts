import { loadPool } from "../../pool/index.ts";
import { loading, openEncoder, packageEncoder } from "../models.ts";
import type { Session } from "../session.ts";
import type { Runner } from "./work.ts";

/** Chunks on their way at a time, for each worker: one being worked on, one waiting for it, one waiting to be written. */
const CHUNKS_A_WORKER = 3;

export interface OpenRunner {
  readonly runner: Runner;
  /** Chunks that may be taken from the input and not yet be written. */
  readonly inFlight: number;
}

/** An encoder in this process for one worker, which need not be sent its texts; else a pool. */
export async function openRunner(folder: string | undefined, workers: number, session: Session): Promise<OpenRunner> {
  const inFlight = CHUNKS_A_WORKER * workers;
  if (workers === 1) return { runner: await openEncoder(folder, session), inFlight };
  return { runner: await loadPool(folder ?? packageEncoder(), { workers, ...loading(session) }).finally(() => session.progress(null)), inFlight };
}
