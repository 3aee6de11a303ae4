import { RootstockError } from "../errors.ts";
import { fileSystem } from "../load/builtin.ts";

/** A file of a folder to be written, in parts that need not be joined; its name may begin with a folder: "ner/adapter_config.json". */
export interface FileToWrite {
  readonly name: string;
  readonly parts: readonly Uint8Array[];
}

/** The file system, when there is one and `folder` is free. @throws RootstockError as `writeFolder`. */
export function checkEmptyTarget(folder: string): typeof import("node:fs") {
  const fs = fileSystem();
  if (fs === undefined) throw new RootstockError("target-unwritable", "there is no file system here to write a folder to. Run this in Node, Deno or Bun.");
  let isFree: boolean;
  try {
    const isThere = fs.existsSync(folder);
    isFree = !isThere || (fs.statSync(folder).isDirectory() && fs.readdirSync(folder).length === 0);
    if (isThere && isFree) replaceEmpty(fs, folder);
  } catch (cause) {
    throw unwritable(folder, cause);
  }
  if (isFree) return fs;
  throw new RootstockError("argument-invalid", `${folder} exists and is not an empty folder. Remove it or choose another.`);
}

/** What cannot be replaced (a mount point, another's folder) is told before the work. */
function replaceEmpty(fs: typeof import("node:fs"), folder: string): void {
  if (fs.realpathSync(folder) === fs.realpathSync(".")) throw new Error("it is the current folder; name one inside it");
  fs.rmdirSync(folder);
  fs.mkdirSync(folder);
}

function unwritable(folder: string, cause: unknown): RootstockError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RootstockError("target-unwritable", `${folder} could not be written: ${reason}. Nothing was left behind; check space and permissions.`, { cause });
}

/**
 * Writes a folder so that it is whole or not there: into a temporary one beside it, each file flushed to the disk,
 * then renamed.
 * @throws RootstockError `argument-invalid` when the folder exists and is not empty, `target-unwritable`.
 */
export function writeFolder(folder: string, files: readonly FileToWrite[]): void {
  const fs = checkEmptyTarget(folder);
  const base = folder.replace(/[/\\]+$/, "");
  let temporary: string | null = null;
  try {
    const parent = base.slice(0, Math.max(base.lastIndexOf("/"), base.lastIndexOf("\\"), 0));
    if (parent !== "") fs.mkdirSync(parent, { recursive: true });
    temporary = fs.mkdtempSync(`${base}.partial-`);
    for (const inner of new Set(files.map(({ name }) => name.slice(0, Math.max(0, name.lastIndexOf("/")))))) fs.mkdirSync(`${temporary}/${inner}`, { recursive: true });
    for (const { name, parts } of files) writeFile(fs, `${temporary}/${name}`, parts);
    fs.chmodSync(temporary, 0o755);
    if (fs.existsSync(folder)) fs.rmdirSync(folder);
    fs.renameSync(temporary, base);
  } catch (cause) {
    if (temporary !== null) fs.rmSync(temporary, { recursive: true, force: true });
    throw unwritable(folder, cause);
  }
}

function writeFile(fs: typeof import("node:fs"), path: string, parts: readonly Uint8Array[]): void {
  const descriptor = fs.openSync(path, "wx");
  try {
    for (const part of parts) {
      for (let written = 0; written < part.length; ) written += fs.writeSync(descriptor, part, written);
    }
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
