// Batches on a pool of two workers, before and after each is killed: prints the number of workers that were started, and
// a hash of all results. Runs on Node, Deno and Bun, with workers of Node's kind or, with `--web`, of the web's.
import { createHash } from "node:crypto";
import { Worker as NodeWorker } from "node:worker_threads";
import { loadPoolOf } from "../../../dist/pool/load.js";
import { nodeThread, webThread } from "../../../dist/pool/thread.js";

const SCRIPT = new URL("../../../dist/pool/worker.js", import.meta.url);
const IS_WEB = process.argv.includes("--web");
const workers = [];
/** The worker that is killed with the next call that it is sent. */
let victim = null;

function start() {
  const worker = IS_WEB ? new Worker(SCRIPT, { type: "module" }) : new NodeWorker(SCRIPT, { execArgv: [] });
  workers.push(worker);
  const thread = IS_WEB ? webThread(worker) : nodeThread(worker);
  const post = (message) => {
    if (worker !== victim || message.m !== "call") return thread.post(message);
    victim = null;
    // The web tells of errors only; the first message is none of the pool's.
    if (IS_WEB) worker.postMessage(null);
    thread.post(message);
    if (!IS_WEB) void worker.terminate();
  };
  return { ...thread, post };
}

const texts = Array.from({ length: 60 }, (_, i) => `Marie Curie moved to Warsaw in 19${10 + i}; my card was not lost. ${"Really. ".repeat(i % 7)}`);
const requests = texts.map((text, i) => ({ text, tasks: i % 2 === 0 ? ["names"] : ["intent", "names"] }));

const pool = await loadPoolOf(start, "models/mtpf-minilm-l6", { workers: 2 });
await pool.addAdapter("names", "models/adapters/wikigold");
await pool.addAdapter("intent", "models/adapters/banking77");

const hash = createHash("sha256");
const round = async () => {
  hash.update(JSON.stringify(await pool.runBatch(requests)));
  for (const vector of await pool.embed(texts.slice(0, 20))) hash.update(vector);
};
await round();
for (const worker of [...workers]) {
  victim = worker;
  hash.update(String(await pool.runBatch(requests).catch(({ code }) => code)));
  await round();
}
const wrong = await pool.runBatch([...requests, { text: " ", tasks: [] }]).catch((error) => error);
hash.update(`${wrong.name} ${wrong.code} ${wrong.message}`);
pool.dispose();
process.stdout.write(`${workers.length} workers, ${hash.digest("hex")}\n`);
