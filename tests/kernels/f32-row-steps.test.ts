import { describe, expect, test } from "vitest";
import { NONE, beyondBound, difference, floats, gamma, placeRows, takeRows } from "./f32-rows.ts";
import { KernelArena, builds } from "./instance.ts";
import { Random } from "./int8-layout.ts";
import { reference } from "./reference.ts";

const VOCABULARY = 23;
const TYPES = 3;

interface Embedding {
  width: number;
  ids: Int32Array;
  positions: Int32Array;
  types: Int32Array;
  codes: Int8Array;
  scales: Float32Array;
  positionTable: Float32Array;
  typeTable: Float32Array;
}

function embeddingCase(rows: number, width: number, seed: number, types: boolean, typeTable: boolean): Embedding {
  const random = new Random(seed);
  const whole = (most: number) => Int32Array.from({ length: rows }, () => random.integer(0, most - 1));
  return {
    width,
    ids: whole(VOCABULARY),
    positions: whole(rows + 5),
    types: types ? whole(TYPES) : new Int32Array(0),
    codes: Int8Array.from({ length: VOCABULARY * width }, () => random.integer(-128, 127)),
    scales: floats(random, VOCABULARY, 0.01),
    positionTable: floats(random, (rows + 5) * width, 1),
    typeTable: typeTable ? floats(random, TYPES * width, 1) : NONE,
  };
}

function embed(arena: KernelArena, given: Embedding): Float32Array {
  const { width, ids, positions, types, codes, scales, positionTable, typeTable } = given;
  arena.reset();
  const out = arena.output(ids.length * width * 4, (width % 4) * 4);
  arena.kernel("embed")(
    arena.input(ids), arena.input(positions), types.length > 0 ? arena.input(types) : 0, ids.length,
    arena.input(codes), arena.input(scales), arena.input(positionTable), typeTable.length > 0 ? arena.input(typeTable) : 0, width, out,
  );
  arena.checkGuards();
  return takeRows(arena, out, ids.length, width, width);
}

const embedTwin = (given: Embedding): Float32Array =>
  reference("embed", given.ids, given.positions, given.types, given.codes, given.scales, given.positionTable, given.typeTable, given.width);

describe.each(builds)("row steps of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  test("embed equals the scalar twin for rows 1–17, width 1–70, with and without types", () => {
    for (let width = 1; width <= 70; width++) {
      for (let rows = 1; rows <= 17; rows++) {
        const given = embeddingCase(rows, width, width * 100 + rows, rows % 2 === 0, rows % 3 !== 0);
        const found = difference(embed(arena, given), embedTwin(given));
        if (found !== undefined) expect.fail(`${rows} rows of ${width}: ${found}`);
      }
    }
  });

  test("embed rounds three times at most", () => {
    const given = embeddingCase(9, 37, 2, true, true);
    const want = new Float64Array(9 * 37);
    const bound = new Float64Array(9 * 37);
    for (let at = 0; at < want.length; at++) {
      const [row, j] = [Math.floor(at / 37), at % 37];
      const parts = [
        given.scales[given.ids[row]!]! * given.codes[given.ids[row]! * 37 + j]!,
        given.typeTable[given.types[row]! * 37 + j]!,
        given.positionTable[given.positions[row]! * 37 + j]!,
      ];
      want[at] = parts.reduce((sum, part) => sum + part, 0);
      bound[at] = gamma(3) * parts.reduce((sum, part) => sum + Math.abs(part), 0);
    }
    expect(beyondBound(embed(arena, given), want, bound)).toBeUndefined();
  });

  test("embed gives a row the same bits alone and among others", () => {
    const given = embeddingCase(9, 14, 6, true, true);
    const together = embed(arena, given);
    for (let row = 0; row < 9; row++) {
      const one = (data: Int32Array) => data.slice(row, row + 1);
      const alone = embed(arena, { ...given, ids: one(given.ids), positions: one(given.positions), types: one(given.types) });
      expect(difference(alone, together.slice(row * 14, row * 14 + 14))).toBeUndefined();
    }
  });

  test("gatherRows equals the scalar twin for rows 1–17, width 1–70, and copies NaN and −0", () => {
    for (let width = 1; width <= 70; width++) {
      for (let rows = 1; rows <= 17; rows++) {
        const random = new Random(width * 100 + rows);
        const table = floats(random, VOCABULARY * width, 1);
        table[0] = NaN;
        table[width] = -0;
        const ids = Int32Array.from({ length: rows }, () => random.integer(0, VOCABULARY - 1));
        arena.reset();
        const out = arena.output(rows * width * 4);
        arena.kernel("gatherRows")(arena.input(table), arena.input(ids), rows, width, out);
        arena.checkGuards();
        const found = difference(takeRows(arena, out, rows, width, width), reference("gatherRows", table, ids, width));
        if (found !== undefined) expect.fail(`${rows} rows of ${width}: ${found}`);
      }
    }
  });

  test("scaleShiftRows equals the scalar twin for rows 1–17, columns 1–70, any stride, each vector optional", () => {
    for (let columns = 1; columns <= 70; columns++) {
      for (let rows = 1; rows <= 17; rows++) {
        const random = new Random(columns * 100 + rows);
        const y = floats(random, rows * columns, 3);
        y[0] = [-0, NaN, Infinity, 3.4e38][rows % 4]!;
        const scale = rows % 3 === 0 ? NONE : floats(random, columns, 2);
        const shift = rows % 4 === 0 ? NONE : floats(random, columns, 2);
        const stride = columns + [0, 1, 5, 13][(rows + columns) % 4]!;
        arena.reset();
        const at = placeRows(arena, y, rows, columns, stride, (columns % 4) * 4);
        const address = (data: Float32Array) => (data.length > 0 ? arena.input(data) : 0);
        arena.kernel("scaleShiftRows")(at, rows, columns, stride, address(scale), address(shift));
        arena.checkGuards();
        const found = difference(takeRows(arena, at, rows, columns, stride), reference("scaleShiftRows", y, columns, scale, shift));
        if (found !== undefined) expect.fail(`${rows} rows of ${columns}, stride ${stride}: ${found}`);
      }
    }
  });
});

