import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { outcome, program, start, type Outcome } from "./program.ts";

/** Where a program is ended: right before the `at`-th call (from 1) that changes the file system, or that is named `call` ("rename"). */
export interface End {
  readonly signal: "SIGKILL" | "SIGINT";
  readonly at: number;
  readonly call?: string;
}

const PRELOAD = pathToFileURL(fileURLToPath(new URL("./end-at.mjs", import.meta.url))).href;

const environment = (given: object): Record<string, string> => ({ NODE_OPTIONS: `--import=${PRELOAD}`, ROOTSTOCK_END_AT: JSON.stringify(given) });

/** Runs the built program and ends it by a signal of its own; where it makes fewer calls than that it comes to its end. */
export async function endedAt(args: readonly string[], end: End): Promise<Outcome> {
  const child = start(args, environment(end));
  const done = outcome(child);
  child.stdin.end();
  return done;
}

/** Runs the built program to its end. @returns how often it changed the file system */
export async function changesOf(args: readonly string[], file: string): Promise<{ outcome: Outcome; changes: number }> {
  const made = await program(args, "", environment({ at: 0, count: file }));
  const changes = Number(readFileSync(file, "utf8"));
  rmSync(file);
  return { outcome: made, changes };
}
