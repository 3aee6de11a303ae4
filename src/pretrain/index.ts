export { pretrain, type Pretrained } from "./pretrain.ts";
export type {
  PretrainingData, PretrainingHistory, PretrainingOptions, PretrainingProgress, PretrainingSettings, ProbePart, ProbeRecord, Regime, RowSet, SourceOptions,
  SourceRecord, StepRecord, TaskFamily,
} from "./types.ts";
