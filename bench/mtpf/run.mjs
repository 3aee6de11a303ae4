// Cells of the downstream experiment: 21 tasks under the encoders and family adapters of pre-finetuning runs (README.md beside this file).
//
//   npm run build && node bench/mtpf/run.mjs RUN… [--runs build/mtpf/runs] [--results bench/mtpf/results] [--data ../shared/data]
//                                         [--protocol linear,lora] [--tasks wikigold,…] [--shares 100,10] [--workers 2]
//   (two of them may run at once on the same runs, such as one for each protocol)
//   node bench/mtpf/run.mjs --cell RUN/linear/wikigold/10/2     makes one cell anew and compares it with what is written
//
// RUN: `none` (the encoder as it comes), `shipped-1` (that of models/), or the name of a folder of RUNS. Cells that are written already are left as they are.
import { parseArgs } from "node:util";
import { cellName, cellsOf, LORA_REGIMES, PROTOCOLS, readCell, SHARES } from "./cells.mjs";
import { taskNames } from "./data.mjs";
import { runJobs } from "./jobs.mjs";
import { isSameRun, openResults, readResults } from "./results.mjs";
import { headerOf, runOf } from "./runs.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "build/mtpf/runs" },
    results: { type: "string", default: "bench/mtpf/results" },
    data: { type: "string", default: "../shared/data" },
    protocol: { type: "string", default: PROTOCOLS.join(",") },
    tasks: { type: "string" },
    shares: { type: "string", default: SHARES.join(",") },
    workers: { type: "string", default: "2" },
    cell: { type: "string" },
  },
});
const { data } = values;
const workers = Number(values.workers);
if (!(Number.isInteger(workers) && workers > 0)) throw new Error(`--workers is a number of processes, not ${values.workers}`);
const pathOf = (run) => `${values.results}/${run.name}.jsonl`;

/** Jobs for the cells that are missing: a task's linear cells share its features, so they are one job. */
function jobsFor(run, missing) {
  const jobs = [];
  for (const cell of missing) {
    const last = jobs.at(-1);
    if (cell.protocol === "linear" && last?.protocol === "linear" && last.task === cell.task) last.cells.push(cell);
    else jobs.push({ protocol: cell.protocol, run, task: cell.task, cells: [cell], data });
  }
  return jobs;
}

async function convertAll(runs) {
  await runJobs(runs.map((run) => ({ convert: true, run, data })), workers, () => {});
}

async function all(names) {
  const runs = names.map((name) => runOf(name, values.runs));
  const tasks = values.tasks?.split(",") ?? taskNames(data).map(([name]) => name);
  const wanted = cellsOf({ protocols: values.protocol.split(","), tasks, shares: values.shares.split(",").map(Number) });
  for (const cell of wanted) readCell(cellName(cell));
  await convertAll(runs);
  const books = new Map(runs.map((run) => [run.name, openResults(pathOf(run), headerOf(run, data))]));
  const jobs = runs.flatMap((run) => {
    const own = wanted.filter(({ protocol }) => protocol === "linear" || LORA_REGIMES.includes(run.regime));
    return jobsFor(run, own.filter((cell) => !books.get(run.name).cells.has(cellName(cell))));
  });
  const total = jobs.reduce((sum, { cells }) => sum + cells.length, 0);
  if (total === 0) console.error(`nothing to do: of ${names.join(", ")} these cells are written, or are not part of the experiment (lora is for ${LORA_REGIMES.join(", ")})`);
  let done = 0;
  await runJobs(jobs, workers, ({ run }, cell) => {
    books.get(run.name).add(cell);
    console.error(`${++done}/${total} ${run.name}/${cell.cell}: ${(100 * cell.test).toFixed(1)} (dev ${(100 * cell.dev).toFixed(1)}), ${cell.cpuSeconds} s`);
  });
}

async function again(name) {
  const run = runOf(name.split("/")[0], values.runs);
  const cell = readCell(name.split("/").slice(1).join("/"));
  await convertAll([run]);
  const known = readResults(pathOf(run));
  const timeless = (figures) => JSON.stringify({ ...figures, cpuSeconds: undefined });
  await runJobs(jobsFor(run, [cell]), 1, (_, made) => {
    console.log(JSON.stringify({ ...made, outcomes: undefined }));
    const written = known?.cells.get(made.cell);
    const isOfRun = known !== null && isSameRun(known.header, headerOf(run, data));
    if (written === undefined) console.log("nothing is written of this cell");
    else if (isOfRun && timeless(written) === timeless(made)) console.log(`the same as in ${pathOf(run)}, every test row included`);
    else {
      console.log(`NOT the same as in ${pathOf(run)}: ${written.test}${isOfRun ? "" : ", which is of another encoder, other adapters or other settings"}`);
      process.exitCode = 1;
    }
  });
}

if (values.cell !== undefined) await again(values.cell);
else if (positionals.length > 0) await all(positionals);
else throw new Error("name the runs: none, or folders of --runs; or give --cell");
