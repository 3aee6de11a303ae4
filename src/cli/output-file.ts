import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
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

/** Whether two paths are one file: by their names, or, where both are there, by links. */
export function isSameFile(a: string, b: string): boolean {
  if (resolve(a) === resolve(b)) return true;
  const [own, other] = [a, b].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return own !== undefined && other !== undefined && own.ino === other.ino && own.dev === other.dev;
}
