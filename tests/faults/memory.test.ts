import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { loadEncoder, RootstockError, type Encoder } from "../../src/index.ts";
import { LinearMemory, PAGE_BYTES } from "../../src/wasm/memory.ts";
import { AdapterPool } from "../../src/wasm/pool.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";
import { record } from "../reliability/record.ts";
import { cases } from "../reliability/scale.ts";
import { refuses } from "../runtime/refuses.ts";
import { ADAPTERS, answers, Golden, loadGolden, NAMES } from "./golden.ts";
import { stubWebAssembly } from "./kernels.ts";

const { Memory, Instance } = WebAssembly;

/** Loaded before any fault, and asked after each. */
let resident: Encoder;
let golden: Golden;
/** Room for two of the larger adapters: others are parked. */
let budget: number;
/** Most bytes that the adapters ask for. */
let used: number;

beforeAll(async () => {
  resident = await loadGolden();
  golden = await Golden.of(resident);
  const { tasks, memory } = resident.info;
  used = memory.adapters;
  budget = Math.max(...tasks.map(({ bytes }) => bytes)) * 2;
});

afterAll(() => resident.dispose());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** What came of an attempt: null, or the error, which must be of ours and say that memory is short. */
async function shortage(attempt: Promise<unknown>): Promise<RootstockError | null> {
  const error = await attempt.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error === null) return null;
  expect(error).toBeInstanceOf(RootstockError);
  expect((error as RootstockError).code, (error as RootstockError).message).toBe("no-memory-left");
  return error as RootstockError;
}

/** Loads, adds, runs, replaces and removes, going on after each refusal. @returns the encoder, null when it could not be loaded; refusals */
async function session(adapterBudget: number): Promise<{ encoder: Encoder | null; refusals: number }> {
  let refusals = 0;
  const attempt = async (step: Promise<unknown>): Promise<void> => {
    if ((await shortage(step)) !== null) refusals++;
  };
  let encoder: Encoder | null = null;
  await attempt(loadEncoder(tinyFolder("bert"), { adapterBudget }).then((made) => (encoder = made)));
  if (encoder === null) return { encoder, refusals };
  const made = encoder as Encoder;
  for (const { name, files, labels } of ADAPTERS) await attempt(made.addAdapter(name, files, { labels }));
  const there = (): string[] => made.info.tasks.map(({ name }) => name);
  await attempt(made.run("w1 w2 w3", there()));
  await attempt(made.embed(["w1"], { task: there()[0] ?? null }));
  const [first] = ADAPTERS;
  await attempt(made.addAdapter(first!.name, first!.files, { labels: first!.labels, replace: true }));
  return { encoder, refusals };
}

/** Once memory is there again: all adapters can be added, answer with the known bits, and leave nothing behind. */
async function expectWhole(encoder: Encoder): Promise<void> {
  const there = new Set(encoder.info.tasks.map(({ name }) => name));
  for (const { name, files, labels } of ADAPTERS) if (!there.has(name)) await encoder.addAdapter(name, files, { labels });
  await golden.expectOf(encoder);
  for (const name of NAMES) await encoder.removeAdapter(name);
  expect(encoder.info.memory).toMatchObject({ adapters: 0, parkedAdapters: 0 });
}

