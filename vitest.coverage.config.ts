import { defineConfig } from "vitest/config";

/**
 * `npm run coverage`: every branch of the rooms that strangers' bytes, texts and training rows go through is taken by their own tests. A branch that
 * none can take says why: `/* v8 ignore next -- reason @preserve *\/`.
 */
export default defineConfig({
  test: {
    include: ["tests/unit/**/*.test.ts", "tests/attacks/**/*.test.ts", "tests/runtime/loading.test.ts", "tests/finetune/data.test.ts"],
    exclude: ["tests/unit/convert/**", "tests/unit/heads/**", "tests/unit/metrics/**", "tests/unit/model/**"],
    testTimeout: 300_000,
    coverage: {
      enabled: true,
      provider: "v8",
      reporter: ["text", "json"],
      reportsDirectory: "build/coverage",
      include: ["src/text/**", "src/format/**", "src/load/**", "src/browser/**", "src/finetune/{rows,read-data,examples,label-book,data-digest,warnings}.ts"],
      thresholds: { branches: 100 },
    },
  },
});
