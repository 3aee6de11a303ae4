import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkEmptyTarget, writeFolder, type FileToWrite } from "../../convert/write-folder.ts";
import { updatesOf } from "../../pretrain/checkpoint.ts";
import type { Pretrained } from "../../pretrain/pretrain.ts";
import type { PretrainingHistory, PretrainingProgress } from "../../pretrain/types.ts";
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

const HISTORY = "history.json";
/** Time for a last checkpoint of 22.7 million values with AdamW's means, 270 MB, on a slow disk. A second Ctrl-C ends the program at once. */
const GRACE_MS = 30_000;

export interface PretrainRun {
  /** Threads that train together. */
  readonly workers: number;
  /** Updates between two lines on standard error. */
  readonly logEvery: number | undefined;
  /** Without what a checkpoint holds. */
  readonly restart: boolean;
}

/** Runs a configuration to its end, or on from its checkpoint, and writes what it gives. @throws RootstockError */
export async function pretrainConfig(config: PretrainConfig, { workers, logEvery, restart }: PretrainRun, session: Session): Promise<void> {
  const { output, data } = config;
  const { signal } = session;
  const checkpoint = new CheckpointFile(checkpointPath(config));
  const isWritten = !restart && (await holdsWhatWasMade(output, checkpoint));
  if (!isWritten) {
    checkEmptyTarget(output);
    await tryTarget(output);
  }
  await checkpoint.begin(restart, session);
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
    checkpoint.ended(session);
    throw error;
  }
  session.progress(null);
  if (!isWritten) writeFolder(output, filesOf(made));
  await checkpoint.remove();
  await session.write(summary(made.history, output));
}

/**
 * Whether the run of this checkpoint was ended after its output was there, and before its checkpoint was removed: their updates are the same.
 * Whether it is the run that is asked for is seen where it is gone on from. @throws RootstockError
 */
async function holdsWhatWasMade(output: string, checkpoint: CheckpointFile): Promise<boolean> {
  const path = join(output, HISTORY);
  const last = existsSync(path) ? await checkpoint.read() : null;
  if (last === null) return false;
  try {
    const history = JSON.parse(readFileSync(path, "utf8")) as Partial<PretrainingHistory> | null;
    return JSON.stringify(history?.steps) === JSON.stringify(updatesOf(last));
  } catch {
    return false;
  }
}

/** `encoder/`, a folder for each adapter, `head/` where it is wanted, and what happened, for programs and for people. */
function filesOf({ encoder, adapters, head, history }: Pretrained): FileToWrite[] {
  const folders = [["encoder", encoder] as const, ...adapters, ...(head === null ? [] : [["head", head] as const])];
  const files = folders.flatMap(([folder, own]) => [...own].map(([name, bytes]): FileToWrite => ({ name: `${folder}/${name}`, parts: [bytes] })));
  const text = (name: string, content: string): FileToWrite => ({ name, parts: [new TextEncoder().encode(content)] });
  return [...files, text(HISTORY, `${JSON.stringify(history)}\n`), text("report.html", pretrainingReport(history))];
}

function progressText({ step, steps, ner, tc, accuracy, tokensPerSecond, secondsLeft }: PretrainingProgress): string {
  const figure = (name: string, value: number | null): string[] => (value === null ? [] : [`${name} ${value.toFixed(3)}`]);
  return [
    `${step}/${steps}`, ...figure("NER", ner), ...figure("TC", tc), ...figure("accuracy", accuracy),
    `${grouped(Math.round(tokensPerSecond))} tokens/s`, `${clock(secondsLeft)} left`,
  ].join(", ");
}
