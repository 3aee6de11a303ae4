import { existsSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { RootstockError } from "../index.ts";

/**
 * Refuses an output that is there and no regular file: the finished file is renamed to that name, and would take the place
 * of a pipe or a device, such as /dev/null. To be called before any work.
 *
 * @param option for messages
 * @throws RootstockError `argument-invalid`
 */
export function refuseNonFile(path: string, option = "--output"): void {
  if (!existsSync(path)) return;
  const stat = statSync(path);
  if (stat.isDirectory()) throw new RootstockError("argument-invalid", `${path} is a folder. Give ${option} a file.`);
  if (stat.isFile()) return;
  const instead = option === "--output" ? ` For a pipe or a device write to standard output, with "> ${path}" behind the command.` : "";
  throw new RootstockError("argument-invalid", `${path} is no regular file. Give ${option} a file.${instead}`);
}

/** The same for two paths of one file, whatever links lead there; a file that is not there is told by its folder and name. */
export function fileKey(given: string): string {
  const path = resolve(given);
  if (existsSync(path)) {
    const { dev, ino } = statSync(path, { bigint: true }); // on Windows more than a double holds
    return `${dev}:${ino}`;
  }
  const folder = dirname(path);
  return folder === path ? path : `${fileKey(folder)}/${basename(path)}`;
}
