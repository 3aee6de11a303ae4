import type { Address, Kernels } from "./kernels.ts";
import type { LinearMemory } from "./memory.ts";

/** Rows, depth and columns of the timing product: small enough for a fast start, large enough to leave call overhead. */
const TIMING = { rows: 8, depth: 256, columns: 64 } as const;

/** Bytes of scratch that `faster` writes. */
export const TIMING_BYTES =
  TIMING.rows * TIMING.depth + TIMING.rows * 16 + TIMING.columns * TIMING.depth + TIMING.columns * 12 + TIMING.rows * TIMING.columns * 4;

/** The shortest time that is compared, and the time all rounds together may take, in milliseconds. */
const SHORTEST_MS = 0.2;
const ALL_MS = 10;
const MOST_CALLS = 1 << 16;

/**
 * The faster of two products that give the same bits, by best-of timing for a few milliseconds: the one-step form wins where
 * the engine has the instruction (ARM dot product, AVX-VNNI), the two-step form elsewhere. Clocks of browsers tick as
 * seldom as once a millisecond, so each time is at least four ticks long. The first where the clock stands still (workerd).
 *
 * Engines compile a kernel twice and the first form is no guide to the second: call this well after the first calls.
 */
export function faster(memory: LinearMemory, kernels: readonly Pick<Kernels, "matmul">[], scratch: Address): number {
  const tick = clockTick();
  if (tick === null) return 0;
  const shortest = Math.max(SHORTEST_MS, 4 * tick);
  const time = timer(memory, scratch);
  let calls = 8;
  while (calls < MOST_CALLS && Math.min(...kernels.map(({ matmul }) => time(matmul, calls))) < shortest) calls *= 2;
  const rounds = Math.max(2, Math.min(8, Math.floor(ALL_MS / shortest / kernels.length)));
  const best = kernels.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { matmul }] of kernels.entries()) best[index] = Math.min(best[index]!, time(matmul, calls));
  }
  return best.indexOf(Math.min(...best));
}

/** Milliseconds between two readings of the clock that differ; null when it does not move. */
function clockTick(): number | null {
  const start = performance.now();
  for (let i = 0; i < 100_000; i++) {
    const now = performance.now();
    if (now > start) return now - start;
  }
  return null;
}

/** Measures calls of a product on ones. */
function timer(memory: LinearMemory, scratch: Address): (matmul: Kernels["matmul"], calls: number) => number {
  const { rows, depth, columns } = TIMING;
  const terms = scratch + rows * depth;
  const panels = terms + rows * 16;
  const channels = panels + columns * depth;
  const out = channels + columns * 12;
  memory.u8.fill(1, scratch, terms);
  memory.u8.fill(0, terms, panels);
  memory.u8.fill(65, panels, channels);
  memory.u8.fill(0, channels, out);
  return (matmul, calls) => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) matmul(scratch, terms, rows, depth, panels, channels, columns, out, columns);
    return performance.now() - start;
  };
}
