import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { AdapterStore } from "../../src/model/adapter-store.ts";
import { loadAdapter } from "../../src/runtime/load-adapter.ts";
import { Pace } from "../../src/runtime/event-loop.ts";
import { someLabels } from "./gap.ts";
import type { Machine } from "../../src/run/forward.ts";
import { runPass } from "../../src/run/pass.ts";
import type { Branch, PassText, Reading } from "../../src/run/pass-text.ts";
import type { AdapterPlan } from "../../src/model/slot.ts";
import { INT8_PARTS } from "../../src/runtime/load.ts";
import { loadParts } from "../../src/runtime/load-encoder.ts";

const ENCODER = "tests/golden/peft/base/bert-odd";
const IDS = Array.from({ length: 19 }, (_, i) => 5 + ((i * 7) % 50));

let machine: Machine;
let adapters: (AdapterPlan | null)[];

beforeAll(async () => {
  const loaded = await loadParts(ENCODER, {}, INT8_PARTS);
  machine = loaded.machine;
  const store = new AdapterStore(machine.memory, loaded.pool);
  const classes = { "all-linear": 3, "layers-to-transform": 3, embedding: 3, "ia3-feedforward": 5, "dora-all-linear": 3 };
  adapters = [null];
  for (const [name, count] of Object.entries(classes)) {
    const { numbers } = await loadAdapter(loaded, `tests/golden/peft/adapters/${name}`, { labels: someLabels(count) }, new Pace());
    adapters.push(store.add(numbers).plan);
  }
});

/** Runs a pass from start to end and returns the states of each branch of each text. */
function states(texts: readonly { length: number; branches: readonly { adapter: number; read: Reading }[] }[]): Float32Array[][] {
  const results = texts.map(() => [] as Float32Array[]);
  const pass = texts.map(({ length, branches }, text): PassText => {
    return {
      ids: IDS.slice(0, length),
      branches: branches.map(({ adapter, read }, i): Branch => {
        const plan = adapters[adapter]!;
        return {
          adapter: plan && { plan },
          read,
          output: { kind: "states", take: (rows) => (results[text]![i] = rows) },
          fail: (error) => { throw error; },
        }; // prettier-ignore
      }),
    };
  });
  for (const _ of runPass(machine, pass));
  return results;
}

/** Rows of a matrix. */
function rows(all: Float32Array, tokens: readonly number[]): number[] {
  const width = machine.plan.config.hidden;
  return tokens.flatMap((token) => [...all.subarray(token * width, (token + 1) * width)]);
}

describe("only the rows that are read", () => {
  it("are computed in the last layer, with the bits that they have among all", () => {
    const reading = fc.oneof(
      fc.constant("first" as const),
      fc.constant("all" as const),
      fc.uniqueArray(fc.nat(18), { maxLength: 19 }).map((tokens) => tokens.toSorted((a, b) => a - b)),
    );
    const text = fc.record({
      length: fc.integer({ min: 1, max: 19 }),
      branches: fc.array(fc.record({ adapter: fc.nat(5), read: reading }), { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), (texts) => {
        const own = texts.map(({ length, branches }) => ({
          length,
          branches: branches.map(({ adapter, read }) => ({
            adapter,
            tokens: read === "all" ? IDS.slice(0, length).map((_, i) => i) : read === "first" ? [0] : read.filter((token) => token < length),
            read,
          })),
        }));
        const found = states(own.map(({ length, branches }) => ({
          length,
          branches: branches.map(({ adapter, read, tokens }) => ({ adapter, read: typeof read === "string" ? read : Int32Array.from(tokens) })),
        })));
        for (const [i, { length, branches }] of own.entries()) {
          for (const [j, { adapter, tokens }] of branches.entries()) {
            const [[all]] = states([{ length, branches: [{ adapter, read: "all" }] }]) as [[Float32Array]];
            expect([...found[i]![j]!]).toEqual(rows(all, tokens));
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("do not touch the others: a pass that reads one row of 19 leaves the last layer's other products undone", () => {
    const { kernels } = machine;
    let products = 0;
    const counting: Machine = { ...machine, kernels: { ...kernels, matmul: (...args) => { products += args[2] * args[6]; kernels.matmul(...args); } } }; // prettier-ignore
    const count = (read: Reading): number => {
      products = 0;
      const branch: Branch = { adapter: null, read, output: { kind: "states", take: () => undefined }, fail: () => undefined };
      for (const _ of runPass(counting, [{ ids: IDS, branches: [branch] }]));
      return products;
    };
    const { hidden, intermediate } = machine.plan.config;
    expect(count("all") - count("first")).toBe(18 * (3 * hidden + intermediate)); // query, attention output, both of the feed-forward
  });
});
