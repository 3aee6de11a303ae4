// What stays in memory after many swaps, or many loads, under any runtime that runs scripts. Prints one line of JSON.
//   <runtime> script.mjs swaps|loads COUNT
import { readFileSync } from "node:fs";
import process from "node:process";
import { loadEncoder } from "../../../dist/index.js";

const [what, count] = [process.argv[2], Number(process.argv[3])];
const GOLDENS = "tests/golden/peft";
const ENCODER = `${GOLDENS}/base/bert-odd`;
const IDS = Int32Array.from([2, 9, 17, 33, 12, 40, 3]);
/**
 * Share of the count that runs before anything is compared: then the compilers have done their work, and the allocators have what they
 * keep. Deno's resident set grows in two or three steps of 8 to 30 MiB within the first 40,000 swaps and stays there.
 */
const WARM_UP = 0.5;
/** Equal stretches after it. An allocator's step is in one of them (Deno: 26 MB once), a leak in each. */
const STRETCHES = 3;

const { cases } = JSON.parse(readFileSync(`${GOLDENS}/index.json`, "utf8"));
const adapters = cases
  .filter(({ base, expect, num_labels: labels }) => base === "base/bert-odd" && expect === "load" && labels !== undefined)
  .slice(0, 16)
  .map(({ folder, num_labels: labels }, i) => ({ name: `a${i}`, folder: `${GOLDENS}/${folder}`, options: { labels: Array.from({ length: labels }, (_, k) => `L${k}`) } }));

async function collected() {
  for (let i = 0; i < 4; i++) {
    if (globalThis.Bun !== undefined) globalThis.Bun.gc(true);
    else globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, rss };
}

/** The resident set goes up and down by some megabytes (Bun's by ten): what is always there is the least of five looks in a stretch of work. */
async function looks(work) {
  const seen = [];
  for (let i = 0; i < 5; i++) {
    await work(i);
    seen.push(await collected());
  }
  return { heap: seen.at(-1).heap, rss: Math.min(...seen.map(({ rss }) => rss)) };
}

/** Every run takes another adapter than the one before; every tenth is put in anew before. */
async function swaps() {
  const encoder = await loadEncoder(ENCODER);
  for (const { name, folder, options } of adapters) await encoder.addAdapter(name, folder, options);
  const files = new Map(adapters.map(({ name, folder }) => [name, new Map(["adapter_config.json", "adapter_model.safetensors"].map((file) => [file, new Uint8Array(readFileSync(`${folder}/${file}`))]))]));
  const run = async (from, to) => {
    for (let i = from; i < to; i++) {
      const { name, options } = adapters[i % adapters.length];
      if (i % 10 === 9) await encoder.addAdapter(name, files.get(name), { ...options, replace: true });
      await encoder.logits(IDS, name);
    }
  };
  let done = 0;
  const swap = async (more) => run(done, (done += more));
  await swap(Math.round(count * WARM_UP));
  // Looks take 10 % of a stretch.
  const slice = Math.round(count / STRETCHES / 50);
  const look = async () => ({ ...(await looks(() => swap(slice))), ...encoder.info.memory });
  const seen = [await look()];
  for (let stretch = 0; stretch < STRETCHES; stretch++) {
    await swap(Math.round(count / STRETCHES) - 5 * slice);
    seen.push(await look());
  }
  encoder.dispose();
  const [before, after] = [seen[0], seen.at(-1)];
  return { total: after.total - before.total, adapters: after.adapters - before.adapters, heap: after.heap - before.heap, ...growth(seen) };
}

/** Growth of the resident set over all stretches, and in that of them in which it grew least: a leak grows in each. */
function growth(seen) {
  const steps = seen.slice(1).map(({ rss }, i) => rss - seen[i].rss);
  return { rss: seen.at(-1).rss - seen[0].rss, leastGrowth: Math.min(...steps) };
}

async function loads() {
  const cycle = async () => {
    const encoder = await loadEncoder(ENCODER);
    const { name, folder, options } = adapters[0];
    await encoder.addAdapter(name, folder, options);
    await encoder.logits(IDS, name);
    encoder.dispose();
  };
  const run = async (cycles) => {
    for (let i = 0; i < cycles; i++) {
      await cycle();
      // Engines free a WebAssembly memory when they collect, and know little of its size.
      if (i % 20 === 19) await collected();
    }
  };
  await run(Math.round(count * WARM_UP));
  const look = () => looks(() => run(Math.round(count / 5 / (STRETCHES + 1))));
  const seen = [await look()];
  for (let stretch = 0; stretch < STRETCHES; stretch++) seen.push(await look());
  return { heap: seen.at(-1).heap - seen[0].heap, ...growth(seen) };
}

const figures = await (what === "swaps" ? swaps() : loads());
process.stdout.write(`${JSON.stringify({ count, ...figures })}\n`);
