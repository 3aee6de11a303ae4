import type { Address, Kernels } from "./kernels.ts";
import type { LinearMemory } from "./memory.ts";

/** Rows, depth and columns of the timing product: small enough for a fast start, large enough to leave call overhead. */
const TIMING = { rows: 8, depth: 256, columns: 64 } as const;

/** Bytes of scratch that `faster` writes. */
export const TIMING_BYTES =
  TIMING.rows * TIMING.depth + TIMING.rows * 16 + TIMING.columns * TIMING.depth + TIMING.columns * 12 + TIMING.rows * TIMING.columns * 4;

/** How long one count is at least, how many there are of each product at least, and for how long in all. */
const SPAN_MS = 0.1;
const ROUNDS = 3;
const COMPARISON_MS = 2;
/** Calls within which a clock that moves has ticked: over 2 ms, where the coarsest in use has ticks of 1 ms. */
const CALLS_A_TICK = 1000;
/** Calls after which engines have the optimising compiler at work: V8 counts 13 MB of code run, each call 0.1 MB. */
const WARM_CALLS = 256;

/** Sets the optimising compiler on the products: their first form is no guide to the second. About a millisecond. */
export function warm(memory: LinearMemory, kernels: readonly Pick<Kernels, "matmul">[], scratch: Address): void {
  const call = caller(memory, scratch);
  for (const { matmul } of kernels) for (let i = 0; i < WARM_CALLS; i++) call(matmul);
}

/**
 * The faster of products that give the same bits, by two milliseconds of best-of timing, or up to twelve by a clock of 1 ms:
 * the one-step form wins where the engine has the instruction (ARM dot product, AVX-VNNI), the two-step form elsewhere.
 * The first where the clock stands still, as it does in Cloudflare's Workers.
 */
export function faster(memory: LinearMemory, kernels: readonly Pick<Kernels, "matmul">[], scratch: Address): number {
  const call = caller(memory, scratch);
  const best = kernels.map(() => 0);
  const start = performance.now();
  for (let round = 0; round < ROUNDS || performance.now() - start < COMPARISON_MS; round++) {
    for (const [index, { matmul }] of kernels.entries()) {
      const rate = callsPerMs(() => call(matmul));
      if (rate === 0) return 0;
      best[index] = Math.max(best[index]!, rate);
    }
  }
  return best.indexOf(Math.max(...best));
}

/**
 * Counted from one tick of the clock to another, so that clocks of 0.1 ms (Chrome) and 1 ms (Firefox, workerd) tell
 * products apart whose calls take microseconds. 0 when the clock does not move.
 */
function callsPerMs(call: () => void): number {
  const before = performance.now();
  let from = before;
  for (let calls = 0; from === before; calls++) {
    if (calls === CALLS_A_TICK) return 0;
    call();
    from = performance.now();
  }
  let count = 0;
  let to = from;
  while (to - from < SPAN_MS) {
    call();
    count++;
    to = performance.now();
  }
  return count / (to - from);
}

/** Calls a product on ones. */
function caller(memory: LinearMemory, scratch: Address): (matmul: Kernels["matmul"]) => void {
  const { rows, depth, columns } = TIMING;
  const terms = scratch + rows * depth;
  const panels = terms + rows * 16;
  const channels = panels + columns * depth;
  const out = channels + columns * 12;
  memory.u8.fill(1, scratch, terms);
  memory.u8.fill(0, terms, panels);
  memory.u8.fill(65, panels, channels);
  memory.u8.fill(0, channels, out);
  return (matmul) => matmul(scratch, terms, rows, depth, panels, channels, columns, out, columns);
}
