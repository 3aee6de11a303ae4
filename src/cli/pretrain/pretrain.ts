import { checkEmptyTarget, writeFolder, type FileToWrite } from "../../convert/write-folder.ts";
import type { Pretrained } from "../../pretrain/pretrain.ts";
import type { PretrainingProgress } from "../../pretrain/types.ts";
import { pretrainingReport } from "../../report/pretraining-report.ts";
import { withPeers } from "../../train/parallel/with-peers.ts";
import { clock, grouped } from "../print-table.ts";
import { inputName } from "../read-lines.ts";
import type { Session } from "../session.ts";
import { CheckpointFile } from "../train/checkpoint-file.ts";
import { tryTarget } from "../train/target.ts";
import type { PretrainConfig } from "./config.ts";
import { checkpointPath, runConfig } from "./run.ts";
import { summary } from "./summary.ts";

/** Time for a last checkpoint of 22.7 million values with AdamW's means, 270 MB, on a slow disk. A second Ctrl-C ends the program at once. */
const GRACE_MS = 30_000;

export interface PretrainRun {
  /** Threads that train together. */
  readonly workers: number;
  /** Updates between two lines on standard error. */
  readonly logEvery: number | undefined;
}

/** Runs a configuration to its end, or on from its checkpoint, and writes what it gives. @throws RootstockError */
export async function pretrainConfig(config: PretrainConfig, { workers, logEvery }: PretrainRun, session: Session): Promise<void> {
  const { output, data } = config;
  const { signal } = session;
  checkEmptyTarget(output);
  await tryTarget(output);
  const checkpoint = new CheckpointFile(checkpointPath(config));
  if (checkpoint.isThere) session.note(`going on from ${checkpoint.path}`);
  session.progress(`reading ${[...data.ner, ...data.pairs].map(inputName).join(", ")}`);
  const onProgress = (progress: PretrainingProgress): void => {
    session.progress(progressText(progress));
    if (logEvery !== undefined && progress.step % logEvery === 0) session.note(progressText(progress));
  };
  let made: Pretrained;
  try {
    made = workers === 1
      ? await runConfig(config, { signal, onProgress })
      : await withPeers<Pretrained>(workers, new URL("./peer.js", import.meta.url), config, { signal, graceMs: GRACE_MS, onMessage: (progress) => onProgress(progress as PretrainingProgress) });
  } catch (error) {
    session.progress(null);
    if (signal.aborted && checkpoint.isThere) session.note(`what was done is kept in ${checkpoint.path}; the same command goes on`);
    throw error;
  }
  session.progress(null);
  writeFolder(output, filesOf(made));
  await checkpoint.remove();
  await session.write(summary(made.history, output));
}

/** `encoder/`, a folder for each adapter, `head/` where it is wanted, and what happened, for programs and for people. */
function filesOf({ encoder, adapters, head, history }: Pretrained): FileToWrite[] {
  const folders = [["encoder", encoder] as const, ...adapters, ...(head === null ? [] : [["head", head] as const])];
  const files = folders.flatMap(([folder, own]) => [...own].map(([name, bytes]): FileToWrite => ({ name: `${folder}/${name}`, parts: [bytes] })));
  const text = (name: string, content: string): FileToWrite => ({ name, parts: [new TextEncoder().encode(content)] });
  return [...files, text("history.json", `${JSON.stringify(history)}\n`), text("report.html", pretrainingReport(history))];
}

function progressText({ step, steps, ner, tc, accuracy, tokensPerSecond, secondsLeft }: PretrainingProgress): string {
  const figure = (name: string, value: number | null): string[] => (value === null ? [] : [`${name} ${value.toFixed(3)}`]);
  return [
    `${step}/${steps}`, ...figure("NER", ner), ...figure("TC", tc), ...figure("accuracy", accuracy),
    `${grouped(Math.round(tokensPerSecond))} tokens/s`, `${clock(secondsLeft)} left`,
  ].join(", ");
}
