import type { Crew, HeldAdapter } from "./crew.ts";
import type { Member } from "./member.ts";

/**
 * Gives an adapter to every worker, or to none: where one refuses, the others go back to what they had.
 *
 * @param refused called with the first refusal, before it is undone
 */
export function addToAll(crew: Crew, name: string, held: HeldAdapter, stop: AbortSignal, refused: (error: unknown) => void): Promise<void> {
  return crew.change(stop, async (members) => {
    stop.throwIfAborted();
    // One signal each, for Node warns of a leak when more than ten listen to one.
    const stops = members.map(() => new AbortController());
    stop.addEventListener("abort", () => stops.forEach((one) => one.abort(stop.reason)));
    const adding = members.map((member, index) => member.addAdapter(name, held.adapter, held.options, stops[index]!.signal));
    for (const one of adding) one.catch(refused);
    const outcomes = await Promise.allSettled(adding);
    const refusal = outcomes.find((outcome) => outcome.status === "rejected");
    if (refusal === undefined && !stop.aborted) {
      crew.adapters.set(name, held);
      crew.info = (outcomes[0] as PromiseFulfilledResult<Crew["info"]>).value;
      return;
    }
    await Promise.all(members.filter((_, index) => outcomes[index]!.status === "fulfilled").map((member) => undo(crew, member, name)));
    throw refusal === undefined ? stop.reason : refusal.reason;
  });
}

/** Takes an added adapter back out, and puts in again the one it replaced. */
async function undo(crew: Crew, member: Member, name: string): Promise<void> {
  const before = crew.adapters.get(name);
  try {
    await member.removeAdapter(name);
    if (before !== undefined) await member.addAdapter(name, before.adapter, before.options);
  } catch {
    member.lose("it could not take an adapter back out");
  }
}

/** Takes an adapter out of every worker. */
export function removeFromAll(crew: Crew, name: string, stop: AbortSignal): Promise<void> {
  return crew.change(stop, async (members) => {
    // The worker's own error names the tasks that there are.
    if (!crew.adapters.has(name)) return void (await members[0]!.removeAdapter(name));
    // First, so that a worker which takes the place of one that is lost now does not get it.
    crew.adapters.delete(name);
    const removing = await Promise.all(
      members.map((member) =>
        member.removeAdapter(name).catch(() => {
          // A lost worker has no adapters, which is what was asked for.
          member.lose("it could not remove an adapter");
          return null;
        }),
      ),
    );
    crew.info = removing.find((info) => info !== null) ?? crew.info;
  });
}
