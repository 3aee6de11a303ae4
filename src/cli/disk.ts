/** Files that are whole or not there, whatever ends a run, a loss of power included. */

import { statSync } from "node:fs";
import { open, readFile, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { RootstockError } from "../index.ts";

function isOfSystem(cause: unknown): cause is NodeJS.ErrnoException {
  return cause instanceof Error && !(cause instanceof RootstockError) && typeof (cause as NodeJS.ErrnoException).code === "string";
}

/** Runs a step that writes to `path`. @throws RootstockError `target-unwritable` */
export async function writing<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    // Only what the system says; anything else is no fault of the disk.
    if (!isOfSystem(cause)) throw cause;
    throw new RootstockError("target-unwritable", `${path} could not be written: ${cause.message}. Check the path, space and permissions.`, { cause });
  }
}

/** Runs a step that reads `path`. @throws RootstockError `source-unreadable` */
export function reading<T>(path: string, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/**
 * Bytes of a file; null where there is none, or no file: reading a pipe or a device may never end.
 * @throws RootstockError `source-unreadable`
 */
export function fileSize(path: string): number | null {
  const found = reading(path, () => statSync(path, { throwIfNoEntry: false }));
  return found?.isFile() === true ? found.size : null;
}

/** The bytes of a file; null where `fileSize` is. @throws RootstockError `source-unreadable` */
export async function readIfThere(path: string): Promise<Uint8Array | null> {
  if (fileSize(path) === null) return null;
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** What the system said of `path`, as this library's error; anything else as it is. */
export function unreadable(path: string, cause: unknown): unknown {
  if (!isOfSystem(cause)) return cause;
  return new RootstockError("source-unreadable", `${path} could not be read: ${cause.message}. Check the path and its permissions.`, { cause });
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

/** Opens an empty file of that name. What has it already is removed and not emptied: it may be a link, and then another file would be. */
export async function openAnew(path: string): Promise<FileHandle> {
  await rm(path, { force: true });
  return open(path, "wx");
}

/** Writes a new file whose bytes are on the disk then; its name need not be, see `syncFolder`. */
export async function writeFlushed(path: string, parts: readonly (string | Uint8Array)[]): Promise<void> {
  const file = await openAnew(path);
  try {
    for (const part of parts) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The file that `replaceFile` makes beside `path`. */
export function unfinished(path: string): string {
  return `${path}.new`;
}

/** Puts a file in the place of the one before: whole and on the disk, or not at all. @throws RootstockError `target-unwritable` */
export async function replaceFile(path: string, parts: readonly (string | Uint8Array)[]): Promise<void> {
  const temporary = unfinished(path);
  try {
    await writing(path, async () => {
      await writeFlushed(temporary, parts);
      await rename(temporary, path);
      await syncFolder(path);
    });
  } catch (error) {
    // What stands in its way, a folder, is not ours.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}
