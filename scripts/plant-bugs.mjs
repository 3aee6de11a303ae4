// Plants each bug of planted-bugs.mjs in a copy of the sources, runs the tests on it, and takes it out again. Every one must make a test
// fail, and must compile: what the compiler refuses says nothing of the tests, so it is an error of the list, and ends in exit code 2.
// `node scripts/plant-bugs.mjs [part of a name …] [--keep]`; the working tree is never touched.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { PLANTED_BUGS } from "./planted-bugs.mjs";

const { values, positionals } = parseArgs({ options: { keep: { type: "boolean" } }, allowPositionals: true });
const root = path.resolve(import.meta.dirname, "..");
const copy = mkdtempSync(path.join(tmpdir(), "rootstock-bugs-"));
const bugs = PLANTED_BUGS.filter(({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)));

/** Tracked files and new ones, with the dependencies that are installed; ../shared is where it was. */
function makeCopy() {
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: root, encoding: "utf8" }).split("\0").filter((file) => existsSync(path.join(root, file)) && file !== "node_modules" && file !== "");
  for (const file of files) cpSync(path.join(root, file), path.join(copy, "rootstock", file));
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "rootstock", "node_modules"));
  symlinkSync(path.resolve(root, "../shared"), path.join(copy, "shared"));
}

function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: path.join(copy, "rootstock"), encoding: "utf8", maxBuffer: 1 << 28, env: { ...process.env, NO_COLOR: "1" } });
  return { isDone: status === 0, output: stdout + stderr };
}

const build = () => run("npm", ["run", "--silent", "build"]);

// A busy machine must not count as a caught bug, nor must a suite that has no tests.
const OPTIONS = ["--bail", "1", "--testTimeout", "900000", "--hookTimeout", "900000", "--passWithNoTests"];
/** What `npm test` runs on Deno for relaxed SIMD: the command, and the tests that are meant to run there. */
const RELAXED = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")).scripts["test:relaxed"].split(" ");
const isTests = (word) => word.startsWith("tests/");
const ON_DENO = { command: RELAXED.filter((word) => !isTests(word)), parts: RELAXED.filter(isTests) };

/** Those tests of `parts` that are meant for Deno: each of the two lists names folders, files, or the beginnings of files' names. */
function partsOnDeno(parts) {
  const shared = ON_DENO.parts.flatMap((own) => parts.flatMap((part) => (own.startsWith(part) ? [own] : part.startsWith(own) ? [part] : [])));
  return [...new Set(shared)];
}

/** The first test of `parts` that fails, or null: on Node, then on Deno, with whatever binaries the build left, as `npm test` runs them. */
function caughtBy(parts) {
  // Without a name of tests vitest would run all, those that no one meant for Deno too.
  const onDeno = partsOnDeno(parts);
  const runs = [["vitest", "run", ...OPTIONS, ...parts], ...(onDeno.length === 0 ? [] : [[...ON_DENO.command, ...OPTIONS, ...onDeno]])];
  for (const words of runs) {
    const { isDone, output } = run("npx", words);
    if (!isDone) return /^.*FAIL\s+(.*)$/m.exec(output)?.[1] ?? "an error outside tests";
  }
  return null;
}

makeCopy();
let missed = 0;
let broken = 0;
for (const { name, file, from, to, suites } of bugs) {
  const target = path.join(copy, "rootstock", file);
  const sound = readFileSync(target, "utf8");
  if (sound.split(from).length !== 2) throw new Error(`${file}: the text of the bug "${name}" stands there ${sound.split(from).length - 1} times, not once.`);
  writeFileSync(target, sound.replace(from, () => to));
  const built = build();
  const test = built.isDone ? (caughtBy(suites) ?? caughtBy(["tests"])) : null;
  writeFileSync(target, sound);
  if (!built.isDone) {
    broken++;
    console.log(`BROKEN  ${name}  (${file})  does not compile, which proves nothing:\n${built.output.trim()}`);
    continue;
  }
  if (test === null) missed++;
  console.log(`${test === null ? "MISSED" : "caught"}  ${name}  (${file})${test === null ? "" : `  by ${test}`}`);
}
if (!values.keep) rmSync(copy, { recursive: true });
console.log(`${bugs.length - missed - broken} of ${bugs.length} planted bugs were caught${broken === 0 ? "" : `; ${broken} do not compile: mend planted-bugs.mjs`}.`);
if (bugs.length === PLANTED_BUGS.length && broken === 0) {
  // As tests/reliability/record.ts writes them.
  const entry = {
    promise: "N4", figures: { planted: bugs.length, caught: bugs.length - missed }, suite: "slow", test: "planted bugs", file: "scripts/plant-bugs.mjs",
    seed: 0, scale: 1, runtime: `Node ${process.versions.node}, ${process.platform} ${process.arch}`, time: new Date().toISOString(),
  };
  mkdirSync(path.join(root, "build/reliability"), { recursive: true });
  writeFileSync(path.join(root, "build/reliability/N4.slow.planted-bugs.json"), `${JSON.stringify(entry, null, 2)}\n`);
}
process.exitCode = broken > 0 ? 2 : missed > 0 ? 1 : 0;
