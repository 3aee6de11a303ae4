import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { RootstockError } from "../../index.ts";
import { syncFolder } from "../disk.ts";
import { refuseNonFile } from "../output-file.ts";
import { readCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { differences, type Identity } from "./identity.ts";
import type { TargetPaths } from "./paths.ts";

export interface Intent {
  readonly resume: boolean;
  readonly overwrite: boolean;
  /** File of bad rows. */
  readonly errors: string | undefined;
}

/** "new": begin; "complete": there is nothing left to do; else the state to go on from. */
export type Claim = "new" | "complete" | Checkpoint;

/**
 * Looks at what an earlier run left and says how this one begins. Nothing is changed, but for the last step of a run that
 * was ended between its last two.
 *
 * @throws RootstockError `argument-invalid` when something would be overwritten or is no file, and those of `readCheckpoint`
 */
export async function claimTarget(paths: TargetPaths, intent: Intent): Promise<Claim> {
  const { output, journal } = paths;
  refuseNonFile(output);
  if (intent.errors !== undefined) refuseNonFile(intent.errors, "--errors");
  if (intent.overwrite) return "new";
  const checkpoint = await readCheckpoint(paths.checkpoint);
  if (checkpoint === null) {
    if (existsSync(journal)) throw refused(`${journal} is there without its checkpoint, so no run can go on from it. Move it away, or give --overwrite.`);
    if (!existsSync(output)) {
      refuseErrorsFile(intent.errors);
      return "new";
    }
    if (intent.resume) return "complete";
    throw refused(`${output} is there already. Give another --output, or --overwrite.`);
  }
  if (!intent.resume) throw refused(`${output} has an unfinished run (${checkpoint.next} rows are done). Go on with --resume, or begin anew with --overwrite.`);
  if (checkpoint.finished && !existsSync(journal) && existsSync(output)) {
    await rm(paths.checkpoint);
    await syncFolder(paths.checkpoint);
    return "complete";
  }
  return checkpoint;
}

/** @throws RootstockError `argument-invalid` when the file is there */
export function refuseErrorsFile(errors: string | undefined): void {
  if (errors === undefined || !existsSync(errors)) return;
  throw refused(`${errors} is there already. Give another --errors, or --overwrite.`);
}

/**
 * Whether a run may go on from a checkpoint. A run without --errors may go on with it: that is how one that stopped at a
 * bad row gets past it.
 *
 * @throws RootstockError `argument-invalid`, with what differs
 */
export function checkSameRun(checkpoint: Checkpoint, identity: Identity, errors: string | undefined, where: string): void {
  const found = differences(checkpoint.identity, identity);
  const before = checkpoint.errors?.path;
  const now = errors === undefined ? undefined : resolve(errors);
  if (before !== undefined && before !== now) found.push(`--errors was ${before} and is ${now ?? "not given"}`);
  if (found.length > 0) throw refused(`${where} is of another run: ${found.join("; ")}. Give what was given then, or begin anew with --overwrite.`);
  if (before === undefined) refuseErrorsFile(errors);
}

function refused(message: string): RootstockError {
  return new RootstockError("argument-invalid", message);
}
