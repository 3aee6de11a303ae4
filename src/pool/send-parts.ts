import { RootstockError } from "../errors.ts";
import type { Crew } from "./crew.ts";
import type { Member } from "./member.ts";
import type { Part } from "./split.ts";

/**
 * Sends the parts of a list to workers as they have room, and puts the answers back in order. Of several parts that fail,
 * the first in order is what the caller hears: those before it are awaited, those after it stopped. A lost worker ends the
 * whole at once.
 */
export async function sendParts<T>(
  crew: Crew,
  parts: readonly Part[],
  stop: AbortSignal,
  send: (member: Member, part: Part, stop: AbortSignal) => Promise<readonly T[]>,
): Promise<T[]> {
  stop.throwIfAborted();
  const answers = new Array<readonly T[]>(parts.length);
  const stops = parts.map(() => new AbortController());
  // For the part that waits for a worker.
  const queue = new AbortController();
  const stopFrom = (from: number, reason: unknown): void => {
    queue.abort(reason);
    for (const controller of stops.slice(from)) controller.abort(reason);
  };
  const onStop = (): void => stopFrom(0, stop.reason);
  stop.addEventListener("abort", onStop);

  let failed = parts.length;
  let failure: unknown;
  const run = async (member: Member, index: number): Promise<void> => {
    try {
      answers[index] = await send(member, parts[index]!, stops[index]!.signal);
    } catch (error) {
      if (isFinal(error)) throw error;
      if (index >= failed) return;
      failed = index;
      failure = error;
      stopFrom(index + 1, error);
    }
  };

  const running: Promise<void>[] = [];
  try {
    for (let index = 0; index < failed; index++) {
      const lease = await crew.lease(parts[index]!.size, true, queue.signal).catch((error: unknown) => {
        if (failed < index) return null;
        throw error;
      });
      if (lease === null) break;
      const done = run(lease.member, index).finally(() => lease.release());
      done.catch((error: unknown) => stopFrom(0, error));
      running.push(done);
    }
    await Promise.all(running);
  } catch (error) {
    stopFrom(0, error);
    throw error;
  } finally {
    stop.removeEventListener("abort", onStop);
  }
  if (failed < parts.length) throw failure;
  return answers.flat() as T[];
}

/** Nothing that another part says can matter any more. */
function isFinal(error: unknown): boolean {
  return error instanceof RootstockError && (error.code === "worker-lost" || error.code === "disposed");
}
