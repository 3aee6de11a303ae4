import { afterEach, describe, expect, it, vi } from "vitest";
import { LinearMemory } from "../../src/wasm/memory.ts";
import { faster, TIMING_BYTES } from "../../src/wasm/timing.ts";

const memory = new LinearMemory(TIMING_BYTES + 65_536, TIMING_BYTES + 65_536);

afterEach(() => vi.restoreAllMocks());

/** A clock that ticks every `tick` ms, and products that take their time on it. */
function world(tick: number, costs: readonly number[]): { kernels: { matmul: () => void }[]; spent: () => number } {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => {
    now += 0.00005; // reading it takes 50 ns
    return tick === 0 ? 0 : Math.floor(now / tick) * tick;
  });
  return { kernels: costs.map((cost) => ({ matmul: () => void (now += cost) })), spent: () => now };
}

describe("the faster of two products", () => {
  it.each([0.00001, 0.005, 0.1, 1])("is found with a clock that ticks every %f ms, in little time", (tick) => {
    for (const [costs, index] of [[[0.002, 0.0012], 1], [[0.0012, 0.002], 0], [[0.03, 0.018], 1]] as const) {
      const { kernels, spent } = world(tick, costs);
      expect(faster(memory, kernels, 65_536)).toBe(index);
      expect(spent()).toBeLessThan(60);
    }
  });

  it("is the first where the clock stands still", () => {
    expect(faster(memory, world(0, [2, 1]).kernels, 65_536)).toBe(0);
  });
});
