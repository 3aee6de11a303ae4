import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: ["tests/runtimes/**"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
