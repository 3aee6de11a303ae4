import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "tests/runtimes/**", "tests/slow/**"], // vitest.runtimes.config.ts, vitest.slow.config.ts
    setupFiles: ["tests/clean-end.ts", "tests/seeded-properties.ts", "tests/untouched-globals.ts"],
    // All cores; else one is left out, which on the two of a CI machine is half of them.
    maxWorkers: "100%",
    // No promise of time, only an end for what hangs: at a load of 12 on two cores 37,000 flipped bits took more than 300 s.
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
});
