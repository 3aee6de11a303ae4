// Bulk annotation: an undisturbed run, then one that is ended by kill -9 at random moments and resumed; both must write the
// same bytes. Prints rows a second, and the resident memory over time, which must stay flat.
//   node bench/annotate.mjs --data test.jsonl [--rows 100000] [--tasks a,b] [--workers N] [--kills 20] [--to jsonl|parquet]
//     [--encoder DIR --adapter NAME=DIR …] [--checkpoint SECONDS]
// --data: JSON lines with "text" or "tokens"; its rows are repeated until there are enough. Run `npm run build` first.
import { spawn } from "node:child_process";
import { createReadStream, createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createHash } from "node:crypto";

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    rows: { type: "string", default: "100000" },
    tasks: { type: "string", default: "wikigold,banking77,vader-sentiment" },
    workers: { type: "string" },
    kills: { type: "string", default: "20" },
    to: { type: "string", default: "jsonl" },
    encoder: { type: "string" },
    adapter: { type: "string", multiple: true, default: [] },
    checkpoint: { type: "string", default: "1" },
  },
});
if (values.data === undefined) throw new Error("--data FILE is needed: JSON lines with text or tokens");
const main = join(dirname(dirname(fileURLToPath(import.meta.url))), "dist/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "rootstock-bench-"));
const rows = Number(values.rows);

/** Rows that all differ by their number. */
async function writeInput(path) {
  const lines = readFileSync(values.data, "utf8").split("\n").filter((line) => line.trim() !== "").map((line) => JSON.parse(line));
  const file = createWriteStream(path);
  for (let n = 0; n < rows; n++) {
    const { text, tokens } = lines[n % lines.length];
    if (!file.write(`${JSON.stringify(text === undefined ? { n, tokens } : { n, text })}\n`)) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
}

const input = join(folder, "input.jsonl");
const command = (output) => [
  main, "annotate", input, "--output", output, "--resume", "--tasks", values.tasks, "--errors", `${output}.errors`, "--checkpoint", values.checkpoint,
  ...values.adapter.flatMap((adapter) => ["--adapter", adapter]),
  ...(values.encoder === undefined ? [] : ["--encoder", values.encoder]),
  ...(values.workers === undefined ? [] : ["--workers", values.workers]),
];

function start(output) {
  const child = spawn(process.execPath, command(output), { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, said: said.trim() }));
  return { child, ended };
}

/** Resident bytes of a process; NaN where the system has no /proc. */
function resident(pid, field) {
  try {
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
  } catch {
    return NaN;
  }
}

const mb = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

async function undisturbed(output) {
  const began = performance.now();
  const { child, ended } = start(output);
  const samples = [];
  let peak = 0;
  let loading = null;
  const watch = setInterval(() => {
    if (loading === null && existsSync(`${output}.partial`)) loading = performance.now() - began;
  }, 10);
  const timer = setInterval(() => {
    samples.push(resident(child.pid, "VmRSS"));
    peak = resident(child.pid, "VmHWM") || peak;
  }, 1000);
  const { code, said } = await ended;
  clearInterval(timer);
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1000;
  console.log(`undisturbed: exit ${code}, ${said}; ${seconds.toFixed(1)} s with start and end, ${(rows / seconds).toFixed(0)} rows/s`);
  const sound = samples.filter((sample) => sample > 0);
  if (sound.length > 4) {
    // The first two seconds are loading and the first garbage collections.
    const thirds = [0, 1, 2].map((third) => sound.slice(2 + Math.floor((third * (sound.length - 2)) / 3), 2 + Math.floor(((third + 1) * (sound.length - 2)) / 3)));
    const means = thirds.map((part) => part.reduce((sum, sample) => sum + sample, 0) / part.length);
    console.log(`resident memory, mean of each third: ${means.map(mb).join(", ")}; at the end ${mb(sound.at(-1))}; peak ${mb(peak)}`);
  }
  return { loading: loading ?? 0, work: seconds * 1000 - (loading ?? 0) };
}

async function killed(output, { loading, work }) {
  const kills = Number(values.kills);
  let done = 0;
  let lives = 0;
  const at = [];
  while (!existsSync(output) || existsSync(`${output}.checkpoint`)) {
    lives++;
    const { child, ended } = start(output);
    if (done < kills) {
      // Mostly after loading, and about as much work a life as makes `kills` of them.
      const delay = Math.random() * (1.2 * loading + (2 * work) / Math.max(1, kills)) + loading / 2;
      await Promise.race([setTimeout(delay), ended]);
      if (child.kill("SIGKILL")) {
        done++;
        at.push(existsSync(`${output}.partial`) ? statSync(`${output}.partial`).size : 0);
      }
    }
    const { code, signal, said } = await ended;
    if (code !== 0 && signal !== "SIGKILL") throw new Error(`exit ${code}: ${said}`);
  }
  if (kills === 0) return;
  console.log(`killed ${done} times in ${lives} lives; journal bytes at the kills: ${at.join(" ")}`);
}

async function digest(path) {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

try {
  await writeInput(input);
  console.log(`${rows} rows of ${values.data}, ${mb(statSync(input).size)}; tasks ${values.tasks}; node ${process.version}`);
  const [whole, resumed] = ["whole", "resumed"].map((name) => join(folder, `${name}.${values.to}`));
  await killed(resumed, await undisturbed(whole));
  for (const end of ["", ".errors"]) {
    const [a, b] = [await digest(whole + end), await digest(resumed + end)];
    console.log(`${end === "" ? "output" : "bad rows"}: ${a === b ? "the same bytes" : "DIFFERENT BYTES"} (${mb(statSync(whole + end).size)}, sha256 ${a.slice(0, 16)}…)`);
    if (a !== b) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
