// The README's table of runtimes: does it work, how long until the first result, how fast, how much memory.
//   npm run bench:runtimes [-- --runs 5 --rounds 100 --cpu 1 --only node20,deno]
// Runtimes that run no scripts have a program of their own beside this one, which prints one line of JSON:
// {"runtime", "works", "kernel", "first", "ms", "memory"}, milliseconds and bytes (null where unknown), or a list of these.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findEngine, runScript } from "../tests/runtimes/engines.mjs";
import { LABEL } from "./runtimes/text.mjs";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    rounds: { type: "string", default: "100" },
    cpu: { type: "string", default: String(Math.max(0, cpus().length - 1)) },
    only: { type: "string", default: "node20,node22,node24,node26,deno,bun,workerd,browser" },
  },
});
const APART = { workerd: ["workerd"], browser: ["Chromium", "Firefox"] };
const pin = spawnSync("taskset", ["-c", values.cpu, "true"]).status === 0 ? ["taskset", "-c", values.cpu] : [];
const half = (sorted) => sorted[sorted.length >> 1];

const rows = values.only.split(",").flatMap((name) => (name in APART ? apart(name) : [scripted(name)]));
console.log(`${cpus()[0].model}, ${new Date().toISOString().slice(0, 10)}; best of ${values.runs} processes and of ${values.rounds} runs in each, median memory\n`);
console.log("| runtime | works | first result, ms | two tasks, 32 tokens, ms | peak memory, MB |\n| --- | --- | --: | --: | --: |");
for (const row of rows) console.log(`| ${row.runtime} | ${row.works ? `yes (\`${row.kernel}\`)` : row.why} | ${cell(row.first, 0)} | ${cell(row.ms, 1)} | ${cell(row.memory && row.memory / 2 ** 20, 0)} |`);

/** A runtime that runs scripts: the first results of several processes, their fastest run, their memory. */
function scripted(name) {
  const engine = findEngine(name);
  if ("absent" in engine) return { runtime: name, works: false, why: engine.absent };
  const version = runScript({ command: engine.command.slice(0, 1) }, "--version", []).match(/\d+\.\d+\.\d+/)[0];
  const runtime = `${{ deno: "Deno", bun: "Bun" }[name] ?? "Node"} ${version}`;
  const command = [...pin, ...engine.command];
  const runs = Array.from({ length: Number(values.runs) }, () => JSON.parse(runScript({ command }, "bench/runtimes/script.mjs", [String(Date.now()), values.rounds])));
  const column = (key) => runs.map((run) => run[key]).sort((a, b) => a - b);
  const wrong = runs.find(({ label }) => label !== LABEL);
  if (wrong !== undefined) return { runtime, works: false, why: `no: ${wrong.label}` };
  return { runtime, works: true, kernel: half(runs.map(({ kernel }) => kernel)), first: column("first")[0], ms: column("ms")[0], memory: half(column("memory")) };
}

/** The rows of a program beside this one, empty where there is none. */
function apart(name) {
  const path = fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
  if (!existsSync(path)) return APART[name].map((runtime) => ({ runtime, works: false, why: `no bench/${name}.mjs` }));
  const { stdout, stderr, status } = spawnSync(process.execPath, [path, "--json"], { encoding: "utf8" });
  try {
    if (status === 0) return [JSON.parse(stdout)].flat();
  } catch {
    // Told below, as a failure is.
  }
  const said = stderr.trim().split("\n").at(-1) || "no line of JSON";
  return APART[name].map((runtime) => ({ runtime, works: false, why: `bench/${name}.mjs: ${said}` }));
}

function cell(value, digits) {
  return value == null ? "–" : value.toFixed(digits);
}
