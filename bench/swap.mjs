// Hot swap: what choosing another adapter costs inside a loaded encoder, and what it allocates in linear memory.
//   node bench/swap.mjs [--encoder models/mtpf-minilm-l6] [--without-kernels]
// Every call takes another adapter than the one before. A swap is all that happens between the call and the first kernel:
// finding the task, taking its plan, writing the token rows. Without kernels it is the same work with warm caches, which the weights of a
// whole pass otherwise empty: 9 µs of 44 on a busy Xeon.
import { parseArgs } from "node:util";
import { Encoder } from "../dist/runtime/encoder.js";
import { int8Parts, loadParts } from "../dist/runtime/load-encoder.js";
import { readBeside } from "../dist/wasm/beside.js";
import { startEngine } from "../dist/wasm/engine.js";

const { values } = parseArgs({
  options: { encoder: { type: "string", default: "models/mtpf-minilm-l6" }, "without-kernels": { type: "boolean", default: false } },
});

let firstKernel = 0;
const start = async (...args) => {
  const engine = await startEngine(...args, readBeside);
  const kernels = values["without-kernels"] ? Object.fromEntries(Object.keys(engine.kernels).map((name) => [name, () => 0])) : engine.kernels;
  const embed = (...places) => {
    firstKernel = performance.now();
    kernels.embed(...places);
  };
  return { ...engine, kernels: { ...kernels, embed } };
};
const encoder = new Encoder(await loadParts(values.encoder, {}, { ...int8Parts(readBeside), start }));
const tasks = ["wikigold-lora", "banking77-rslora", "clinc150-lora-pattern", "vader-dora", "snips-slots-lora-all"];
for (const task of tasks) await encoder.addAdapter(task, `tests/golden/adapters/${task}`);

const ids = Int32Array.from([101, 2129, 2079, 1045, 12453, 2026, 4003, 1029, 102]);
const ROUNDS = 3000;
const before = encoder.info.memory;
const times = [];
for (let round = -300; round < ROUNDS; round++) {
  const called = performance.now();
  await encoder.forward(ids, tasks[(round + 300) % tasks.length]);
  if (round >= 0) times.push((firstKernel - called) * 1000);
}
times.sort((a, b) => a - b);
const after = encoder.info.memory;
const at = (share) => times[Math.floor((times.length - 1) * share)].toFixed(1);
console.log(`Node ${process.version}, kernel ${encoder.info.kernel}: ${ROUNDS} swaps among ${tasks.length} adapters, 9 tokens`);
console.log(`swap  p50 ${at(0.5)} µs   p99 ${at(0.99)} µs   worst ${at(1)} µs`);
console.log(`linear memory: ${after.total - before.total} bytes allocated, ${after.adapters - before.adapters} of the adapter pool`);
