// Hot swap: what choosing another adapter costs inside a loaded encoder, and what it allocates in linear memory.
//   node bench/swap.mjs [--encoder models/minilm-l6]
// A run with two adapters in turn, beside the same adapter every time: they differ by the swap only.
import { parseArgs } from "node:util";
import { loadEncoder } from "../dist/index.js";

const { values } = parseArgs({ options: { encoder: { type: "string", default: "models/minilm-l6" } } });
const encoder = await loadEncoder(values.encoder);
await encoder.addAdapter("bank", "models/adapters/banking77-rslora");
await encoder.addAdapter("assistant", "models/adapters/clinc150-lora-pattern");
await encoder.addAdapter("mood", "models/adapters/vader-dora");

const ids = Int32Array.from([101, 2129, 2079, 1045, 12453, 2026, 4003, 1029, 102]);
const before = encoder.info.memory;
const ROUNDS = 2000;
const same = await times(() => "bank");
const turns = await times((round) => (round % 2 === 0 ? "bank" : "mood"));
const mood = await times(() => "mood");
const after = encoder.info.memory;
const per = (list, q) => list[Math.min(list.length - 1, Math.floor(list.length * q))];
console.log(`Node ${process.version}, kernel ${encoder.info.kernel}, 9 tokens, ${ROUNDS} calls each; ms at p50 and p99`);
console.log(`bank every time        ${per(same, 0.5).toFixed(3)}  ${per(same, 0.99).toFixed(3)}`);
console.log(`mood every time        ${per(mood, 0.5).toFixed(3)}  ${per(mood, 0.99).toFixed(3)}`);
console.log(`bank and mood in turn  ${per(turns, 0.5).toFixed(3)}  ${per(turns, 0.99).toFixed(3)}`);
const cost = per(turns, 0.5) - (per(same, 0.5) + per(mood, 0.5)) / 2;
console.log(`swap: ${(cost * 1000).toFixed(0)} µs at the median; linear memory ${before.total} bytes before, ${after.total} after`);

async function times(taskOf) {
  const list = [];
  for (let round = -200; round < ROUNDS; round++) {
    const start = performance.now();
    await encoder.forward(ids, taskOf(round));
    if (round >= 0) list.push(performance.now() - start);
  }
  return list.sort((a, b) => a - b);
}
