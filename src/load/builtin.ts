import { RootstockError } from "../errors.ts";

/**
 * Node's own modules without an import of them, so that one build serves browsers too: Node 20.16+, Deno and Bun
 * have `process.getBuiltinModule`; where it is absent there is no file system to read.
 */
type FileSystem = typeof import("node:fs");
type WorkerThreads = typeof import("node:worker_threads");
type OperatingSystem = typeof import("node:os");
type Urls = typeof import("node:url");

interface BuiltinHost {
  process?: { readonly versions?: { readonly node?: string }; getBuiltinModule?: (name: string) => unknown };
}

function builtin(name: string): unknown {
  return (globalThis as BuiltinHost).process?.getBuiltinModule?.(name);
}

/** `node:fs`, or undefined in a browser or on the edge. @throws RootstockError `source-unreadable` in a Node that is too old to give it. */
export function fileSystem(): FileSystem | undefined {
  const { process } = globalThis as BuiltinHost;
  const version = process?.versions?.node;
  if (version !== undefined && process?.getBuiltinModule === undefined) {
    throw new RootstockError("source-unreadable", `files cannot be read in Node ${version}: Node 20.20 or 22.3 and newer is needed.`);
  }
  return builtin("node:fs") as FileSystem | undefined;
}

/** `node:url`, or undefined in a browser or on the edge. */
export function urls(): Urls | undefined {
  return builtin("node:url") as Urls | undefined;
}

/** `node:worker_threads`, or undefined where workers are those of the web. */
export function workerThreads(): WorkerThreads | undefined {
  return builtin("node:worker_threads") as WorkerThreads | undefined;
}

/** Cores that this process may use, at least 1. A container's share of them counts in Node 20 and newer. */
export function coresAvailable(): number {
  const system = builtin("node:os") as OperatingSystem | undefined;
  const cores = system?.availableParallelism?.() ?? (typeof navigator === "undefined" ? 1 : navigator.hardwareConcurrency);
  return Math.max(1, cores || 1);
}
