// The page of the determinism case: one product a call, so that none is longer than it must be.
import { loadEncoder } from "../../../../src/index.ts";
import { runCase, type CaseText } from "../../determinism/case.mjs";
import type { CaseResult } from "../../determinism/golden.ts";

const source = (folder: string): string => `/${folder}`;

/** Fetched, not imported: a lone surrogate among the texts is an error to a bundler's reader of JSON. */
const texts = async (): Promise<CaseText[]> => (await (await fetch("/texts.json")).json()) as CaseText[];

async function runProduct(kernel: string): Promise<CaseResult> {
  return runCase({ loadEncoder, source, texts: await texts(), kernels: [kernel] });
}

(globalThis as unknown as { runProduct: unknown }).runProduct = runProduct;
