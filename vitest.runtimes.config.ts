import { defineConfig } from "vitest/config";

/** `npm run test:runtimes`: the packed package, installed elsewhere and used from other runtimes, bundlers and browsers. */
export default defineConfig({
  test: {
    include: ["tests/runtimes/**/*.test.ts"],
    globalSetup: "tests/runtimes/install.ts",
    // Each file starts processes of its own.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
});
