// Prints what docs/reliability.md promises beside what the tests measured last: `npm run reliability` runs the CI tests first, with `--slow`
// the slow suite and the planted bugs as well (two hours), with `--print` nothing. Ends with 1 where a promise of what was run has no figure of this run.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { slow: { type: "boolean" }, print: { type: "boolean" } } });
const root = path.resolve(import.meta.dirname, "..");
const records = path.join(root, "build/reliability");

/** The rows of the tables in docs/reliability.md: what is promised, and in which suites it is tested (C, S). */
function promises() {
  const text = readFileSync(path.join(root, "docs/reliability.md"), "utf8");
  return [...text.matchAll(/^\| ([A-Z]\d+|4\.3-[a-z]+) \| ([^|]+) \| [^|]+ \| ([CS ]+) \|/gm)].map(([, id, promise, suites]) => ({ id, promise: promise.trim(), suites }));
}

function readRecords() {
  const names = (existsSync(records) ? readdirSync(records) : []).filter((name) => name.endsWith(".json"));
  return names.map((name) => JSON.parse(readFileSync(path.join(records, name), "utf8")));
}

function figures(entry) {
  const all = Object.entries(entry.figures).map(([name, value]) => `${name} ${typeof value === "number" ? Number(value.toPrecision(5)) : value}`);
  const scale = entry.scale === 1 ? "" : ` (${entry.scale} of the full count)`;
  return `${all.join(", ")}${scale}`;
}

function run(script) {
  const { status } = spawnSync("npm", ["run", script], { cwd: root, stdio: "inherit" });
  return status === 0;
}

const began = new Date().toISOString();
let isGreen = true;
if (!values.print) for (const script of values.slow ? ["test", "test:slow", "test:teeth"] : ["test"]) isGreen = run(script) && isGreen;

const measured = readRecords();
let missing = 0;
for (const { id, promise, suites } of promises()) {
  const own = measured.filter(({ promise: own }) => own === id || own.startsWith(`${id}-`)).sort((a, b) => a.suite.localeCompare(b.suite) || a.test.localeCompare(b.test));
  console.log(`\n${id}  ${promise}`);
  if (own.length === 0) console.log("    no figure: its test has not run here");
  for (const entry of own) console.log(`    ${entry.suite.padEnd(4)} ${entry.time.slice(0, 16)}  ${entry.test.split(" > ").at(-1)}: ${figures(entry)}`);
  const wasRun = !values.print && (values.slow === true || suites.includes("C"));
  if (wasRun && !own.some((entry) => entry.time >= began)) missing++;
}
if (!values.print) console.log(`\n${missing === 0 ? "Every promise of what was run has a figure of this run." : `${missing} promises have no figure of this run.`}`);
process.exitCode = isGreen && missing === 0 ? 0 : 1;
