import { readFileSync } from "node:fs";
import { loadEncoder, type Encoder, type LoadOptions } from "../../../src/index.ts";
import type { Files } from "../micro.ts";
import { checkFinite, verdict, type Verdict } from "./verdict.ts";

/** Compiled once: a million encoders are loaded. */
const fixed = new WebAssembly.Module(readFileSync("build/wasm/fixed.wasm"));
const OPTIONS: LoadOptions = { kernel: "fixed", adapterBudget: 0, wasm: { fixed } };

export interface EncoderTrial {
  /** What is run: input ids, or a text where the tokenizer is what is judged. Default ids. */
  readonly input?: "ids" | "text";
}

/** Loads an encoder folder and runs one input on it, whose results must be finite. */
export function judgeEncoder(files: Files, { input = "ids" }: EncoderTrial = {}): Promise<Verdict> {
  return verdict(async () => {
    using encoder = await loadEncoder(files, OPTIONS);
    if (input === "ids") return await runIds(encoder);
    const [vector] = await encoder.embed(["a Word b trees."], { overflow: "truncate" });
    checkFinite(vector!, "embedding");
  });
}

async function runIds(encoder: Encoder): Promise<void> {
  const { vocabulary, maxTokens } = encoder.info;
  const ids = [2, 5, 6, 3].map((id) => id % vocabulary).slice(0, maxTokens);
  for (const state of await encoder.hiddenStates(ids, null)) checkFinite(state, "hidden state");
}
