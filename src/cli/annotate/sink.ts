import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import type { RootstockError } from "../../index.ts";
import { writing } from "../disk.ts";
import { AppendFile } from "./append-file.ts";
import { writeCheckpoint, type Checkpoint } from "./checkpoint.ts";
import type { Identity } from "./identity.ts";
import type { TargetPaths } from "./paths.ts";
import type { Outcome } from "./work.ts";

/** Takes outcomes in order. */
export interface Sink {
  readonly good: number;
  readonly bad: number;
  /** @throws RootstockError the error of the first bad row, where no file takes those; the rows before it are kept */
  write(outcomes: readonly Outcome[]): Promise<void>;
  /** Every row has been written. */
  finish(): Promise<void>;
  /** The run ends early: keeps what was written. @returns the row to go on from; 0 when there is nothing to go on from */
  stop(): Promise<number>;
}

/** A line of the errors file. */
export function errorLine({ line, number }: { line: number | null; number: number }, error: RootstockError): string {
  return `${JSON.stringify({ line, row: number, code: error.code, reason: error.message })}\n`;
}

interface Written {
  readonly lines: string;
  readonly errors: string;
  readonly good: number;
  readonly bad: number;
  /** The row that ends the run. */
  readonly stop: { readonly number: number; readonly error: RootstockError } | null;
}

function gather(outcomes: readonly Outcome[], keepErrors: boolean): Written {
  const lines: string[] = [];
  const errors: string[] = [];
  for (const outcome of outcomes) {
    if ("line" in outcome) lines.push(outcome.line);
    else if (keepErrors) errors.push(errorLine(outcome.row, outcome.error));
    else return { lines: lines.join(""), errors: "", good: lines.length, bad: 0, stop: { number: outcome.row.number, error: outcome.error } };
  }
  return { lines: lines.join(""), errors: errors.join(""), good: lines.length, bad: errors.length, stop: null };
}

export interface JournalOptions {
  readonly identity: Identity;
  /** File of bad rows. */
  readonly errors: string | undefined;
  /** Milliseconds of work between two checkpoints: what is done again after a kill, at most. */
  readonly interval: number;
}

/** Writes results to a journal, with a checkpoint from time to time. */
export class JournalSink implements Sink {
  readonly #paths: TargetPaths;
  readonly #journal: AppendFile;
  readonly #errors: AppendFile | null;
  readonly #interval: number;
  /** Only what both files have: a write that fails in the second must not count in the first. */
  #state: Checkpoint;
  #saved = performance.now();

  private constructor(paths: TargetPaths, state: Checkpoint, journal: AppendFile, errors: AppendFile | null, interval: number) {
    this.#paths = paths;
    this.#interval = interval;
    this.#state = state;
    this.#journal = journal;
    this.#errors = errors;
  }

  /** Goes on from a checkpoint, or begins: then the files there are emptied. */
  static async open(paths: TargetPaths, options: JournalOptions, from: Checkpoint | null): Promise<JournalSink> {
    const { identity, interval } = options;
    const errors = options.errors === undefined ? null : { path: resolve(options.errors), bytes: from?.errors?.bytes ?? 0 };
    const state: Checkpoint = from === null ? { next: 0, good: 0, bad: 0, bytes: 0, errors, finished: false, identity } : { ...from, errors };
    // First, since it fails where a folder has the name; a resumed run makes this file anew.
    if (from === null) await writing(paths.temporary, () => rm(paths.temporary, { force: true }));
    // Before any other file is touched: whatever is found from here on belongs to a run that can go on.
    await writeCheckpoint(paths.checkpoint, state);
    let journal: AppendFile | null = null;
    try {
      journal = await AppendFile.open(paths.journal, state.bytes);
      return new JournalSink(paths, state, journal, errors === null ? null : await AppendFile.open(errors.path, errors.bytes), interval);
    } catch (error) {
      await journal?.close();
      if (state.next === 0) await forget(paths, [journal]);
      // An --errors that cannot be opened is not the run's.
      else if (from !== null) await writeCheckpoint(paths.checkpoint, from);
      throw error;
    }
  }

  get good(): number {
    return this.#state.good;
  }

  get bad(): number {
    return this.#state.bad;
  }

  async write(outcomes: readonly Outcome[]): Promise<void> {
    const { lines, errors, good, bad, stop } = gather(outcomes, this.#errors !== null);
    await this.#journal.append(lines);
    await this.#errors?.append(errors);
    this.#state = {
      ...this.#state,
      next: stop?.number ?? outcomes.at(-1)!.row.number + 1,
      good: this.#state.good + good,
      bad: this.#state.bad + bad,
      bytes: this.#journal.bytes,
      errors: this.#errors === null ? null : { path: this.#errors.path, bytes: this.#errors.bytes },
    };
    if (stop !== null) throw stop.error;
    if (performance.now() - this.#saved >= this.#interval) await this.#save();
  }

  async finish(): Promise<void> {
    this.#state = { ...this.#state, finished: true };
    await this.#save();
    await this.#close();
  }

  async stop(): Promise<number> {
    const { next } = this.#state;
    try {
      if (next > 0) await this.#save();
    } finally {
      await this.#close();
    }
    if (next === 0) await forget(this.#paths, [this.#journal, this.#errors]);
    return next;
  }

  async #save(): Promise<void> {
    await this.#journal.sync();
    await this.#errors?.sync();
    await writeCheckpoint(this.#paths.checkpoint, this.#state);
    this.#saved = performance.now();
  }

  async #close(): Promise<void> {
    await this.#journal.close();
    await this.#errors?.close();
  }
}

/**
 * Nothing was done, so that nothing need be in the way of the next run. Beside an output of an earlier run the checkpoint
 * stays: without it `--resume` would take that output for this run's.
 *
 * @param files those that the run opened: what kept it from opening one is not its own
 */
async function forget({ output, checkpoint }: TargetPaths, files: readonly (AppendFile | null)[]): Promise<void> {
  if (existsSync(output)) return;
  for (const file of files) if (file !== null) await rm(file.path, { force: true });
  await rm(checkpoint, { force: true });
}

/** Writes results as they come, to standard output: nothing to go on from. */
export class StreamSink implements Sink {
  readonly #out: (text: string) => Promise<void>;
  readonly #errors: AppendFile | null;
  good = 0;
  bad = 0;

  constructor(out: (text: string) => Promise<void>, errors: AppendFile | null) {
    this.#out = out;
    this.#errors = errors;
  }

  async write(outcomes: readonly Outcome[]): Promise<void> {
    const { lines, errors, good, bad, stop } = gather(outcomes, this.#errors !== null);
    if (lines !== "") await this.#out(lines);
    await this.#errors?.append(errors);
    this.good += good;
    this.bad += bad;
    if (stop !== null) throw stop.error;
  }

  async finish(): Promise<void> {
    await this.#errors?.close();
  }

  async stop(): Promise<number> {
    await this.finish();
    return 0;
  }
}
