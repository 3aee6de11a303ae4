import type { Address, Matmul } from "./kernels.ts";
import type { LinearMemory } from "./memory.ts";

// Rows and columns with tails, a depth with a tail; small, because the first calls must run in the baseline compiler.
const ROWS = 5;
const DEPTH = 38;
const COLUMNS = 19;
const PANELS = Math.ceil(COLUMNS / 8);
const STEPS = Math.ceil(DEPTH / 4);
const BLOCKS = Math.ceil(ROWS / 4);

const PANEL_BYTES = PANELS * STEPS * 32;
const CODE_BYTES = BLOCKS * STEPS * 16 * 2;

/** Bytes of scratch that `selfTest` writes. */
export const SELF_TEST_BYTES = PANEL_BYTES + PANELS * 96 + CODE_BYTES + BLOCKS * 64 + ROWS * COLUMNS * 4 + 320;

/**
 * Runs an int8 product on its first calls, random and extreme values, against integers computed here.
 * Two V8 releases compile a relaxed dot product wrongly in their baseline tier and rightly later (docs/kernels.md),
 * so this must come before any other call of the kernel. A product that traps has failed.
 */
export function selfTest(memory: LinearMemory, matmul: Matmul, codeBytes: 1 | 2, scratch: Address): boolean {
  try {
    return isRight(memory, matmul, codeBytes, scratch);
  } catch {
    return false;
  }
}

function isRight(memory: LinearMemory, matmul: Matmul, codeBytes: 1 | 2, scratch: Address): boolean {
  const panels = scratch;
  const channels = panels + PANEL_BYTES;
  const codes = channels + PANELS * 96;
  const terms = codes + CODE_BYTES;
  const out = terms + BLOCKS * 64;
  let seed = 0x2545f491;
  const random = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed >>> 8;
  };
  for (let round = 0; round < 3; round++) {
    // Round 0: every activation −128 and every weight 127, the largest sums a relaxed dot can meet.
    const activation = (): number => (round === 0 ? -128 : (random() % 256) - 128);
    const weight = (): number => (round === 0 ? 127 : 1 + (random() % 127));
    const a = Array.from({ length: ROWS }, () => Array.from({ length: DEPTH }, activation));
    const u = Array.from({ length: COLUMNS }, () => Array.from({ length: DEPTH }, weight));
    fill(memory, a, u, { panels, channels, codes, terms }, codeBytes);
    memory.f32.fill(NaN, out >>> 2, (out >>> 2) + ROWS * COLUMNS);
    matmul(codes, terms, ROWS, DEPTH, panels, channels, COLUMNS, out, COLUMNS);
    const got = memory.floats(out, ROWS * COLUMNS);
    for (let r = 0; r < ROWS; r++) {
      for (let c = 0; c < COLUMNS; c++) {
        let sum = 0;
        for (let k = 0; k < DEPTH; k++) sum += a[r]![k]! * u[c]![k]!;
        if (got[r * COLUMNS + c] !== sum) return false;
      }
    }
  }
  return true;
}

/** Writes codes and panels so that the product's output is the plain integer Σ a·u: scale 1, bias 0, no corrections. */
function fill(
  memory: LinearMemory,
  a: readonly (readonly number[])[],
  u: readonly (readonly number[])[],
  at: { panels: Address; channels: Address; codes: Address; terms: Address },
  codeBytes: 1 | 2,
): void {
  const bytes = memory.u8;
  bytes.fill(64, at.panels, at.panels + PANEL_BYTES);
  for (let c = 0; c < COLUMNS; c++) {
    const panel = at.panels + (c >> 3) * STEPS * 32;
    for (let k = 0; k < DEPTH; k++) bytes[panel + (k >> 2) * 32 + (c & 7) * 4 + (k & 3)] = u[c]![k]!;
  }
  memory.i32.fill(0, at.channels >>> 2, (at.channels >>> 2) + PANELS * 24);
  for (let c = 0; c < PANELS * 8; c++) memory.f32[(at.channels >>> 2) + (c >> 3) * 24 + (c & 7)] = 1;
  const codes = codeBytes === 1 ? memory.i8 : new Int16Array(memory.memory.buffer);
  const first = at.codes / codeBytes;
  codes.fill(0, first, first + BLOCKS * STEPS * 16);
  for (let r = 0; r < ROWS; r++) {
    const block = first + (r >> 2) * STEPS * 16;
    for (let k = 0; k < DEPTH; k++) codes[block + (k >> 2) * 16 + (r & 3) * 4 + (k & 3)] = a[r]![k]!;
  }
  memory.i32.fill(0, at.terms >>> 2, (at.terms >>> 2) + BLOCKS * 16);
  for (let r = 0; r < BLOCKS * 4; r++) memory.f32[(at.terms >>> 2) + r * 4] = 1;
}
