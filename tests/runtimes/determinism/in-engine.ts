import { describe, expect, it } from "vitest";
import { golden, productsOf, type CaseResult } from "./golden.ts";
import { engineOrSkip } from "../engine-or-skip.ts";
import { runScript, type EngineName } from "../engines.mjs";
import { EMULATED_TEXTS, TEXTS } from "./text-counts.ts";

const SCRIPT = "tests/runtimes/determinism/script.mjs";

/** Node 20 has no relaxed SIMD; every other runtime must run all three products. */
const PRODUCTS: Partial<Record<EngineName, readonly string[]>> = { node20: ["fixed"] };

/** An emulated processor takes a few minutes for a text list that others run in seconds. */
const MOST_MS = 40 * 60_000;

/** The test of these engines, each named for itself. */
export function describeEngines(names: readonly EngineName[]): void {
  describe.each(names)("%s", (name) => {
    it("has the same bits as every other runtime in logits, hidden states, sentence vectors and results", (context) => {
      const engine = engineOrSkip(name, context);
      const texts = name === "arm64" && process.arch !== "arm64" ? EMULATED_TEXTS : TEXTS;
      const result = JSON.parse(runScript(engine, SCRIPT, [String(texts)])) as CaseResult;
      expect(result.texts).toBe(texts);
      const products = productsOf(result);
      expect(products.map(([product]) => product)).toEqual(PRODUCTS[name] ?? ["fixed", "rel1", "rel2"]);
      for (const [product, hashes] of products) expect(hashes, product).toEqual(golden[texts]);
    }, MOST_MS);
  });
}
