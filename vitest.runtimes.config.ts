import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files of a minute's work and more, the longest first; begun last, one of them would keep one core busy and leave the others idle. */
const LONGEST = ["engines.test.ts", "arm64.test.ts", "chromium.test.ts", "firefox.test.ts", "determinism.test.ts", "teach.test.ts"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => LONGEST.indexOf(basename(moduleId)) + 1 || LONGEST.length + 1;
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

/** `npm run test:runtimes`: other runtimes, bundlers and browsers, and the packed package, installed elsewhere. */
export default defineConfig({
  test: {
    include: ["tests/runtimes/**/*.test.ts"],
    globalSetup: "tests/runtimes/install.ts",
    sequence: { sequencer: LongestFirst },
    // Each file starts processes of its own, a browser of several.
    maxWorkers: Math.min(4, availableParallelism()),
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
