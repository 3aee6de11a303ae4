import { defineConfig } from "vitest/config";

/** `npm run test:runtimes`: other runtimes, bundlers and browsers, and the packed package, installed elsewhere. */
export default defineConfig({
  test: {
    include: ["tests/runtimes/**/*.test.ts"],
    globalSetup: "tests/runtimes/install.ts",
    // Each file starts processes of its own.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
