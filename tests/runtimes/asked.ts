import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ENGINES } from "./engines.mjs";

/**
 * Which runtimes are tested. `ROOTSTOCK_RUNTIMES=chromium,workerd` asks for these by name: one that is absent is then a
 * failure, and the others are left out. Asked for nothing, those that are there are tested.
 */
export const RUNTIMES = ["node", "deno", "bun", "workerd", "chromium"] as const;
export type Runtime = (typeof RUNTIMES)[number];

/** With those that other tests of this folder look for themselves. */
const KNOWN: ReadonlySet<string> = new Set([...RUNTIMES, ...ENGINES, "firefox"]);

const require = createRequire(import.meta.url);
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** A program of a package that is a development dependency. */
function packaged(name: string, program: string): string | undefined {
  try {
    const path = join(dirname(require.resolve(`${name}/package.json`)), "..", ".bin", program);
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function findProgram(runtime: Runtime): string | undefined {
  switch (runtime) {
    case "node":
      return process.execPath;
    case "deno":
    case "bun":
    case "workerd":
      return packaged(runtime, runtime);
    case "chromium":
      return [process.env["CHROMIUM_PATH"], ...BROWSERS].find((path) => path !== undefined && existsSync(path));
  }
}

function asked(): ReadonlySet<string> | null {
  const names = (process.env["ROOTSTOCK_RUNTIMES"] ?? "").split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw new Error(`ROOTSTOCK_RUNTIMES: there is no "${unknown}", only ${[...KNOWN].join(", ")}`);
  return names.length === 0 ? null : new Set(names);
}

export interface Asked {
  /** The program, or null where the tests are to be skipped. */
  readonly path: string | null;
  /** For the test's title: why it is skipped. */
  readonly why: string;
}

/** @throws Error when the runtime is asked for by name and is not there. */
export function runtime(name: Runtime, find: (runtime: Runtime) => string | undefined = findProgram): Asked {
  const wanted = asked();
  if (wanted !== null && !wanted.has(name)) return { path: null, why: " (not asked for)" };
  const path = find(name);
  if (path !== undefined) return { path, why: "" };
  if (wanted !== null) throw new Error(`ROOTSTOCK_RUNTIMES asks for ${name}, which is not installed here`);
  return { path: null, why: ` (skipped: ${name} is not installed here)` };
}
