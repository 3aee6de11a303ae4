// The library's encoder with float32 weights in place of packed ones, on the package's own kernels: what int8 is measured against. Its
// products are those of training; tests/float32 does the same in plain TypeScript, which is exact and too slow for whole test sets.
import { readFileSync } from "node:fs";
import { readBeside } from "../../dist/wasm/beside.js";
import { instantiate, startEngine } from "../../dist/wasm/engine.js";
import { Encoder } from "../../dist/runtime/encoder.js";
import { loadParts } from "../../dist/runtime/load-encoder.js";

const PANEL = 8;
/** Where the bias of a channel lies in its panel's terms, of three vectors of 8: scales, biases, sums. */
const biasAt = (channels, column) => (channels >>> 2) + (column >> 3) * 3 * PANEL + PANEL + (column & 7);

/** Panels as `packRowPanels` lays them: 8 columns side by side, step by step. */
const FORMAT = {
  panelBytes: (columns, depth) => Math.ceil(columns / PANEL) * depth * PANEL * 4,
  tableRowBytes: (width) => width * 4,
  packChannels(memory, { panels, depth }, first, weight) {
    const { f32 } = memory;
    for (let n = 0; n < weight.length / depth; n++) {
      const at = placeOf(panels, depth, first + n);
      for (let k = 0; k < depth; k++) f32[at + k * PANEL] = weight[n * depth + k];
    }
  },
  readChannel(memory, { panels, depth }, channel, out) {
    const { f32 } = memory;
    const at = placeOf(panels, depth, channel);
    for (let k = 0; k < depth; k++) out[k] = f32[at + k * PANEL];
  },
  packTableRows(memory, { codes, width }, first, rows) {
    memory.f32.set(rows, (codes >>> 2) + first * width);
  },
};

function placeOf(panels, depth, channel) {
  return (panels >>> 2) + (channel >> 3) * depth * PANEL + (channel & 7);
}

/** The kernels that read or write codes, without rounding; all others are the served ones. */
function unrounded(memory, { product }) {
  return {
    quantizeRows(x, rows, depth, stride, columnScale, codes) {
      const { f32 } = memory;
      for (let row = 0; row < rows; row++) {
        const [from, to] = [(x >>> 2) + row * stride, (codes >>> 2) + row * depth];
        for (let k = 0; k < depth; k++) f32[to + k] = f32[from + k] * (columnScale === 0 ? 1 : f32[(columnScale >>> 2) + k]);
      }
    },
    matmul(codes, _terms, rows, depth, panels, channels, columns, out, outStride) {
      product(codes, rows, depth * 4, 4, depth, panels, depth * 32, 32, columns, 0, out, outStride, 0);
      const { f32 } = memory;
      for (let column = 0; column < columns; column++) {
        const bias = f32[biasAt(channels, column)];
        for (let row = 0, at = (out >>> 2) + column; row < rows; row++, at += outStride) f32[at] += bias;
      }
    },
    embed(ids, positions, types, rows, codes, _scales, positionTable, typeTable, width, out) {
      const { f32, i32 } = memory;
      for (let row = 0; row < rows; row++) {
        const word = (codes >>> 2) + i32[(ids >>> 2) + row] * width;
        const position = (positionTable >>> 2) + i32[(positions >>> 2) + row] * width;
        const type = (typeTable >>> 2) + (types === 0 ? 0 : i32[(types >>> 2) + row]) * width;
        const to = (out >>> 2) + row * width;
        for (let k = 0; k < width; k++) f32[to + k] = f32[word + k] + (typeTable === 0 ? 0 : f32[type + k]) + f32[position + k];
      }
    },
  };
}

async function start(memory, scratch, options) {
  const engine = await startEngine(memory, scratch, { ...options, product: "fixed" }, readBeside);
  const train = await instantiate("train-fixed", readFileSync(new URL("../../build/wasm/train-fixed.wasm", import.meta.url)), memory);
  return { ...engine, kernels: { ...engine.kernels, ...unrounded(memory, train) }, candidates: [], notes: ["float32"] };
}

/** @param {string} folder as Hugging Face saves it @returns {Promise<Encoder>} */
export async function loadFloat32(folder) {
  return new Encoder(await loadParts(folder, {}, { format: FORMAT, codeBytes: 4, start }));
}
