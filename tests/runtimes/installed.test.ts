import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { expectedAnswer, printedAnswer, type Answer } from "./answers.ts";
import { runtime, type Runtime } from "./asked.ts";

const app = inject("app");
let expected: Answer;
beforeAll(async () => {
  expected = await expectedAnswer();
});

const ARGUMENTS: Partial<Record<Runtime, readonly string[]>> = {
  node: [],
  // Reading is all it needs: no network, no environment, no other permission.
  deno: ["run", "--no-lock", "--no-prompt", "--no-config", "--node-modules-dir=manual", "--allow-read=."],
  bun: ["run"],
};
const RELAXED: Partial<Record<Runtime, RegExp>> = { deno: /^rel[12]$/, bun: /^rel[12]$/ };

describe("the packed package, installed", () => {
  for (const [name, args] of Object.entries(ARGUMENTS)) {
    const { path, why } = runtime(name as Runtime);
    for (const program of ["console.js", "console-inline.js"]) {
      it.skipIf(path === null)(`${name}: ${program} answers two tasks with the same bits${why}`, async () => {
        const { kernel, results } = await printedAnswer(path!, [...args, program], app);
        expect(results).toEqual(expected.results);
        expect(kernel).toMatch(RELAXED[name as Runtime] ?? /./);
      });
    }
  }

  it("brings no native code, its dependencies, and nothing that only its developers need", () => {
    const packages = readdirSync(join(app, "node_modules"), { recursive: true, encoding: "utf8" });
    expect(packages.filter((name) => name.endsWith(".node"))).toEqual([]);
    const names = packages.filter((name) => /^(@[^/]+\/)?[^@./][^/]*\/package\.json$/.test(name)).map((name) => name.replace("/package.json", ""));
    const own = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: Record<string, string>; devDependencies: Record<string, string> };
    expect(names).toEqual(expect.arrayContaining(["rootstock", ...Object.keys(own.dependencies)]));
    expect(names.filter((name) => Object.hasOwn(own.devDependencies, name))).toEqual([]);
    expect(existsSync(join(app, "node_modules/rootstock/src"))).toBe(false);
  });

  it("runs its program", async () => {
    const { stdout } = await promisify(execFile)(join(app, "node_modules/.bin/rootstock"), ["inspect", "node_modules/rootstock/models/mtpf-minilm-l6", "--json"], { cwd: app });
    expect(JSON.parse(stdout)).toMatchObject({ what: "encoder", converted: true });
  });

  it.each([
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ])("has types that a strict TypeScript program needs nothing else for (module %s, resolution %s)", async (module, moduleResolution) => {
    const tsc = resolve("node_modules/.bin/tsc");
    const flags = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--target", "es2022", "--lib", "es2022,dom", "--types", ""];
    await promisify(execFile)(tsc, [...flags, "--module", module, "--moduleResolution", moduleResolution, "types.ts"], { cwd: app });
  });
});