describe("an engine that gives no more than so many pages", () => {
  it("from 1 to the plan: loads and serves, or says no-memory-left", async () => {
    const plan = Math.ceil((resident.loaded.weights.start + resident.loaded.weights.bytes + used) / PAGE_BYTES) + 1;
    const counts = { refusedToLoad: 0, refusedAdapters: 0, served: 0 };
    for (let most = 1; most <= plan; most++) {
      stubWebAssembly("Memory", new Proxy(Memory, {
        construct: (Own, [{ initial, maximum }]: [{ initial: number; maximum: number }]) => new Own({ initial, maximum: Math.min(maximum, most) }),
      })); // prettier-ignore
      const { encoder, refusals } = await session(used);
      vi.unstubAllGlobals();
      if (encoder === null) counts.refusedToLoad++;
      else {
        if (refusals > 0) counts.refusedAdapters++;
        else counts.served++;
        const kept = encoder.info.tasks.map(({ name }) => name);
        expect(encoder.info.memory.total).toBeLessThanOrEqual(most * PAGE_BYTES);
        // What was added answers, in the memory that there is.
        for (const name of kept) expect((await encoder.run("w1 w2", [name]))[name]).toEqual((await resident.run("w1 w2", [name]))[name]);
        encoder.dispose();
      }
      await golden.expectSame();
    }
    expect(counts.refusedToLoad).toBeGreaterThan(5);
    expect(counts.served).toBeGreaterThan(0);
    record("4.3-pages", { pages: plan, ...counts });
  });

  it("names the bytes that were asked for", async () => {
    stubWebAssembly("Memory", new Proxy(Memory, { construct: () => { throw new RangeError("could not allocate memory"); } })); // prettier-ignore
    await refuses(loadGolden(), "no-memory-left", /refused a memory of \d+ bytes \(maximum \d+\)/);
    vi.unstubAllGlobals();
    stubWebAssembly("Instance", new Proxy(Instance, { construct: () => { throw new RangeError("WebAssembly.Instance(): Out of memory"); } })); // prettier-ignore
    await refuses(loadGolden(), "no-memory-left", /Out of memory/);
  });
});

/** Fails the `n`-th allocation of any kind: once, or from then on. Returns whether it came to that. */
function failing(n: number, isLasting: boolean, kinds: readonly Kind[]): () => boolean {
  let count = 0;
  const due = (): boolean => (isLasting ? ++count >= n : ++count === n);
  for (const kind of kinds) FAULTS[kind](due);
  return () => count >= n;
}

type Kind = keyof typeof FAULTS;

const FAULTS = {
  memory: (due: () => boolean) =>
    stubWebAssembly("Memory", new Proxy(Memory, {
      construct(Own, args: [WebAssembly.MemoryDescriptor]) {
        if (due()) throw new RangeError("WebAssembly.Memory(): could not allocate memory");
        return new Own(...args);
      },
    })), // prettier-ignore
  instance: (due: () => boolean) =>
    stubWebAssembly("Instance", new Proxy(Instance, {
      construct(Own, args: [WebAssembly.Module, WebAssembly.Imports]) {
        if (due()) throw new RangeError("WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance");
        return new Own(...args);
      },
    })), // prettier-ignore
  grow: (due: () => boolean) => {
    const { grow } = Memory.prototype;
    vi.spyOn(Memory.prototype, "grow").mockImplementation(function (this: WebAssembly.Memory, pages) {
      if (due()) throw new RangeError("WebAssembly.Memory.grow(): Unable to grow instance memory");
      return grow.call(this, pages);
    });
  },
  pool: (due: () => boolean) => {
    const { allocate } = AdapterPool.prototype;
    vi.spyOn(AdapterPool.prototype, "allocate").mockImplementation(function (this: AdapterPool, bytes) {
      if (due()) throw new RootstockError("no-memory-left", "no block is free.");
      return allocate.call(this, bytes);
    });
  },
  /** Arrays of the JavaScript heap; small ones are not counted, for there engines end the process. */
  heap: (due: () => boolean) => {
    for (const name of ["Uint8Array", "Float32Array", "Int32Array", "Float64Array"] as const) {
      const failing = new Proxy(globalThis[name] as Uint8ArrayConstructor, {
        construct(Own, args: [number]) {
          if (typeof args[0] === "number" && args[0] >= 512 && due()) throw new RangeError("Array buffer allocation failed");
          return Reflect.construct(Own, args) as Uint8Array;
        },
      });
      vi.stubGlobal(name, failing);
    }
  },
} satisfies Record<string, (due: () => boolean) => unknown>;

