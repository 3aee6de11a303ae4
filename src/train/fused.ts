import type { Address } from "../wasm/kernels.ts";
import type { LinearMemory } from "../wasm/memory.ts";
import type { TrainKernels } from "./kernels.ts";

/**
 * Does this module's product round once for x·y + sum? `relaxed_madd` leaves that to the engine, which fuses wherever the processor can: on
 * ARM64, and on x86 with FMA3. (1 + 2⁻¹²)² − (1 + 2⁻¹¹) is 2⁻²⁴ exactly, and 0 where the square is rounded first.
 * @param scratch 256 bytes, of which it writes some
 */
export function isFused(train: TrainKernels, memory: LinearMemory, scratch: Address): boolean {
  const [a, b, out] = [scratch, scratch + 64, scratch + 192];
  memory.floats(a, 2).set([-(1 + 2 ** -11), 1 + 2 ** -12]);
  memory.floats(b, 16).fill(1, 0, 8).fill(1 + 2 ** -12, 8);
  train.product(a, 1, 8, 4, 2, b, 64, 32, 8, 0, out, 8, 0);
  return memory.floats(out, 1)[0] !== 0;
}
