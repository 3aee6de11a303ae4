import { describe, expect, it } from "vitest";
import { golden, productsOf, type CaseResult } from "./golden.ts";
import { askedFor, findEngine, runScript, type EngineName } from "../engines.mjs";

const SCRIPT = "tests/runtimes/determinism/script.mjs";

/** Fewer where the processor is emulated. */
const TEXTS: Partial<Record<EngineName, number>> = process.arch === "arm64" ? {} : { arm64: 20 };

/** Node 20 has no relaxed SIMD; every other runtime must run all three products. */
const PRODUCTS: Partial<Record<EngineName, readonly string[]>> = { node20: ["fixed"] };

/** An emulated processor takes a few minutes for a text list that others run in seconds. */
const MOST_MS = 40 * 60_000;

/** The test of these engines, each named for itself. */
export function describeEngines(names: readonly EngineName[]): void {
  const asked = askedFor();
  describe.each(names)("%s", (name) => {
    it(`has the same bits as every other runtime in logits, hidden states, sentence vectors and results`, ({ skip }) => {
      if (asked !== null && !asked.includes(name)) skip(`${name} is not among ROOTSTOCK_RUNTIMES`);
      const engine = findEngine(name);
      if ("absent" in engine) {
        if (asked !== null) throw new Error(`${name} is asked for and not here: ${engine.absent}.`);
        skip(`${name} is not here: ${engine.absent}.`);
        return;
      }
      const texts = TEXTS[name] ?? 200;
      const result = JSON.parse(runScript(engine, SCRIPT, [String(texts)])) as CaseResult;
      expect(result.texts).toBe(texts);
      const products = productsOf(result);
      expect(products.map(([product]) => product)).toEqual(PRODUCTS[name] ?? ["fixed", "rel1", "rel2"]);
      for (const [product, hashes] of products) expect(hashes, product).toEqual(golden[texts]);
    }, MOST_MS);
  });
}