/** meanRows over rows `stride` apart; an empty mask means none is given. */
function meanRows(arena: KernelArena, x: Float32Array, rows: number, width: number, stride: number, mask: Uint8Array): Float32Array {
  arena.reset();
  const at = placeRows(arena, x, rows, width, stride);
  const maskAt = mask.length > 0 ? arena.input(mask) : 0;
  const out = arena.output(width * 4, (width % 4) * 4);
  arena.kernel("meanRows")(at, rows, width, stride, maskAt, out);
  arena.checkGuards();
  return takeRows(arena, out, 1, width, width);
}

function l2Normalize(arena: KernelArena, x: Float32Array): Float32Array {
  arena.reset();
  const at = arena.input(x, (x.length % 4) * 4);
  arena.kernel("l2Normalize")(at, x.length);
  arena.checkGuards();
  return arena.float32(at, x.length).slice();
}

describe.each(builds)("pooling of %s.wasm", (build) => {
  const arena = new KernelArena(build);

  test("meanRows equals the scalar twin for rows 1–17, width 1–70, any stride, with and without mask", () => {
    for (let width = 1; width <= 70; width++) {
      for (let rows = 1; rows <= 17; rows++) {
        const random = new Random(width * 100 + rows);
        const x = floats(random, rows * width, 3);
        const mask = Uint8Array.from({ length: rows }, () => random.integer(0, 2));
        const stride = width + [0, 1, 5, 13][(rows + width) % 4]!;
        const all = new Uint8Array(rows).fill(1);
        for (const [given, twinMask] of [[mask, mask], [new Uint8Array(0), all]] as const) {
          const found = difference(meanRows(arena, x, rows, width, stride, given), reference("meanRows", x, width, twinMask));
          if (found !== undefined) expect.fail(`${rows} rows of ${width}, stride ${stride}: ${found}`);
        }
      }
    }
  });

  test("meanRows is within the rounding of its chain, and skips masked rows whatever they hold", () => {
    const [rows, width] = [129, 21];
    const x = floats(new Random(8), rows * width, 3);
    const mask = new Uint8Array(rows).map((_, row) => (row % 5 === 2 ? 0 : 7));
    for (let row = 2; row < rows; row += 5) x.fill(row % 2 === 0 ? NaN : Infinity, row * width, (row + 1) * width);
    const live = Array.from(mask.keys()).filter((row) => mask[row] !== 0);
    const want = Float64Array.from({ length: width }, (_, j) => live.reduce((sum, row) => sum + x[row * width + j]!, 0) / live.length);
    const bound = want.map((_, j) => (gamma(live.length + 1) * live.reduce((sum, row) => sum + Math.abs(x[row * width + j]!), 0)) / live.length);
    expect(beyondBound(meanRows(arena, x, rows, width, width, mask), want, bound)).toBeUndefined();
  });

  test("meanRows of no row is zeros", () => {
    const x = floats(new Random(1), 3 * 7, 1);
    expect(difference(meanRows(arena, x, 3, 7, 7, new Uint8Array(3)), new Float32Array(7))).toBeUndefined();
  });

  test("l2Normalize equals the scalar twin at width 1–70 and gives length 1", () => {
    for (let width = 1; width <= 70; width++) {
      const x = floats(new Random(width), width, [1e-3, 1, 1e3][width % 3]!);
      const got = l2Normalize(arena, x);
      expect(difference(got, reference("l2Normalize", x)), `width ${width}`).toBeUndefined();
      expect(Math.abs(Math.hypot(...got) - 1)).toBeLessThanOrEqual(gamma(Math.ceil(width / 16) + 8));
    }
  });

  test("l2Normalize leaves a zero vector alone and takes huge values without a trap", () => {
    expect(difference(l2Normalize(arena, Float32Array.of(0, -0, 0)), Float32Array.of(0, -0, 0))).toBeUndefined();
    for (const odd of [NaN, Infinity, -3.4e38]) {
      const x = Float32Array.of(1, odd, 2);
      const got = l2Normalize(arena, x);
      expect(difference(got, reference("l2Normalize", x))).toBeUndefined();
      // None is a vector of length 1, so none may pass for one.
      expect(got.every(Number.isNaN)).toBe(true);
    }
  });
});
