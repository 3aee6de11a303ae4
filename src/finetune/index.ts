/** `rootstock/train`: adapters trained on a loaded encoder, and encoders pre-finetuned. */
export { trainAdapter } from "./train-adapter.ts";
export { TrainedAdapter } from "./trained-adapter.ts";
export { trainingReport } from "../report/training-report.ts";
export { pretrain, type Pretrained } from "../pretrain/pretrain.ts";
export type {
  PretrainingData, PretrainingHistory, PretrainingOptions, PretrainingProgress, PretrainingSettings, ProbePart, ProbeRecord, Regime, RowSet, SourceOptions,
  SourceRecord, StepRecord, TaskFamily,
} from "../pretrain/types.ts";
export { ALONE } from "../train/peers.ts";
export type { Peers } from "../train/peers.ts";
export { withPeers, type PeersOptions } from "../train/parallel/with-peers.ts";
export { runPeer, type PeerHost, type PeerProgram } from "../train/parallel/peer.ts";
export type {
  CheckpointStore, EntityRates, LabelRow, LabelsRow, Mistake, Rows, SpanRow, TaggedRow, TrainingBinaries, TrainingData,
  TrainingHistory, TrainingKind, TrainingMethod, TrainingOptions, TrainingProgress, TrainingRow, TrainingTarget,
} from "./types.ts";
export type { ScheduleName } from "../train/schedule.ts";
export { RootstockError } from "../errors.ts";
export type { ErrorCode } from "../errors.ts";
