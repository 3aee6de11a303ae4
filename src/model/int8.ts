import { roundPlain, roundTiesToEven } from "./round-plain.ts";
import { packCodes, packedBytes, storedScale, unpackChannel, type WeightFormat } from "./weight-format.ts";

/**
 * The library's own format: 7-bit weights per output channel in panels, 8-bit embedding rows (symmetric, one scale
 * a row: cosine 0.99999 to float32 by itself on all-MiniLM-L6-v2).
 */
export const int8Format: WeightFormat = {
  panelBytes: packedBytes,
  tableRowBytes: (width) => width,
  packChannels(memory, place, first, weight) {
    const { codes, scales } = roundPlain(weight, weight.length / place.depth, place.depth);
    packCodes(memory, place, first, codes, scales);
  },
  readChannel: unpackChannel,
  packTableRows(memory, place, first, rows) {
    const { width } = place;
    const i8 = memory.i8;
    const scales = memory.floats(place.scales, place.rows);
    for (let n = 0; n * width < rows.length; n++) {
      let largest = 0;
      for (let k = 0; k < width; k++) largest = Math.max(largest, Math.abs(rows[n * width + k]!));
      scales[first + n] = storedScale(largest / 127);
      const inverse = largest === 0 ? 0 : 127 / largest;
      const at = place.codes + (first + n) * width;
      for (let k = 0; k < width; k++) i8[at + k] = roundTiesToEven(rows[n * width + k]! * inverse);
    }
  },
};
