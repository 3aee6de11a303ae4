// The example Worker in workerd: its first request, loading included, the ones after it, and the memory it takes.
//   npm run build && node bench/workerd.mjs [--starts 7] [--requests 200] [--json]
// With --json, one line for bench/runtimes.mjs: the best start from before workerd begins, the best request, its whole memory.
// All times are the client's, over a loopback port: a worker's own clock stands still while it works.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createTokenizer } from "../dist/text/tokenizer.js";
import { LABEL, TEXT } from "./runtimes/text.mjs";
import { printTable } from "./table.mjs";

const { values } = parseArgs({ options: { starts: { type: "string", default: "7" }, requests: { type: "string", default: "200" }, json: { type: "boolean", default: false } } });
const STARTS = Number(values.starts);
const REQUESTS = Number(values.requests);
const PART_BYTES = 8 << 20;
const TOKENS = 32;
const EMPTY = "export default { fetch: () => new Response('nothing') };";

const tokenizer = createTokenizer(JSON.parse(readFileSync("models/mtpf-minilm-l6/tokenizer.json", "utf8")), null);
const tokens = tokenizer.encode(TEXT).ids.length;
if (tokens !== TOKENS) throw new Error(`the text has ${tokens} tokens, not ${TOKENS}`);

async function serve(worker, assets) {
  const child = spawn(process.execPath, ["scripts/serve-workerd.mjs", worker, assets], { stdio: ["pipe", "pipe", "inherit"] });
  const { port, pid, started } = JSON.parse(await new Promise((resolve) => child.stdout.once("data", resolve)));
  const end = () =>
    new Promise((resolve) => {
      child.on("exit", resolve);
      child.stdin.end();
    });
  return { port, pid, started, end };
}

/** Milliseconds until the answer is whole. */
function timed(port, body) {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", method: "POST", agent: false }, (response) => {
      response.resume().on("end", () => (response.statusCode === 200 ? resolve(performance.now() - start) : reject(new Error(`HTTP status ${response.statusCode}`))));
    });
    sent.on("error", reject).end(body);
  });
}

/** A field of /proc/PID/status in bytes. */
const memoryOf = (pid, field) => 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
const sorted = (times) => times.toSorted((a, b) => a - b);
const median = (times) => sorted(times)[times.length >> 1];
const ms = (time) => time.toFixed(1);
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

const folder = mkdtempSync(join(tmpdir(), "rootstock-bench-"));
try {
  const assets = join(folder, "assets");
  execFileSync(process.execPath, ["dist/cli/main.js", "convert", "models/mtpf-minilm-l6", join(assets, "mtpf-minilm-l6"), "--part-bytes", String(PART_BYTES)]);
  for (const name of ["wikigold", "banking77"]) cpSync(`models/adapters/${name}`, join(assets, name), { recursive: true });
  writeFileSync(join(folder, "empty.js"), EMPTY);
  const empty = await serve(join(folder, "empty.js"), assets);
  await timed(empty.port, "");
  const emptyBytes = memoryOf(empty.pid, "VmRSS");
  await empty.end();

  const first = [];
  const sinceStart = [];
  const peaks = [];
  const later = [];
  let memory;
  for (let start = 0; start < STARTS; start++) {
    const worker = await serve("examples/cloudflare-worker/worker.js", assets);
    first.push(await timed(worker.port, TEXT));
    sinceStart.push(Date.now() - worker.started);
    for (let i = 0; i < REQUESTS / STARTS; i++) later.push(await timed(worker.port, TEXT));
    const { intent } = await (await fetch(`http://127.0.0.1:${worker.port}`, { method: "POST", body: TEXT })).json();
    if (intent[0].label !== LABEL) throw new Error(`the intent is ${intent[0].label}, not ${LABEL}`);
    peaks.push(memoryOf(worker.pid, "VmHWM"));
    const { memory: linear, kernel } = await (await fetch(`http://127.0.0.1:${worker.port}`)).json();
    memory = { linear: linear.total, resident: memoryOf(worker.pid, "VmRSS") - emptyBytes, peak: memoryOf(worker.pid, "VmHWM") - emptyBytes, kernel };
    await worker.end();
  }
  if (values.json) {
    const { version } = JSON.parse(readFileSync("node_modules/workerd/package.json", "utf8"));
    console.log(JSON.stringify({ runtime: `workerd ${version}`, works: true, kernel: memory.kernel, first: sorted(sinceStart)[0], ms: sorted(later)[0], memory: median(peaks) }));
  } else {
    print({ first, later, memory });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function print({ first, later, memory }) {
  const rows = [
    ["first request, loading included (ms)", ms(sorted(first)[0]), ms(median(first))],
    [`a text of ${TOKENS} tokens, two tasks (ms)`, ms(sorted(later)[0]), ms(median(later))],
    ["linear memory (MB)", megabytes(memory.linear), ""],
    ["resident beyond an empty worker (MB)", megabytes(memory.resident), ""],
    ["the same at its peak (MB)", megabytes(memory.peak), ""],
  ];
  printTable([`workerd, ${memory.kernel}: ${STARTS} starts, ${later.length} requests`, "best", "median"], rows);
}
