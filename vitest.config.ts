import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "tests/runtimes/**"], // vitest.runtimes.config.ts
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
