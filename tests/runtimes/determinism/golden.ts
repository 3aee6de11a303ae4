import { readFileSync } from "node:fs";

/** What one product gives for the first texts of texts.json, whatever the product and the runtime. */
export interface Hashes {
  readonly logits: string;
  readonly states: string;
  readonly vectors: string;
  readonly results: string;
}

/** What the case gives. */
export interface CaseResult {
  readonly texts: number;
  readonly kernels: Readonly<Record<string, Hashes | null>>;
}

/** The hashes, by the number of texts: 200 are all; fewer are for runtimes that are slow or tests that are quick. */
export const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8")) as Readonly<Record<string, Hashes>>;

/** The products that ran, each of which must have the same hashes. */
export function productsOf({ kernels }: CaseResult): [string, Hashes][] {
  return Object.entries(kernels).filter((entry): entry is [string, Hashes] => entry[1] !== null);
}
