import { describe, expect, it } from "vitest";
import { record } from "../reliability/record.ts";
import { SCALE } from "../reliability/scale.ts";
import { findEngine, runScript } from "../runtimes/engines.mjs";

const SCRIPT = "tests/slow/leaks/script.mjs";
const MiB = 1 << 20;
/** Deno's allocator takes 8 to 30 MiB at once. */
const LARGEST_STEP = 32 * MiB;

/** How each runtime lets a script collect garbage. */
const GC = { node20: ["--expose-gc"], deno: ["--v8-flags=--expose-gc"], bun: [] } as const;

function measure(name: keyof typeof GC, what: string, count: number): Record<string, number> {
  const engine = findEngine(name);
  // Another Node than 20 runs the tests: it stands for Node.
  const command = "absent" in engine ? [process.execPath] : engine.command;
  return JSON.parse(runScript({ command: [...command, ...GC[name]] }, SCRIPT, [what, String(count)])) as Record<string, number>;
}

/**
 * The resident set grows by `most` bytes at most; or by more, in steps of an allocator that come now and then: in one of three equal
 * stretches there is none, and it grows by less than a third of that.
 */
function expectNoLeak({ rss, leastGrowth }: Record<string, number>, most: number): void {
  if (rss! > most) expect(leastGrowth!, `${rss} bytes in all, and in each stretch at least`).toBeLessThanOrEqual(most / 3);
  expect(rss!).toBeLessThanOrEqual(most + LARGEST_STEP);
}

describe.each(Object.keys(GC) as (keyof typeof GC)[])("%s", (name) => {
  it("K1: swaps leave nothing in memory", () => {
    const figures = measure(name, "swaps", Math.round(100_000 * SCALE));
    record("K1", { runtime: name, ...figures });
    expect(figures).toMatchObject({ total: 0, adapters: 0 });
    expect(figures["heap"]!).toBeLessThanOrEqual(MiB);
    expectNoLeak(figures, 4 * MiB);
  });

  it("K2: loading and disposing leaves nothing in memory", () => {
    const figures = measure(name, "loads", Math.round(1000 * SCALE));
    record("K2", { runtime: name, ...figures });
    expectNoLeak(figures, 16 * MiB);
  });
});
