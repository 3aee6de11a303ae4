import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "tests/runtimes/**", "tests/slow/**"], // vitest.runtimes.config.ts, vitest.slow.config.ts
    setupFiles: ["tests/clean-end.ts", "tests/seeded-properties.ts", "tests/untouched-globals.ts"],
    // All cores; else one is left out, which on the two of a CI machine is half of them.
    maxWorkers: "100%",
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
