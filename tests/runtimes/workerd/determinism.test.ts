import { describe, expect, it } from "vitest";
import { runtime } from "../asked.ts";
import { KERNELS } from "../determinism/case.mjs";
import { golden, type Hashes } from "../determinism/golden.ts";
import { TEXTS } from "../determinism/text-counts.ts";
import { MEMORY_LIMIT, resident, serveWorker } from "./serve.ts";

const { path, why } = runtime("workerd");
const TEXTS_OF_A_REQUEST = 10;
/** Seconds where nothing else runs. */
const MOST_MS = 20 * 60_000;

describe.skipIf(path === null)(`workerd${why}`, () => {
  it.each(KERNELS)("%s has the same bits as every other runtime, over many requests, within the memory of an isolate", async (kernel) => {
    const worker = await serveWorker("tests/runtimes/workerd/determinism-worker.js", ".");
    try {
      await fetch(worker.url);
      const before = resident(worker.pid);
      let hashes: Hashes | null = null;
      for (let from = 0; from < TEXTS; from += TEXTS_OF_A_REQUEST) {
        const to = from + TEXTS_OF_A_REQUEST;
        const response = await fetch(worker.url, { method: "POST", body: JSON.stringify({ kernel, from, to, isLast: to >= TEXTS }) });
        if (!response.ok) throw new Error(`texts ${from} to ${to}: ${response.status} ${await response.text()}`);
        hashes = (await response.json()) as Hashes | null;
      }
      expect(hashes).toEqual(golden[TEXTS]);
      const peak = resident(worker.pid, "VmHWM");
      if (before !== undefined && peak !== undefined) expect(peak - before).toBeLessThan(MEMORY_LIMIT);
    } finally {
      await worker.end();
    }
  }, MOST_MS);
});
