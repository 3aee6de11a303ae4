import { RootstockError, type RunOptions, type TaskInfo } from "../../index.ts";
import { addAdapters, packageEncoder } from "../models.ts";
import { refuseNonFile } from "../output-file.ts";
import { grouped } from "../print-table.ts";
import { inputName } from "../read-lines.ts";
import type { Session } from "../session.ts";
import { repeated } from "../repeated.ts";
import { AppendFile } from "./append-file.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { checkSameRun, claimTarget, refuseErrorsFile } from "./claim.ts";
import { chunks } from "./chunks.ts";
import { finishingSteps } from "./finish.ts";
import { ADAPTER_FILES, ENCODER_FILES, folderDigest, inputIdentity, type Identity } from "./identity.ts";
import { checkInput, openRows } from "./input.ts";
import { taskColumns, type TaskColumns } from "./journal-to-parquet.ts";
import { ordered } from "./ordered.ts";
import { targetPaths, type TargetPaths } from "./paths.ts";
import type { AnnotatePlan } from "./plan.ts";
import { Rate } from "./rate.ts";
import type { FieldNames, Row } from "./rows.ts";
import { openRunner, type OpenRunner } from "./runner.ts";
import { JournalSink, StreamSink, type Sink } from "./sink.ts";
import { annotateRows, type Runner, type Work } from "./work.ts";

/** Annotates a file. @throws RootstockError */
export async function annotate(plan: AnnotatePlan, encoder: string | undefined, session: Session): Promise<void> {
  checkInput({ path: plan.input, format: plan.format });
  if (plan.output === "-") return annotateToStream(plan, encoder, session);
  const paths = targetPaths(plan.output);
  const claim = await claimTarget(paths, plan);
  if (claim === "complete") return session.note(`${plan.output} is complete; there is nothing to resume`);
  const from = claim === "new" ? null : claim;
  const open = await openRunner(encoder, plan.workers, session);
  let tasks: TaskColumns[];
  try {
    tasks = await addTasks(open.runner, plan, session);
    const identity = await identityOf(plan, encoder ?? packageEncoder(), open.runner.info.fingerprint);
    if (from !== null) checkSameRun(from, identity, plan.errors, paths.checkpoint);
    if (from?.finished === true) {
      await (await AppendFile.open(paths.journal, from.bytes)).close();
    } else {
      const sink = await JournalSink.open(paths, { identity, errors: plan.errors, interval: plan.checkpointMs }, from);
      await pump(plan, open, fieldNames(plan, tasks), sink, from, session);
    }
  } finally {
    await open.runner.dispose();
  }
  await finish(plan, paths, tasks, session);
  if (from?.finished === true) session.note(`${plan.output} is complete: ${grouped(from.good + from.bad)} rows, ${grouped(from.bad)} bad rows`);
}

/** From the finished journal to the output. */
async function finish(plan: AnnotatePlan, paths: TargetPaths, tasks: readonly TaskColumns[], session: Session): Promise<void> {
  const { annotationsField: annotations, prefix, output } = plan;
  const onRows = (rows: number): void => session.progress(`writing ${output}, ${grouped(rows)} rows`);
  const parquet = plan.outputFormat === "jsonl" ? null : { tasks, annotations, prefix, signal: session.signal, onRows };
  try {
    for (const step of finishingSteps(paths, parquet)) await step();
  } catch (error) {
    if (session.signal.aborted) session.note(`every row is done; the same command with --resume makes ${output}`);
    throw error;
  } finally {
    session.progress(null);
  }
}

async function annotateToStream(plan: AnnotatePlan, encoder: string | undefined, session: Session): Promise<void> {
  if (plan.errors !== undefined) refuseNonFile(plan.errors, "--errors");
  if (!plan.overwrite) refuseErrorsFile(plan.errors);
  const open = await openRunner(encoder, plan.workers, session);
  try {
    const names = fieldNames(plan, await addTasks(open.runner, plan, session));
    const sink = new StreamSink(session.write, plan.errors === undefined ? null : await AppendFile.open(plan.errors, 0));
    await pump(plan, open, names, sink, null, session);
  } finally {
    await open.runner.dispose();
  }
}

