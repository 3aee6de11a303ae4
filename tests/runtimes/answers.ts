import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { loadEncoder } from "../../src/index.ts";
import { runTasks } from "./app/tasks.js";

const run = promisify(execFile);

export interface Answer {
  readonly kernel: string;
  readonly results: unknown;
}

/** The answer of the sources on this Node; every other runtime must give its very bits. */
export async function expectedAnswer(): Promise<Answer> {
  return runTasks(loadEncoder, "models");
}

/** What a program prints, as JSON. Node's own flags and preloads of the test runner are not handed on. */
export async function printedAnswer(program: string, args: readonly string[], cwd: string): Promise<Answer> {
  const { NODE_OPTIONS: _, VITEST: __, ...env } = process.env;
  const { stdout } = await run(program, args, { cwd, env });
  return JSON.parse(stdout) as Answer;
}
