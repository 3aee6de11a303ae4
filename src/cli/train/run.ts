import { trainAdapter } from "../../finetune/index.ts";
import type { TrainingHistory, TrainingProgress } from "../../finetune/types.ts";
import type { Encoder } from "../../index.ts";
import type { Peers } from "../../train/peers.ts";
import { CheckpointFile } from "./checkpoint-file.ts";
import type { TrainPlan } from "./plan.ts";
import type { RowSet } from "./row-set.ts";

/** What is trained; each worker gets a copy. */
export interface TrainJob {
  readonly task: string;
  /** Folder. */
  readonly encoder: string;
  readonly train: RowSet;
  readonly dev: RowSet | null;
  readonly options: TrainPlan["options"];
  /** File. */
  readonly checkpoint: string;
}

/** Who else trains, and who hears of it. */
export interface TrainHost {
  readonly peers?: Peers;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: TrainingProgress) => void;
}

export interface Trained {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly history: TrainingHistory;
}

/** Trains to the end, or on from the checkpoint. @throws RootstockError */
export async function runJob({ task, train, dev, options, checkpoint }: TrainJob, encoder: Encoder, host: TrainHost): Promise<Trained> {
  const nameRow = (set: "train" | "dev", row: number): string => `line ${(set === "train" ? train : dev!).lines[row - 1]}`;
  const { files, history } = await trainAdapter(encoder, { name: task, train: train.rows, dev: dev?.rows, nameRow }, {
    ...options, ...host, checkpoint: new CheckpointFile(checkpoint),
  });
  return { files, history };
}
