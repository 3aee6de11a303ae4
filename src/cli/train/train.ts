import type { TrainingHistory, TrainingProgress } from "../../finetune/types.ts";
import { RootstockError } from "../../index.ts";
import { trainingReport } from "../../report/training-report.ts";
import { withPeers } from "../../train/parallel/with-peers.ts";
import { openEncoder, packageEncoder } from "../models.ts";
import { grouped } from "../print-table.ts";
import { inputName } from "../read-lines.ts";
import type { Session } from "../session.ts";
import { CheckpointFile } from "./checkpoint-file.ts";
import { holdOut } from "./hold-out.ts";
import type { TrainPlan } from "./plan.ts";
import { jsonResult, printResult, progressText } from "./print-training.ts";
import { partOf, readRowSet, type RowSet } from "./row-set.ts";
import { runJob, type Trained, type TrainJob } from "./run.ts";
import { checkTarget, prepareTarget, replaceFolder, trainPaths } from "./target.ts";

/** Time for a last checkpoint on a slow disk. A second Ctrl-C ends the program at once. */
const GRACE_MS = 30_000;

/** Trains an adapter and writes its folder. @throws RootstockError */
export async function train(plan: TrainPlan, session: Session): Promise<void> {
  const paths = trainPaths(plan.out);
  checkTarget(paths, plan.restart);
  await prepareTarget(paths);
  const checkpoint = new CheckpointFile(paths.checkpoint);
  await checkpoint.begin(plan.restart, session);
  const sets = await readSets(plan, session);
  const job: TrainJob = { task: plan.task, encoder: plan.encoder ?? packageEncoder(), train: sets.train, dev: sets.dev, options: plan.options, checkpoint: checkpoint.path };
  try {
    const { files, history } = plan.workers === 1 ? await trainHere(job, session) : await trainTogether(job, plan.workers, session);
    session.progress(null);
    const made: TrainingHistory = { ...history, settings: { ...history.settings, files: sourcesOf(plan, sets) } };
    await replaceFolder(paths, new Map([...files, ["history.json", utf8(`${JSON.stringify(made)}\n`)], ["report.html", utf8(trainingReport(made))]]));
    // The checkpoint goes last: until then the same command comes to this end again.
    await session.write(plan.json ? `${JSON.stringify(jsonResult(made, plan.out))}\n` : printResult(made, plan.out, session));
    await checkpoint.remove();
  } catch (error) {
    session.progress(null);
    checkpoint.ended(session);
    throw ofCheckpoint(error, checkpoint);
  }
}

async function trainHere(job: TrainJob, session: Session): Promise<Trained> {
  const encoder = await openEncoder(job.encoder, session);
  try {
    return await runJob(job, encoder, { signal: session.signal, onProgress: (progress) => session.progress(progressText(progress)) });
  } finally {
    encoder.dispose();
  }
}

function trainTogether(job: TrainJob, workers: number, session: Session): Promise<Trained> {
  return withPeers(workers, new URL("./peer.js", import.meta.url), job, {
    signal: session.signal, graceMs: GRACE_MS,
    onMessage: (progress) => session.progress(progressText(progress as TrainingProgress)),
  });
}

interface Sets {
  readonly train: RowSet;
  readonly dev: RowSet | null;
}

async function readSets({ data, dev, options }: TrainPlan, session: Session): Promise<Sets> {
  const read = (path: string): Promise<RowSet> => readRowSet(path, session.signal, (rows) => session.progress(`reading ${inputName(path)}, ${grouped(rows)} rows`));
  const all = await read(data);
  const given = typeof dev === "object" && dev !== null ? await read(dev.path) : null;
  session.progress(null);
  if (dev !== "held out") return { train: all, dev: given };
  const held = holdOut(all.rows, options.seed);
  if (held.size === 0) {
    session.note(`no --dev: ${grouped(all.rows.length)} rows are too few to hold some out, so nothing is measured; give --dev, or --no-dev to hear no more of it`);
    return { train: all, dev: null };
  }
  session.note(`no --dev: ${grouped(held.size)} of ${grouped(all.rows.length)} rows are held out as dev, chosen by seed ${options.seed}; --no-dev trains on all`);
  return { train: partOf(all, (row) => !held.has(row)), dev: partOf(all, (row) => held.has(row)) };
}

/** Where the rows came from, for the history: names without their folders, which are nobody else's business. */
function sourcesOf({ data, dev: asked, options }: TrainPlan, { dev }: Sets): Readonly<Record<string, string | null>> {
  const name = (path: string): string => inputName(path).replace(/^.*[/\\]/, "");
  const held = asked === "held out" && dev !== null ? `${dev.rows.length} rows of ${name(data)}, chosen by seed ${options.seed}` : null;
  return { train: name(data), dev: dev === null ? null : (held ?? name(dev.path)) };
}

/** The same error in the words of the command line, where a checkpoint is in the way. */
function ofCheckpoint(error: unknown, { path }: CheckpointFile): unknown {
  if (!(error instanceof RootstockError) || error.code !== "checkpoint-invalid") return error;
  const message = error.message.replace("Remove it to train anew.", "Give what was given then, or --restart to train anew.");
  return new RootstockError(error.code, `${path}: ${message}`, { cause: error });
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
