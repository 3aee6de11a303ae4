import { poolerModule } from "../format/encoder-modules.ts";
import { sequenceForm } from "../format/peft-head.ts";
import type { EncoderConfig } from "../format/types.ts";
import type { HeadKind } from "../train/head.ts";
import type { TrainingKind } from "./types.ts";

/**
 * The head as transformers' class of the encoder's family has it. A text classifier that reads the pooler takes the encoder's own, frozen,
 * as PEFT does; where the encoder has none, one is trained.
 */
export function headKind(config: EncoderConfig, kind: TrainingKind, classes: number, hasPooler: boolean): HeadKind {
  if (kind === "ner") return { classes, through: "token", name: "classifier" };
  const { dense, denseActivation, classifier } = sequenceForm(config.family);
  if (dense !== undefined) return { classes, through: { name: dense, activation: denseActivation! }, name: classifier };
  return { classes, through: hasPooler ? "pooler" : { name: poolerModule(config)!.path, activation: "tanh" }, name: classifier };
}
