import { expect, it } from "vitest";
import { loadOdd, ODD_ADAPTERS } from "../runtime/bert-odd.ts";

const REQUESTS = 20_000;
/** The event loop turns within 8 ms of work; texts are encoded for 6 of them once the list is checked. */
const MOST_MS = 8;
const RUNS = 10;

it(`runBatch of ${REQUESTS} requests comes back within ${MOST_MS} ms, and hears an abort then`, async () => {
  using encoder = await loadOdd();
  const names = ODD_ADAPTERS.map(({ name }) => name).slice(0, 3);
  const kinds = {
    texts: (i: number) => ({ text: `w${i % 40}`, tasks: [names[0]!] }),
    words: (i: number) => ({ tokens: ["w1", `w${i % 40}`], tasks: names }),
    "tasks that differ": (i: number) => ({ text: "w1", tasks: [names[i % 3]!] }),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    const requests = Array.from({ length: REQUESTS }, (_, i) => make(i));
    // The least of several runs: other processes only add to it.
    let least = Infinity;
    for (let run = 0; run < RUNS; run++) {
      const controller = new AbortController();
      const start = performance.now();
      const running = encoder.runBatch(requests, { signal: controller.signal });
      least = Math.min(least, performance.now() - start);
      controller.abort();
      await expect(running).rejects.toBe(controller.signal.reason);
      // The work itself ends at its next turn.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(least, kind).toBeLessThan(MOST_MS);
  }
});
