/** tests/golden/format/peft-cases.json: what PEFT and transformers themselves save (make-peft-cases.py). */

import { readFileSync } from "node:fs";

export interface PeftCase {
  family: string;
  class: string;
  variant: string;
  config: Record<string, unknown>;
  /** Adapted modules: [rank, scale] for LoRA, the placement for (IA)³. */
  modules: Record<string, [number, number] | "feedforward" | "output">;
  tensors: Record<string, number[]>;
}
export interface Checkpoint {
  family: string;
  class: string;
  config: Record<string, unknown>;
  buffers: string[];
  tensors: Record<string, number[]>;
}
export const golden = JSON.parse(readFileSync(new URL("../../golden/format/peft-cases.json", import.meta.url), "utf8")) as {
  cases: PeftCase[];
  checkpoints: Checkpoint[];
};

export function bareModel(family: string): Checkpoint {
  return golden.checkpoints.find((item) => item.family === family && item.class === "Model") as Checkpoint;
}
