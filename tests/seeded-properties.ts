// Properties of fast-check draw from the tests' one seed: `npm test` then never fails by chance, and ROOTSTOCK_SEED repeats a run. Imported where
// tests use it, for the import takes a moment.
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { SEED } from "./reliability/scale.ts";

const { testPath } = expect.getState();
if (testPath !== undefined && /fast-check|\.property\.test\.ts/.test(readFileSync(testPath, "utf8"))) {
  const { configureGlobal } = await import("fast-check");
  configureGlobal({ seed: SEED });
}
