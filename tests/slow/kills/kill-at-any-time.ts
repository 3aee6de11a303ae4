import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { outcome, start } from "../../cli/program.ts";

export interface Victim {
  /** Of the `kill`-th run, from 0. */
  args(kill: number): string[];
  /** What a whole run takes, in ms: runs are killed from before they have begun to near their end, on any machine. */
  readonly latest: number;
  readonly kills: number;
  readonly seed: number;
  /** Work that the next run would go on from. */
  isBegun(): Promise<boolean> | boolean;
  /** After every run: checks what is there, and takes away what came to its end. */
  check(): void;
}

/** Starts the program again and again, and kills it. @returns how often it was killed, and how many runs had something to go on from */
export async function killAtAnyTime(victim: Victim): Promise<{ kills: number; resumed: number }> {
  // Runs that end before their time is up are not counted, so there are more times than kills.
  const delays = fc.sample(fc.noBias(fc.integer({ min: 0, max: Math.ceil(victim.latest) })), { numRuns: 10 * victim.kills, seed: victim.seed });
  let [kills, resumed] = [0, 0];
  for (const delay of delays) {
    if (kills === victim.kills) break;
    if (await victim.isBegun()) resumed++;
    const child = start(victim.args(kills));
    const ended = outcome(child);
    await Promise.race([setTimeout(delay), ended]);
    if (child.kill("SIGKILL")) kills++;
    await ended;
    victim.check();
  }
  return { kills, resumed };
}