describe("the n-th allocation fails, n = 1, 2, … until none does", () => {
  // There are some 500 arrays of the heap: every 23rd of them in CI.
  it.each([
    ["of linear memory, of instances and in the pool", ["memory", "instance", "grow", "pool"], 1],
    ["of growth alone", ["grow"], 1],
    ["on the heap", ["heap"], cases(23, 1)],
  ] as [string, Kind[], number][])("%s: no-memory-left, and nothing is lost", async (what, kinds, step) => {
    for (const isLasting of [false, true]) {
      let refused = 0;
      let n = 1;
      for (let [round, came] = [0, true]; came; n += step) {
        const isDue = failing(n, isLasting, kinds);
        const { encoder, refusals } = await session(budget);
        came = isDue();
        vi.unstubAllGlobals();
        vi.restoreAllMocks();
        refused += refusals;
        if (encoder !== null) {
          await expectWhole(encoder);
          encoder.dispose();
        }
        if (round++ % 8 === 0) await golden.expectSame();
      }
      expect(n).toBeGreaterThan(kinds.length + step);
      expect(refused).toBeGreaterThan(0);
      await golden.expectSame();
      record(`4.3-allocations-${isLasting ? "from-n-on" : "once"}`, { what, n: n - step, refused });
    }
  });

  it("in an encoder that serves: one call or change is refused at the most, and no other's answer differs", async () => {
    // The clock stands still: turns of the event loop part calls into other passes, and what is made anew then depends on the time.
    const stopClock = (): unknown => vi.spyOn(performance, "now").mockReturnValue(1e9);
    stopClock();
    using encoder = await loadGolden({ adapterBudget: budget });
    const expected = await answers(encoder);
    let refused = 0;
    // Every one of them in CI too: all but one are made up for, and refuse nothing.
    for (let [n, came] = [1, true]; came; n++) {
      const isDue = failing(n, false, ["grow", "pool", "heap"]);
      const calls = NAMES.map((name) => encoder.run("w1 w2 w3", [name]));
      const outcomes = await Promise.allSettled([...calls, encoder.embed(["w1"]), encoder.trunk("w1 w2"), encoder.hiddenStates([2, 3], NAMES[2]!)]);
      came = isDue();
      vi.unstubAllGlobals();
      vi.restoreAllMocks();
      stopClock();
      const reasons = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason as RootstockError] : []));
      refused += reasons.length;
      expect(reasons.length).toBeLessThanOrEqual(1);
      for (const { code } of reasons) expect(code).toBe("no-memory-left");
      expect(await answers(encoder)).toEqual(expected);
    }
    expect(refused).toBeGreaterThan(0);
  });
});

describe("a memory", () => {
  it("of more than WebAssembly holds is refused before it is asked for", async () => {
    await refuses(Promise.resolve().then(() => new LinearMemory(64, 2 ** 32)), "no-memory-left", /at most 4 GiB/);
  });

  it("is as large as planned, may grow by the adapters' budget, and is not shared", async () => {
    const made: WebAssembly.MemoryDescriptor[] = [];
    stubWebAssembly("Memory", new Proxy(Memory, {
      construct(Own, args: [WebAssembly.MemoryDescriptor]) {
        made.push(args[0]);
        return new Own(...args);
      },
    })); // prettier-ignore
    using encoder = await loadEncoder("models/mtpf-minilm-l6", { adapterBudget: 8 << 20 });
    const { weights, adapterBudget, total } = encoder.info.memory;
    expect(made.length).toBe(1);
    const { initial, maximum, shared } = made[0]!;
    expect(shared ?? false).toBe(false);
    expect(initial * PAGE_BYTES).toBe(total);
    expect(maximum! - initial).toBe(Math.ceil(adapterBudget / PAGE_BYTES));
    record("K4", { maximum: maximum! * PAGE_BYTES, weights, adapterBudget, beside: maximum! * PAGE_BYTES - weights - adapterBudget });
    // Weights and adapters, and 8 MiB for everything else.
    expect(maximum! * PAGE_BYTES - weights - adapterBudget).toBeLessThanOrEqual(8 << 20);
  });
});
