import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { askedFor, ENGINES, findEngine } from "./engines.mjs";

const run = promisify(execFile);

declare module "vitest" {
  export interface ProvidedContext {
    /** A folder in which the packed package is installed as a user would, with the sources of `tests/runtimes/app`. */
    app: string;
  }
}

export default async function install(project: TestProject): Promise<() => void> {
  if (!existsSync("dist/index.js")) throw new Error('dist is not there: run "npm run build" first');
  const folder = mkdtempSync(join(tmpdir(), "rootstock-installed-"));
  const app = join(folder, "app");
  mkdirSync(app);
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder]);
  const [packed] = JSON.parse(stdout) as [{ filename: string }];
  writeFileSync(join(app, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run("npm", ["install", join(folder, packed.filename), "--no-audit", "--no-fund", "--prefer-offline"], { cwd: app });
  cpSync("tests/runtimes/app", app, { recursive: true });
  project.provide("app", app);
  // Those that npm has: once, as two files that look for one at the same time would both install it.
  for (const name of ENGINES) if (askedFor()?.includes(name) ?? true) findEngine(name);
  return () => rmSync(folder, { recursive: true, force: true });
}
