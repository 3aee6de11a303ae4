/**
 * Node's own modules without an import of them, so that one build serves browsers too: Node 20.16+, Deno and Bun
 * have `process.getBuiltinModule`; where it is absent there is no file system to read.
 */
type FileSystem = typeof import("node:fs");

interface BuiltinHost {
  process?: { getBuiltinModule?: (name: string) => unknown };
}

/** `node:fs`, or undefined in a browser or on the edge. */
export function fileSystem(): FileSystem | undefined {
  return (globalThis as BuiltinHost).process?.getBuiltinModule?.("node:fs") as FileSystem | undefined;
}
