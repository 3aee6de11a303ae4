import { defineConfig } from "vitest/config";

/** `npm run test:slow`: the full counts, time and leaks. ROOTSTOCK_SCALE=0.2 runs a fifth of them, ROOTSTOCK_SEED repeats a run. */
export default defineConfig({
  test: {
    // The tests of tests/fuzz count by ROOTSTOCK_SLOW: 100,000 mutants in npm test, 5,000,000 here.
    include: ["tests/slow/**/*.test.ts", "tests/fuzz/{mutants,texts}.test.ts"],
    setupFiles: ["tests/clean-end.ts", "tests/seeded-properties.ts"],
    env: { ROOTSTOCK_SLOW: "1" },
    // One file at a time, each in a process of its own: times and memory are measured.
    fileParallelism: false,
    pool: "forks",
    execArgv: ["--expose-gc"],
    disableConsoleIntercept: true,
    testTimeout: 7_200_000,
    hookTimeout: 600_000,
  },
});
