import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RootstockError, type Encoder, type RunOptions } from "../../src/index.ts";
import { MAX_RANK } from "../../src/limits.ts";
import { checksumOf } from "../../src/wasm/checksum.ts";
import { ARENA_START } from "../../src/wasm/memory.ts";
import { Golden, ADAPTERS, loadGolden, NAMES } from "../faults/golden.ts";
import { seeded } from "../reliability/random.ts";
import { record } from "../reliability/record.ts";
import { cases, SEED } from "../reliability/scale.ts";
import { loadOdd, ODD_ADAPTERS, words, type OddAdapter } from "../runtime/bert-odd.ts";
import { editTensors } from "../runtime/folder.ts";
import { refuses } from "../runtime/refuses.ts";
import { floatBytes, hostile, ofRank, sizeOf, VALUES, WEIGHTS } from "./hostile-adapters.ts";

const ALL: RunOptions = { topK: null, ignoreLabels: [] };
const TEXTS = [words(1, 3), words(9, 1), words(17, 3)];
/** A kind of tensors each that meets other kernels. */
const KINDS = [/lora_A/, /lora_B/, /lora_/, /magnitude/, /ia3/, /bias/, /classifier|score/, /embedding/, /./];

let encoder: Encoder;
let golden: Golden;

/** With its memory at its largest from the start, so that all of it can be compared. */
async function loadWhole(adapterBudget: number): Promise<Encoder> {
  const made = await loadGolden({ adapterBudget });
  const { machine, weights, pool } = made.loaded;
  machine.memory.ensure(weights.start + weights.bytes + pool.budget);
  return made;
}

beforeAll(async () => {
  encoder = await loadWhole(2 << 20);
  golden = await Golden.of(encoder);
});

afterAll(() => encoder.dispose());

/** Everything but the workspace: constants, weights, adapters, and the room between and behind them. */
function restOf({ loaded }: Encoder): number[] {
  const { memory } = loaded.machine;
  const behind = loaded.weights.start;
  return [checksumOf(memory.ints(0, ARENA_START / 4)), checksumOf(memory.ints(behind, (memory.bytes - behind) / 4))];
}

describe("an adapter of any finite numbers", () => {
  it("writes nowhere but to the workspace, and changes no other's results, alone or in one pass with them", async () => {
    const random = seeded(SEED);
    const expected = await encoder.runBatch(TEXTS.map((text) => ({ text, tasks: NAMES })), ALL);
    const counts = { adapters: 0, runs: 0, finite: 0, overflowed: 0, refused: 0 };
    for (const [what, value] of Object.entries(VALUES)) {
      for (const [i, kind] of KINDS.entries()) {
        // Another adapter each time; those without such tensors are left out.
        const of = ODD_ADAPTERS.filter((one) => touched(one, kind))[(i * 5 + what.length) % Math.max(1, ODD_ADAPTERS.filter((one) => touched(one, kind)).length)];
        if (of === undefined) continue;
        const files = hostile(of, kind, (at) => value(at, random));
        const before = restOf(encoder);
        const refusal = await encoder.addAdapter("hostile", files, { labels: of.labels }).catch((error: RootstockError) => error);
        counts.adapters++;
        if (refusal instanceof Error) {
          // What it works out to (a norm, a product of scales) may be no number.
          expect(refusal.code, `${what} ${String(kind)} ${of.name}`).toBe("tensor-value");
          counts.refused++;
          expect(restOf(encoder)).toEqual(before);
          continue;
        }
        const [constants, rest] = restOf(encoder);
        for (let round = 0; round < cases(2, 20); round++) {
          const attempts = await Promise.allSettled([
            ...TEXTS.map((text) => encoder.run(text, ["hostile"], ALL)),
            encoder.logits([2, 5, 6, 3], "hostile"),
            encoder.embed([TEXTS[2]!], { task: "hostile" }),
          ]);
          // Between two calls of the hostile one, in one pass with both.
          for (const [at, text] of TEXTS.entries()) {
            const around = (): Promise<unknown> => encoder.run(text, ["hostile"], ALL).catch(() => null);
            const [, own] = await Promise.all([around(), encoder.run(text, NAMES, ALL), around()]);
            expect(own).toEqual(expected[at]);
          }
          counts.runs += attempts.length + 2 * TEXTS.length;
          for (const attempt of attempts) {
            if (attempt.status === "fulfilled") counts.finite++;
            else {
              expect((attempt.reason as RootstockError).code, `${what} ${String(kind)} ${of.name}`).toBe("tensor-value");
              counts.overflowed++;
            }
          }
        }
        expect(restOf(encoder)).toEqual([constants, rest]);
        await encoder.removeAdapter("hostile");
        expect(encoder.info.memory.adapters).toBeGreaterThan(0);
      }
    }
    await golden.expectSame(true);
    expect(counts.runs).toBeGreaterThanOrEqual(1000);
    expect(counts.finite).toBeGreaterThan(100);
    expect(counts.overflowed).toBeGreaterThan(100);
    record("C5-hostile", counts);
  });

  it("or of any rank from 1 to the largest: reads its own block alone, wherever that lies", async () => {
    using wide = await loadWhole(16 << 20);
    for (const rank of [1, 2, 3, 5, 42, 65, MAX_RANK]) {
      const random = seeded(SEED + rank);
      const one = ofRank(rank, () => (random() - 0.5) / rank);
      const requests = TEXTS.map((text) => ({ text, tasks: [one.name] }));
      using alone = await loadOdd({ adapterBudget: 16 << 20 }, [one]);
      const expected = await alone.runBatch(requests, ALL);
      const before = restOf(wide);
      await wide.addAdapter(one.name, one.files, { labels: one.labels });
      expect(await wide.runBatch(requests, ALL)).toEqual(expected);
      await wide.removeAdapter(one.name);
      expect(restOf(wide)).toEqual(before);
    }
    await golden.expectOf(wide);
    await refuses(encoder.addAdapter("huge", ofRank(MAX_RANK + 1, () => 0).files, { labels: ["a", "b", "c"] }), "config-invalid", /4096/);
    await golden.expectSame(true);
  });
});

