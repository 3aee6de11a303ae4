import { Encoder } from "../../src/runtime/encoder.ts";
import { loadParts, type LoadParts } from "../../src/runtime/load-encoder.ts";
import type { SourceLike } from "../../src/load/source.ts";
import type { WeightFormat } from "../../src/model/weight-format.ts";
import type { Kernels } from "../../src/wasm/kernels.ts";
import { float32Kernels } from "./kernels.ts";

/** Weights as they are: panels hold [columns][depth] f32, tables f32 rows. */
export const float32Format: WeightFormat = {
  panelBytes: (columns, depth) => columns * depth * 4,
  tableRowBytes: (width) => width * 4,
  packChannels(memory, place, first, weight) {
    memory.f32.set(weight, (place.panels >>> 2) + first * place.depth);
  },
  readChannel(memory, place, channel, out) {
    out.set(memory.floats(place.panels + channel * place.depth * 4, place.depth));
  },
  packTableRows(memory, place, first, rows) {
    memory.f32.set(rows, (place.codes >>> 2) + first * place.width);
  },
};

export const FLOAT32: LoadParts = {
  format: float32Format,
  codeBytes: 4,
  start: async (memory) => {
    const restart = (): Kernels => float32Kernels(memory);
    return { kernels: restart(), memory, product: "fixed", candidates: [], notes: ["float32"], restart };
  },
};

/** The library's own encoder with float32 weights and plain TypeScript kernels. */
export async function loadFloat32Encoder(source: SourceLike): Promise<Encoder> {
  return new Encoder(await loadParts(source, {}, FLOAT32));
}
