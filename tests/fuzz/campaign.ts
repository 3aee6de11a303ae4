import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { index, seeded } from "../reliability/random.ts";
import { IS_SLOW } from "../reliability/scale.ts";
import type { Kind, Kinds, Target } from "./kinds.ts";
import type { Verdict } from "./oracles/verdict.ts";

/** Mutants that once ended otherwise than they should; replayed first. `KIND.TARGET.NAME.bin`, spaces as `_`. */
const CORPUS = "tests/fuzz/corpus";
/** Where a new failure is put, to be looked at and moved to the corpus. */
const FOUND = "build/fuzz";
/** Measured in the slow suite alone: elsewhere the machine may be busy, and what never ends runs into the test's own limit. */
const HANG_MS = IS_SLOW ? 1_000 : Infinity;

export interface Tally {
  readonly mutants: number;
  /** By verdict, over all kinds. */
  readonly verdicts: ReadonlyMap<Verdict, number>;
  /** Verdicts of each kind. */
  readonly kinds: ReadonlyMap<string, ReadonlyMap<Verdict, number>>;
  readonly slowestMs: number;
}

/** Judges a mutant. In the slow suite throws when it takes more than a second, three times over (once may be the machine's). */
async function judged(target: Target, mutant: Uint8Array, report: (ms: number) => void): Promise<Verdict> {
  let verdict: Verdict;
  let best = Infinity;
  let attempt = 0;
  do {
    const start = performance.now();
    verdict = await target.judge(mutant);
    best = Math.min(best, performance.now() - start);
  } while (best > HANG_MS && ++attempt < 3);
  report(best);
  if (best > HANG_MS) throw new Error(`took ${Math.round(best)} ms`);
  return verdict;
}

/** Replays the corpus. @returns how many there were */
export async function replay({ list }: Kinds): Promise<number> {
  const files = readdirSync(CORPUS);
  for (const file of files) {
    const [kindName, targetName, , ending] = file.split(".");
    if (ending !== "bin") throw new Error(`${file}: the corpus has files kind.target.what.bin alone`);
    const target = list.find(({ name }) => name === kindName)?.targets.find(({ name }) => name.replaceAll(" ", "_") === targetName);
    if (target === undefined) throw new Error(`${file} names no kind and target of kinds.ts`);
    await judged(target, readFileSync(`${CORPUS}/${file}`), () => undefined);
  }
  return files.length;
}

/**
 * Judges `count` mutants, dealt out to the kinds by their shares. Mutant i of a kind follows from the seed, the kind and i alone.
 * @throws Error with the seed, the kind and the place of the mutant, after it was written to build/fuzz
 */
export async function judgeMutants(kinds: Kinds, count: number, seed: number): Promise<Tally> {
  const all = new Map<Verdict, number>();
  const byKind = new Map<string, Map<Verdict, number>>();
  const shares = kinds.list.reduce((sum, { share }) => sum + share, 0);
  let mutants = 0;
  let slowestMs = 0;
  for (const [place, kind] of kinds.list.entries()) {
    const own = new Map<Verdict, number>();
    byKind.set(kind.name, own);
    for (let i = 0, end = Math.round((count * kind.share) / shares); i < end; i++, mutants++) {
      const random = seeded(Math.imul(seed, 0x9e3779b1) ^ Math.imul(place + 1, 0x85ebca6b) ^ Math.imul(i + 1, 0xc2b2ae35));
      const target = kind.targets[index(random, kind.targets.length)]!;
      const mutant = target.mutate(random);
      try {
        const verdict = await judged(target, mutant, (ms) => (slowestMs = Math.max(slowestMs, ms)));
        own.set(verdict, (own.get(verdict) ?? 0) + 1);
        all.set(verdict, (all.get(verdict) ?? 0) + 1);
        if (i % 1_000 === 999) await kinds.checkResident();
      } catch (error) {
        throw failure(kind, target, mutant, `seed ${seed}, mutant ${i}`, error);
      }
    }
  }
  await kinds.checkResident();
  return { mutants, verdicts: all, kinds: byKind, slowestMs };
}

function failure(kind: Kind, target: Target, mutant: Uint8Array, place: string, cause: unknown): Error {
  const path = `${FOUND}/${kind.name}.${target.name.replaceAll(" ", "_")}.${place.replaceAll(/[ ,]+/g, "-")}.bin`;
  mkdirSync(FOUND, { recursive: true });
  writeFileSync(path, mutant);
  const what = cause instanceof Error ? `${cause.name}: ${cause.message.slice(0, 500)}` : String(cause);
  return new Error(`${kind.name}, ${target.name}, ${place}: ${what}\nThe mutant is ${path}; fix the cause and move it to ${CORPUS}.`, { cause });
}
