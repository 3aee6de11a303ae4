import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

/** What pages take as given, and its type. */
const GIVEN: Readonly<Record<string, string>> = {
  loadEncoder: `typeof import("rootstock").loadEncoder`,
  loadPool: `typeof import("rootstock/pool").loadPool`,
  trainAdapter: `typeof import("rootstock/train").trainAdapter`,
  withPeers: `typeof import("rootstock/train").withPeers`,
  encoder: `import("rootstock").Encoder`,
  text: "string",
  longDocument: "string",
  texts: "readonly string[]",
  folder: "string",
  model: "string",
  files: `import("rootstock").FileMap`,
  rows: "readonly { text: string; label: string }[]",
  train: "readonly { text: string; label: string }[]",
  dev: "readonly { text: string; label: string }[]",
  heldOut: "readonly { text: string; label: string }[]",
  env: `{ readonly ASSETS: import("rootstock/workerd").Fetcher }`,
  onProgress: "(progress: object) => void",
  signal: "AbortSignal",
  process: "{ readonly argv: readonly [string, string, string] }",
};
const TYPES: readonly string[] = ["EntityGroup", "Classification"];

/** Not checked: what uses a file of the tests, and the scripts that get what they work on as JSON. */
const APART = /"\.\/case\.mjs"|JSON\.parse|\brunPeer\b|\bwithPeers\b/;

const DIRECTORY = `.snippets-${process.pid}`;
const PAGES = ["README.md", ...readdirSync("docs").filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];

interface Snippet {
  readonly name: string;
  readonly code: string;
}

function snippetsOf(page: string): Snippet[] {
  const blocks = [...readFileSync(page, "utf8").matchAll(/^```(?:js|ts)\n([^]*?)^```/gm)].map(([, code]) => code!);
  return blocks.map((code, index) => ({ name: `${page.replace(/\W/g, "-")}-${index}`, code })).filter(({ code }) => !APART.test(code));
}

/** The block as a module of its own: what it uses and does not declare stands before it. */
function program(code: string): string {
  const uses = (name: string): boolean => new RegExp(`(?<![.\\w"])${name}\\b(?!")`).test(code);
  const declares = (name: string): boolean => new RegExp(`(const|let|import|type) (\\{[^}]*\\b)?${name}\\b`).test(code);
  const given = Object.entries(GIVEN).filter(([name]) => uses(name) && !declares(name)).map(([name, type]) => `declare const ${name}: ${type};`);
  const types = TYPES.filter((name) => uses(name) && !declares(name)).map((name) => `import type { ${name} } from "rootstock";`);
  return [...types, ...given, code, "export {};"].join("\n");
}

const snippets = PAGES.flatMap(snippetsOf);
let errors: string;
let status: number | null;
/** A program that is wrong: it shows that the compiler has looked. */
const WRONG = "a-wrong-one";

beforeAll(() => {
  mkdirSync(DIRECTORY);
  for (const { name, code } of snippets) writeFileSync(join(DIRECTORY, `${name}.ts`), program(code));
  const flags = ["--noEmit", "--ignoreConfig", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--lib", "es2022,dom,esnext.disposable", "--types", "", "--module", "nodenext"];
  // Inside the package `rootstock` is the package itself, as it was built.
  writeFileSync(join(DIRECTORY, `${WRONG}.ts`), program("const count: number = encoder.info.family;"));
  const files = [...snippets.map(({ name }) => name), WRONG].map((name) => join(DIRECTORY, `${name}.ts`));
  ({ stdout: errors, status } = spawnSync("node_modules/.bin/tsc", [...flags, ...files], { encoding: "utf8" }));
});

afterAll(() => rmSync(DIRECTORY, { recursive: true, force: true }));

it("finds the programs of the pages, and what is wrong in one", () => {
  expect(status).toBeGreaterThan(0);
  expect(errors.split("\n").filter((line) => line.includes(WRONG))).toHaveLength(1);
  expect(snippets.length).toBeGreaterThan(14);
});

it.each(snippets.map(({ name }) => name))("%s type-checks under strict", (name) => {
  expect(errors.split("\n").filter((line) => line.includes(`${name}.ts`))).toEqual([]);
});
