import { benchModule } from "./modules.ts";

const { packOutcomes } = await benchModule("scores");

export interface Outcomes {
  readonly found: Uint8Array;
  readonly predicted: Uint8Array;
  readonly there: Uint8Array;
}

/** Texts of which every `wrong`-th is wrong. */
export function texts(rows: number, wrong: number): Outcomes {
  const ones = new Uint8Array(rows).fill(1);
  return { found: ones.map((_, row) => (row % wrong === 0 ? 0 : 1)), predicted: ones, there: ones };
}

export interface Written {
  readonly header: { readonly run: string; readonly regime: string; readonly seed: number | null; readonly pretraining: object | null };
  readonly cells: Map<string, object>;
}

/**
 * Results of a run as they are read, of 100 test rows a task of which every so-manieth is wrong; a list has one number for each of the three draws
 * at 10 %, the first of which is that of all rows.
 */
export function run(regime: string, seed: number | null, wrong: Readonly<Record<string, number | readonly [number, number, number]>>, protocols: readonly string[] = ["linear"]): Written {
  const cells = Object.entries(wrong).flatMap(([task, given]) => {
    const draws = typeof given === "number" ? [given, given, given] : given;
    const names = protocols.flatMap((protocol) => [[`${protocol}/${task}/100`, draws[0]!] as const, ...draws.map((every, i) => [`${protocol}/${task}/10/${i + 1}`, every] as const)]);
    return names.map(([cell, every]) => {
      const outcomes = texts(100, every);
      const right = outcomes.found.reduce((sum, one) => sum + one, 0) / 100;
      return { cell, test: right, dev: right, l2: every % 2 === 0 ? 0.1 : 0.01, iterations: every % 2 === 0 ? 40 : 12, outcomes: packOutcomes(outcomes), cpuSeconds: 1 };
    });
  });
  return { header: { run: seed === null ? regime : `${regime}-${seed}`, regime, seed, pretraining: null }, cells: new Map(cells.map((cell) => [cell.cell, cell])) };
}
