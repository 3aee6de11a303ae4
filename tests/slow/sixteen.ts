import type { Encoder, LoadOptions, RunOptions } from "../../src/index.ts";
import { loadOdd, ODD_ADAPTERS, words, type OddAdapter } from "../runtime/bert-odd.ts";

export const ALL: RunOptions = { topK: null, ignoreLabels: [] };
export const TEXT = words(9, 3);

/** Sixteen adapters of the tiny encoder, no two of which say the same of TEXT. */
export async function sixteen(): Promise<OddAdapter[]> {
  using encoder = await loadOdd();
  const chosen = new Map<string, OddAdapter>();
  for (const adapter of ODD_ADAPTERS) {
    const result = JSON.stringify(await encoder.run(TEXT, [adapter.name], ALL)).replaceAll(adapter.name, "");
    if (chosen.size < 16 && !chosen.has(result)) chosen.set(result, adapter);
  }
  if (chosen.size < 16) throw new Error(`only ${chosen.size} adapters differ`);
  return [...chosen.values()];
}

export function loadSixteen(adapters: readonly OddAdapter[], options: LoadOptions = {}): Promise<Encoder> {
  return loadOdd(options, adapters);
}
