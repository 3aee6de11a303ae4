import type { ExecFileSyncOptions } from "node:child_process";

export type EngineName = "node20" | "node22" | "node24" | "node26" | "deno" | "bun" | "arm64";

/** `node20` is the Node that runs the tests, if it is one. */
export const ENGINES: readonly EngineName[];

/** The program and what stands before a script's path. */
export interface EngineCommand {
  readonly command: readonly string[];
}

/** The names that ROOTSTOCK_RUNTIMES asks for; null when it is not set: those that are there. */
export function askedFor(): readonly string[] | null;

/** How to run a script, or why it cannot be run here. */
export function findEngine(name: EngineName): EngineCommand | { readonly absent: string };

/** What a script writes to its standard output. Throws, with what it wrote to the other, when it fails. */
export function runScript(engine: EngineCommand, script: string, args: readonly string[], options?: ExecFileSyncOptions): string;
