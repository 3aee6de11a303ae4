/** Measured figures of the promises, kept as files from which a table can be made. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect } from "vitest";
import { IS_SLOW, SCALE, SEED } from "./scale.ts";

/** Where records lie, from the root of the repository. */
export const RECORDS_FOLDER = "build/reliability";

export type Figures = Readonly<Record<string, number | string | boolean>>;

/** One file of RECORDS_FOLDER: what one test measured for one promise in its last run. */
export interface ReliabilityRecord {
  /** The promise's number: "F2", "T4". */
  readonly promise: string;
  readonly figures: Figures;
  readonly suite: "ci" | "slow";
  readonly test: string;
  readonly file: string;
  readonly seed: number;
  /** Share of the full counts; 1 in the CI suite. */
  readonly scale: number;
  readonly runtime: string;
  readonly time: string;
}

/**
 * Keeps the figures that the running test measured for a promise, in the place of those of its run before. The slow suite prints
 * them too. A file of its own for each promise, suite and test: test files run in several processes at once.
 */
export function record(promise: string, figures: Figures): void {
  const { currentTestName = "", testPath = "" } = expect.getState();
  const suite = IS_SLOW ? "slow" : "ci";
  const entry: ReliabilityRecord = {
    promise, figures, suite,
    test: currentTestName,
    file: relative(process.cwd(), testPath),
    seed: SEED,
    scale: IS_SLOW ? SCALE : 1,
    runtime: `Node ${process.versions.node}, ${process.platform} ${process.arch}`,
    time: new Date().toISOString(),
  };
  const slug = currentTestName.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(-120);
  mkdirSync(RECORDS_FOLDER, { recursive: true });
  writeFileSync(join(RECORDS_FOLDER, `${promise}.${suite}.${slug}.json`), `${JSON.stringify(entry, null, 2)}\n`);
  if (IS_SLOW) process.stdout.write(`${promise}  ${describe(figures)}  (seed ${SEED}, scale ${SCALE})\n`);
}

function describe(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${typeof value === "number" ? Number(value.toPrecision(6)).toLocaleString("en") : value}`)
    .join(" · ");
}
