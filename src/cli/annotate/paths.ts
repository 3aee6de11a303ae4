import { dirname, resolve } from "node:path";
import { open } from "node:fs/promises";
import { RootstockError } from "../../index.ts";

/** The files of a run: only `output` is there before it begins and after it ends. */
export interface TargetPaths {
  readonly output: string;
  /** Results so far, as JSON lines, whatever the output will be. */
  readonly journal: string;
  readonly checkpoint: string;
  /** The output while it is made from the journal, where it is another format. */
  readonly temporary: string;
}

export function targetPaths(output: string): TargetPaths {
  return { output, journal: `${output}.partial`, checkpoint: `${output}.checkpoint`, temporary: `${output}.partial.new` };
}

/** Every file that a run makes beside its output and takes away. */
export function ownFiles(output: string): string[] {
  const { journal, checkpoint, temporary } = targetPaths(output);
  return [journal, temporary, checkpoint, unfinished(checkpoint)];
}

/** A checkpoint while it is written. */
export function unfinished(checkpoint: string): string {
  return `${checkpoint}.new`;
}

/** Makes names that were given, changed or taken away in the folder of `path` last through a loss of power. */
export async function syncFolder(path: string): Promise<void> {
  let folder;
  try {
    folder = await open(dirname(resolve(path)), "r");
  } catch {
    return; // Windows opens no folders
  }
  try {
    await folder.sync();
  } catch {
    // Some file systems have no such call; then it is theirs to keep the order.
  } finally {
    await folder.close();
  }
}

/** Runs a step that writes to `path`. @throws RootstockError `target-unwritable` */
export async function writing<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    // Only what the system says; anything else is no fault of the disk.
    if (!(cause instanceof Error) || cause instanceof RootstockError || typeof (cause as NodeJS.ErrnoException).code !== "string") throw cause;
    throw new RootstockError("target-unwritable", `${path} could not be written: ${cause.message}. Check the path, space and permissions.`, { cause });
  }
}
