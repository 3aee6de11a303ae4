import { defineConfig } from "vitest/config";

/** Tests in other runtimes than Node (`npm run test:runtimes`): one after the other, each has a process of its own to start. */
export default defineConfig({
  test: {
    include: ["tests/runtimes/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