/** Adds the adapters, and tries the tasks and options once: what is wrong with them is not the fault of any row. */
async function addTasks(runner: Runner, { adapters, options }: AnnotatePlan, session: Session): Promise<TaskColumns[]> {
  await addAdapters(runner, adapters, session);
  try {
    await runner.runBatch([{ text: "a", tasks: adapters.map(({ name }) => name) }], options);
  } catch (error) {
    if (!(error instanceof RootstockError) || error.code !== "text-too-long") throw error;
  }
  // A task without a head was refused by the run.
  const kinds = new Map(runner.info.tasks.map(({ name, kind }: TaskInfo) => [name, kind!]));
  return adapters.map(({ name }) => ({ name, kind: kinds.get(name)! }));
}

function fieldNames({ textField, annotationsField, outputFormat, prefix }: AnnotatePlan, tasks: readonly TaskColumns[]): FieldNames {
  const columns = outputFormat === "jsonl" ? [] : tasks.flatMap((task) => taskColumns(task, prefix).map(([name]) => name));
  const twice = repeated(columns);
  if (twice !== undefined) throw new RootstockError("argument-invalid", `two tasks would give a column ${JSON.stringify(twice)}. Give one of their adapters another name.`);
  return { text: textField, annotations: annotationsField, reserved: new Set([annotationsField, ...columns]) };
}

async function identityOf(plan: AnnotatePlan, encoder: string, fingerprint: string): Promise<Identity> {
  const { signal: _, ...options }: RunOptions = plan.options;
  const { shard, textField, annotationsField, prefix } = plan;
  const identity = new Map(inputIdentity(plan.input));
  identity.set("format", plan.format).set("output format", plan.outputFormat);
  identity.set("encoder", fingerprint).set("encoder files", await folderDigest(encoder, ENCODER_FILES));
  identity.set("tasks", plan.adapters.map(({ name }) => name).join(","));
  for (const { name, folder } of plan.adapters) identity.set(`adapter ${name}`, await folderDigest(folder, ADAPTER_FILES));
  identity.set("options", JSON.stringify(options)).set("text field", textField).set("annotations field", annotationsField).set("prefix of columns", prefix);
  return identity.set("shard", `${shard.index + 1}/${shard.count}`);
}

/** Input → encoder → sink, from the row of a checkpoint on. */
async function pump(plan: AnnotatePlan, open: OpenRunner, names: FieldNames, sink: Sink, from: Checkpoint | null, session: Session): Promise<void> {
  const { input, format, shard, options } = plan;
  const source = openRows({ path: input, format }, names, from?.next ?? 0, session.signal);
  const work: Work = {
    runner: open.runner,
    tasks: plan.adapters.map(({ name }) => name),
    options,
    annotations: names.annotations,
    where: ({ line, number }: Row) => `${inputName(input)}, ${line === null ? `row ${number}` : `line ${line}`}`,
  };
  const rate = new Rate(source.fraction);
  try {
    const selected = chunks(source.rows, { from: from?.next ?? 0, shard, eager: input === "-" });
    for await (const outcomes of ordered(selected, open.inFlight, (rows) => annotateRows(rows, work))) {
      await sink.write(outcomes);
      rate.add(outcomes.length);
      session.progress(rate.progress(sink.good + sink.bad));
    }
    await sink.finish();
  } catch (error) {
    // What ended the run is told, not that its last state could not be kept.
    const next = await sink.stop().catch(() => 0);
    session.progress(null);
    if (next > 0) session.note(`${grouped(sink.good)} rows are kept in ${plan.output}.partial; the same command with --resume goes on`);
    throw error;
  }
  session.progress(null);
  session.note(`${grouped(sink.good + sink.bad)} rows, ${grouped(sink.bad)} bad rows, ${rate.perSecond()}`);
}
