import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const ENCODER = `${ROOT}models/mtpf-minilm-l6`;
export const adapterFolder = (name: string): string => `${ROOT}models/adapters/${name}`;

const MAIN = `${ROOT}dist/cli/main.js`;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the built program; its standard input stays open until the caller ends it. */
export function start(args: readonly string[], env: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run "npm run build" first`);
  return spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });
}

export function outcome(child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on("error", () => undefined); // the program may end before it has read everything
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }));
  });
}

/** Runs the built program to its end. */
export function program(args: readonly string[], input: string | Uint8Array = "", env: Record<string, string> = {}): Promise<Outcome> {
  const child = start(args, env);
  const done = outcome(child);
  child.stdin.end(input);
  return done;
}

/** The objects of JSON lines. */
export function jsonLines<T>(text: string): T[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
