// A process that does one job after another for `jobs.mjs`: converts a run's encoder, or makes cells of a task.
import { loadEncoder } from "../../dist/index.js";
import { cellName } from "./cells.mjs";
import { readTask, TABLE_CAPS } from "./data.mjs";
import { loraCell } from "./fine-tuning.mjs";
import { linearCells } from "./linear-head.mjs";
import { convertRun } from "./runs.mjs";

let loaded = { folder: null, encoder: null };

async function encoderOf({ int8, adapters }) {
  if (loaded.folder === int8) return loaded.encoder;
  loaded.encoder?.dispose();
  const encoder = await loadEncoder(int8);
  for (const [family, folder] of Object.entries(adapters)) if (folder !== null) await encoder.addAdapter(family, folder);
  loaded = { folder: int8, encoder };
  return encoder;
}

async function* resultsOf({ protocol, run, task: name, cells, data }) {
  const encoder = await encoderOf(run);
  const task = readTask(data, name, TABLE_CAPS);
  const adapter = run.adapters[task.kind];
  if (protocol === "linear") yield* linearCells(encoder, adapter === null ? null : task.kind, task, cells);
  else for (const cell of cells) yield await loraCell(encoder, adapter, task, cell);
}

async function work(job) {
  if (job.convert) return convertRun(job.run, job.data);
  let before = process.cpuUsage();
  let done = 0;
  for await (const figures of resultsOf(job)) {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    // The features of a task are counted with its first cell.
    process.send({ cell: { cell: cellName(job.cells[done++]), ...figures, cpuSeconds: Math.round((user + system) / 1e5) / 10 } });
  }
}

// Whoever gave the jobs has ended: nobody would hear of another cell.
process.on("disconnect", () => process.exit());
process.on("message", (job) => {
  work(job).then(
    () => process.send({ done: true }),
    (error) => process.send({ error: error?.stack ?? String(error) }),
  );
});
