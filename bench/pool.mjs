// Throughput of a pool: the same stream of texts through 1 worker, 2 workers, …, in turn; best of several rounds.
//   node bench/pool.mjs [--encoder models/mtpf-minilm-l6] [--workers 1,2] [--texts 600] [--rounds 5]
// Not pinned: the workers need cores of their own, and the ratio says something only where those are idle.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { loadEncoder } from "../dist/index.js";
import { loadPool } from "../dist/pool/index.js";

const { values } = parseArgs({
  options: {
    encoder: { type: "string", default: "models/mtpf-minilm-l6" },
    workers: { type: "string", default: "1,2" },
    texts: { type: "string", default: "600" },
    rounds: { type: "string", default: "5" },
  },
});

const SENTENCES = ["My card was stolen in Warsaw.", "Please block it, and send a new one to my home.", "Marie Curie moved to Paris.", "Is the transfer of last Monday there yet?"];
const texts = Array.from({ length: Number(values.texts) }, (_, i) => Array.from({ length: 1 + ((i * 7) % 9) }, (_, j) => SENTENCES[(i + j * 3) % 4]).join(" "));

const encoder = await loadEncoder(values.encoder);
const runners = [{ name: "Encoder, this thread", on: encoder, best: Infinity }];
for (const workers of values.workers.split(",").map(Number)) {
  const before = process.memoryUsage.rss();
  const on = await loadPool(values.encoder, { workers });
  const megabytes = (process.memoryUsage.rss() - before) / 2 ** 20 / workers;
  runners.push({ name: `pool of ${workers}`, on, best: Infinity, megabytes });
}

for (let round = 0; round < Number(values.rounds); round++) {
  for (const runner of runners) {
    const start = performance.now();
    await runner.on.embed(texts);
    runner.best = Math.min(runner.best, performance.now() - start);
  }
}

const units = texts.reduce((sum, text) => sum + text.length, 0);
console.log(`Node ${process.version}, kernel ${encoder.info.kernel}, ${availableParallelism()} cores: ${texts.length} texts of ${Math.round(units / texts.length)} characters; best of ${values.rounds}`);
const one = runners[1].best;
for (const { name, on, best, megabytes } of runners) {
  const memory = megabytes === undefined ? "" : `   ${megabytes.toFixed(0)} MB a worker at load`;
  console.log(`${name.padEnd(22)} ${((texts.length / best) * 1000).toFixed(0).padStart(6)} texts/s   ${(one / best).toFixed(2)}× the first pool${memory}`);
  on.dispose();
}
