import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkEmptyTarget, writeFolder, type FileToWrite } from "../../convert/write-folder.ts";
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
  const history = checkpoint.isThere && !restart ? finishedHistory(config) : null;
  if (history !== null) return finish(checkpoint, history, output, session);
  checkEmptyTarget(output);
  await tryTarget(output);
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
  writeFolder(output, filesOf(made));
  await finish(checkpoint, made.history, output, session);
}

/** The output is whole. */
async function finish(checkpoint: CheckpointFile, history: PretrainingHistory, output: string, session: Session): Promise<void> {
  await checkpoint.remove();
  await session.write(summary(history, output));
}

/** Of a run of this configuration that was ended after its output was there, and before its checkpoint was removed; else null. */
function finishedHistory({ output, settings }: PretrainConfig): PretrainingHistory | null {
  const path = join(output, HISTORY);
  if (!existsSync(path)) return null;
  let history: Partial<PretrainingHistory> | null;
  try {
    history = JSON.parse(readFileSync(path, "utf8")) as Partial<PretrainingHistory> | null;
  } catch {
    return null;
  }
  // The longest text is that of the encoder where it reads less.
  const known = { ...history?.settings, maxLength: settings.maxLength };
  const isWhole = [history?.steps, history?.probes, history?.warnings].every(Array.isArray);
  return isWhole && JSON.stringify(known) === JSON.stringify(settings) ? (history as PretrainingHistory) : null;
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