function touched({ files }: OddAdapter, kind: RegExp): boolean {
  let found = false;
  editTensors(files, WEIGHTS, (tensor) => {
    found ||= kind.test(tensor.name);
    return tensor;
  });
  return found;
}

describe("what lies around an adapter's block", () => {
  it("before, behind and in its gaps has no effect on it, whatever it is", async () => {
    for (const one of ADAPTERS) {
      using alone = await loadOdd({}, [one]);
      const { weights, machine } = alone.loaded;
      const expected = await alone.runBatch(TEXTS.map((text) => ({ text, tasks: [one.name] })), ALL);
      await alone.removeAdapter(one.name);
      const end = weights.start + weights.bytes;
      for (const byte of [0xff, 0x7f, 0x5a]) {
        // Gaps keep what was there; so does the rest of the pool.
        machine.memory.u8.fill(byte, end);
        await alone.addAdapter("first", ADAPTERS[0]!.files, { labels: ADAPTERS[0]!.labels });
        await alone.addAdapter(one.name, one.files, { labels: one.labels });
        const own = alone.loaded.pool.used;
        // Its neighbour's numbers too.
        machine.memory.u8.fill(byte, end, end + Math.ceil(alone.info.tasks[0]!.bytes / 64) * 64);
        machine.memory.u8.fill(byte, end + own);
        expect(await alone.runBatch(TEXTS.map((text) => ({ text, tasks: [one.name] })), ALL), `${one.name}, ${byte}`).toEqual(expected);
        await alone.removeAdapter(one.name);
        await alone.removeAdapter("first");
      }
    }
  });

  it("is zeroed where an adapter lay, when it is removed, replaced, parked or the encoder disposed", async () => {
    const [one, other] = ADAPTERS as [OddAdapter, OddAdapter];
    const made = await loadOdd({}, [one]);
    const { weights, machine, pool } = made.loaded;
    const end = weights.start + weights.bytes;
    const isZero = (): boolean => machine.memory.u8.subarray(end).every((byte) => byte === 0);
    expect(isZero()).toBe(false);
    await made.removeAdapter(one.name);
    expect(isZero()).toBe(true);
    await made.addAdapter(one.name, one.files, { labels: one.labels });
    await made.addAdapter(one.name, other.files, { labels: other.labels, replace: true });
    await made.removeAdapter(one.name);
    expect(isZero()).toBe(true);
    await made.addAdapter(one.name, one.files, { labels: one.labels });
    made.dispose();
    expect(pool.used).toBe(0);
    expect(isZero()).toBe(true);
  });
});

describe("NaN and infinity", () => {
  it("in the first, a middle or the last number of any tensor are refused at load, in float32, float16 and bfloat16", async () => {
    let refused = 0;
    for (const one of ADAPTERS) {
      const names: string[] = [];
      editTensors(one.files, WEIGHTS, (tensor) => {
        // PEFT's further copies of a head's bias are read by nobody.
        if (!/\.(modules_to_save|original_module)\./.test(tensor.name)) names.push(tensor.name);
        return tensor;
      });
      for (const [n, name] of names.entries()) {
        const value = [NaN, Infinity, -Infinity][n % 3]!;
        const at = (count: number): number => [0, count >> 1, count - 1][n % 3]!;
        const files = editTensors(one.files, WEIGHTS, (tensor) => {
          if (tensor.name !== name) return tensor;
          const count = sizeOf(tensor);
          if (n % 2 === 0) return { ...tensor, dtype: "F32", data: floatBytes(count, (i) => (i === at(count) ? value : 0.01)) };
          // Exponent all ones: NaN and infinity of the two halves.
          const [dtype, bits] = n % 4 === 1 ? (["F16", 0x7c00] as const) : (["BF16", 0x7f80] as const);
          const halves = new Uint16Array(count);
          halves[at(count)] = Number.isNaN(value) ? bits | 1 : value < 0 ? bits | 0x8000 : bits;
          return { ...tensor, dtype, data: new Uint8Array(halves.buffer) };
        });
        await refuses(encoder.addAdapter("poisoned", files, { labels: one.labels }), "tensor-value", /NaN or infinity/);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(50);
    await golden.expectSame(true);
  });
});
