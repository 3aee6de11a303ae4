// Speed of the int8 products as a share of what this machine's instructions allow, both measured in the same run.
//
//   node scripts/build-wasm.mjs fixed relaxed ceiling-fixed ceiling-relaxed
//   node bench/kernels.mjs [pairs per figure, default 7]        pin it: taskset -c 1 node bench/kernels.mjs
//
// GOPS = 2 · rows · depth · columns / time, of the fastest sample: on a shared machine the mean says more about the
// neighbours. The share is the median over pairs "ceiling, kernel" measured one right after the other, because the clock
// (and a busy sibling thread) can halve both for seconds at a time. A ceiling is the kernel's inner step without tiles and
// epilogue (assembly/bench/ceiling.ts).
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import Benchmark from "benchmark";

const pairs = Number(process.argv[2] ?? 7);
const SHAPES = [
  { depth: 384, columns: 384 },
  { depth: 384, columns: 1152 },
  { depth: 384, columns: 1536 },
  { depth: 1536, columns: 384 },
];
const ROWS = [1, 4, 7, 16, 32, 64, 128, 256];
const MOST = { rows: 256, depth: 1536, columns: 1536 };

/** Seconds of the fastest of a dozen samples of 1 ms or more. */
function fastest(fn) {
  const bench = new Benchmark({ fn, minTime: 0.001, maxTime: 0.012, minSamples: 5 });
  bench.run();
  if (bench.error) throw bench.error;
  return Math.min(...bench.stats.sample);
}

/** Best GOPS of the kernel and of its ceiling, and the median of their ratios. */
function paired(kernel, kernelOperations, ceiling, ceilingOperations) {
  const figures = Array.from({ length: pairs }, () => {
    const limit = ceilingOperations / fastest(ceiling) / 1e9;
    const gops = kernelOperations / fastest(kernel) / 1e9;
    return { limit, gops, share: gops / limit };
  });
  const shares = figures.map((figure) => figure.share).sort((a, b) => a - b);
  return {
    gops: Math.max(...figures.map((figure) => figure.gops)),
    limit: Math.max(...figures.map((figure) => figure.limit)),
    share: shares[pairs >> 1],
  };
}

function moduleOf(name) {
  const file = new URL(`../build/wasm/${name}.wasm`, import.meta.url);
  if (!existsSync(file)) throw new Error(`no build/wasm/${name}.wasm; run: node scripts/build-wasm.mjs ${name}`);
  const bytes = readFileSync(file);
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
}

/** A build's kernels over one memory with random operands, big enough for every shape. */
function prepare(module, codeBytes) {
  const sizes = {
    x: MOST.rows * MOST.depth * 4,
    codes: MOST.rows * MOST.depth * codeBytes,
    rowTerms: MOST.rows * 16,
    panels: MOST.depth * 384 + 64,
    channels: MOST.columns * 12,
    out: MOST.rows * MOST.columns * 4,
  };
  const at = {};
  let top = 65_536;
  for (const [name, size] of Object.entries(sizes)) {
    at[name] = top;
    top += Math.ceil(size / 64) * 64;
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil(top / 65_536) + 1 });
  const floats = new Float32Array(memory.buffer, at.x, sizes.x / 4);
  for (let i = 0; i < floats.length; i++) floats[i] = Math.sin(i * 1.37) * 3;
  const weights = new Uint8Array(memory.buffer, at.panels, sizes.panels);
  for (let i = 0; i < weights.length; i++) weights[i] = 1 + ((Math.imul(i, 2654435761) >>> 8) % 127);
  new Float32Array(memory.buffer, at.channels, sizes.channels / 4).fill(0.01);
  return { kernels: new WebAssembly.Instance(module, { env: { memory } }).exports, at };
}

function printTable(title, measure) {
  console.log(`\n${title.padEnd(16)}${ROWS.map((rows) => `${rows} row${rows > 1 ? "s" : ""}`.padStart(11)).join("")}`);
  let limit = 0;
  for (const { depth, columns } of SHAPES) {
    const cells = ROWS.map((rows) => {
      const figure = measure(rows, depth, columns);
      limit = Math.max(limit, figure.limit);
      return `${figure.gops.toFixed(0)}  ${(100 * figure.share).toFixed(0)} %`.padStart(11);
    });
    console.log(`${`${depth}x${columns}`.padEnd(16)}${cells.join("")}`);
  }
  console.log(`ceiling ${limit.toFixed(1)} GOPS`);
}

function benchBuild(name, codeBytes, products) {
  const module = moduleOf(name);
  if (module === null) return console.log(`\n${name}.wasm: this engine has no relaxed SIMD`);
  const ceilings = new WebAssembly.Instance(moduleOf(`ceiling-${name}`), { env: { abort() {} } }).exports;
  const { kernels, at } = prepare(module, codeBytes);
  for (const { kernel, ceiling, operations } of products) {
    const rounds = 20_000;
    printTable(kernel, (rows, depth, columns) => {
      kernels.quantizeRows(at.x, rows, depth, depth, 0, at.codes, at.rowTerms);
      const product = () => kernels[kernel](at.codes, at.rowTerms, rows, depth, at.panels, at.channels, columns, at.out, columns);
      return paired(product, 2 * rows * depth * columns, () => ceilings[ceiling](rounds), operations * rounds);
    });
  }
  const nanoseconds = [384, 1536].map((depth) => {
    const time = fastest(() => kernels.quantizeRows(at.x, 128, depth, depth, 0, at.codes, at.rowTerms));
    return `${((time / (128 * depth)) * 1e9).toFixed(2)} ns per value at depth ${depth}`;
  });
  console.log(`\nquantizeRows of ${name}.wasm, 128 rows: ${nanoseconds.join(", ")}`);
}

console.log(`${cpus()[0].model}, ${process.version}, one thread: best GOPS, and the median share of the ceiling over ${pairs} pairs`);
benchBuild("relaxed", 1, [
  { kernel: "matmulRel2", ceiling: "rel2Ceiling", operations: 6 * 32 },
  { kernel: "matmulRel1", ceiling: "rel1Ceiling", operations: 12 * 32 },
]);
benchBuild("fixed", 2, [{ kernel: "matmulFixed", ceiling: "fixedCeiling", operations: 6 * 16 }]);
