// One process of bench/runtimes.mjs: an encoder, two tasks, the first result; then the same text again and again.
//   <runtime> script.mjs STARTED ROUNDS
// STARTED is what `Date.now()` was before the process began: the one clock that all runtimes share.
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { loadEncoder } from "../../dist/index.js";
import { TEXT } from "./text.mjs";

const [started, rounds] = process.argv.slice(2).map(Number);
const models = fileURLToPath(new URL("../../models/", import.meta.url));
const encoder = await loadEncoder(`${models}mtpf-minilm-l6`);
await encoder.addAdapter("people", `${models}adapters/wikigold`);
await encoder.addAdapter("intent", `${models}adapters/banking77`);
const { intent } = await encoder.run(TEXT, ["people", "intent"]);
const first = Date.now() - started;

const times = [];
for (let round = 0; round < rounds; round++) {
  const start = performance.now();
  await encoder.run(TEXT, ["people", "intent"]);
  times.push(performance.now() - start);
}
process.stdout.write(JSON.stringify({ label: intent[0].label, kernel: encoder.info.kernel, first, ms: Math.min(...times), memory: peakMemory() }));

/** Bytes that the process held at most. Runtimes give `maxRSS` in different units, where they give it. */
function peakMemory() {
  try {
    return Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
  } catch {
    return null;
  }
}
