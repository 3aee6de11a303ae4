import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { loadEncoder, RootstockError, type Encoder } from "../../src/index.ts";
import { ARENA_START } from "../../src/wasm/memory.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";
import { index, seeded } from "../reliability/random.ts";
import { record } from "../reliability/record.ts";
import { SEED } from "../reliability/scale.ts";
import { loadOdd, ODD_ADAPTERS, words } from "../runtime/bert-odd.ts";
import { editJson } from "../runtime/folder.ts";
import { refuses } from "../runtime/refuses.ts";
import { ADAPTERS, answers, Golden, loadGolden, NAMES } from "./golden.ts";
import { overflowStack, stubWebAssembly, trap, WatchedKernels, type Replacement } from "./kernels.ts";

// The one product that every engine has.
const PRODUCT = "fixed";

let watched: WatchedKernels;
let encoder: Encoder;
let golden: Golden;
/** Calls of each export that one round of `answers` makes. */
let calls: ReadonlyMap<string, number>;

beforeAll(async () => {
  watched = new WatchedKernels();
  encoder = await loadGolden({ kernel: PRODUCT });
  golden = await Golden.of(encoder);
  const before = new Map(watched.calls);
  await answers(encoder);
  calls = new Map([...watched.calls].map(([name, count]) => [name, count - (before.get(name) ?? 0)]));
});

afterAll(() => {
  encoder.dispose();
  vi.unstubAllGlobals();
});

afterEach(() => watched.clear());

/** Everything between the kernels' constants and the weights. */
function workspaceOf(memory: WebAssembly.Memory, of: Encoder): Uint8Array {
  return new Uint8Array(memory.buffer, ARENA_START, of.loaded.weights.start - ARENA_START);
}

/** How a kernel may stop. All leave what they were to write half done, or worse. */
const WAYS: Record<string, Replacement> = {
  "traps at once": () => trap(),
  "traps when its work is done": (kernel, args) => {
    kernel(...args);
    trap();
  },
  "runs out of stack": () => overflowStack(),
  "leaves the whole workspace as NaN": (kernel, args, memory) => {
    kernel(...args);
    workspaceOf(memory, encoder).fill(0xff);
    trap();
  },
  "has lost its constants": (_, __, memory) => {
    new Uint8Array(memory.buffer, 0, ARENA_START).fill(0xff);
    trap();
  },
};

async function failure(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => null,
    (error: unknown) => error,
  );
}

describe("a kernel that stops", () => {
  it("is any of those that serve", async () => {
    const used = new Set([...calls].filter(([, count]) => count > 0).map(([name]) => name));
    for (const hidden_act of ["relu", "gelu_new"]) {
      using other = await loadEncoder(editJson(tinyFolder("bert"), "config.json", { hidden_act }), { kernel: PRODUCT });
      watched.calls.clear();
      await other.forward([2, 5, 3], null);
      for (const name of watched.calls.keys()) used.add(name);
    }
    using labels = await loadOdd({ kernel: PRODUCT }, ODD_ADAPTERS.filter(({ name }) => name === "multi-label"));
    watched.calls.clear();
    await labels.run(words(3, 1), ["multi-label"]);
    for (const name of watched.calls.keys()) used.add(name);
    const steps = (names: Iterable<string>): string[] => [...names].filter((name) => !name.startsWith("matmul")).sort();
    expect(steps(used)).toEqual(steps(watched.exports));
    expect(used.size - steps(used).length).toBe(1); // one product
  });

  it.each(Object.entries(WAYS))("%s: its calls reject with engine-fault, the next answers are identical", async (way, replacement) => {
    const random = seeded(SEED);
    let faults = 0;
    for (const [name, count] of calls) {
      if (count === 0) continue;
      const { instances } = watched;
      watched.replace(name, index(random, count), replacement);
      const error = await failure(answers(encoder));
      expect(error, name).toBeInstanceOf(RootstockError);
      expect((error as RootstockError).code, name).toBe("engine-fault");
      expect((error as RootstockError).message).toMatch(/a kernel stopped: .+ call again/);
      expect(watched.isWaiting, name).toBe(false);
      expect(watched.instances, name).toBe(instances + 1);
      await golden.expectSame();
      faults++;
    }
    expect(faults).toBeGreaterThan(13);
    record("4.3-traps", { way, faults, differences: 0 });
  });

  it("fails the calls of its pass alone; those behind are answered", async () => {
    const expected = await encoder.run(words(17, 3), NAMES);
    // More rows than one pass has: the last calls are in later ones.
    const texts = Array.from({ length: 120 }, () => words(17, 3));
    watched.replace("embed", 0, WAYS["leaves the whole workspace as NaN"]!);
    const outcomes = await Promise.allSettled(texts.map((text) => encoder.run(text, NAMES)));
    const failed = outcomes.filter(({ status }) => status === "rejected").length;
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThan(40);
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") expect(outcome.value).toEqual(expected);
      else expect((outcome.reason as RootstockError).code).toBe("engine-fault");
    }
    await golden.expectSame();
  });

  it("every time does not take the encoder along", async () => {
    for (let i = 0; i < 50; i++) {
      watched.replace("attention", 0, WAYS["traps at once"]!);
      await refuses(encoder.run(words(3, 1), NAMES), "engine-fault", /call again/);
    }
    await golden.expectSame();
  });
});

describe("a kernel that wrote where it must not before it stopped", () => {
  /** Runs off the end of the memory, over all that lies behind the workspace's first row. */
  const runaway: Replacement = (kernel, args) => {
    const [x, residual, , width, ...rest] = args;
    kernel(x!, residual!, 1 << 24, width!, ...rest);
  };

  /** One bit of the first or the last weight. */
  const oneBit = (at: number) => ({ loaded }: Encoder): Replacement => {
    const { start, bytes } = loaded.weights;
    return (_, __, memory) => {
      const weights = new Uint8Array(memory.buffer, start, bytes);
      weights[(at + bytes) % bytes]! ^= 1;
      trap();
    };
  };

  it("over the weights: the encoder is lost, says so to every call, and gives its memory back", async () => {
    for (const replacementFor of [() => runaway, oneBit(0), oneBit(-1)]) {
      const lost = await loadGolden();
      const replacement = replacementFor(lost);
      const waiting = failure(lost.runBatch(Array.from({ length: 200 }, () => ({ text: words(17, 3), tasks: NAMES }))));
      // Of the embeddings, in the first rows: what runs away from there comes to the weights before it comes to the end of the memory.
      watched.replace("layerNorm", 3, replacement);
      const error = await failure(lost.run(words(3, 1), NAMES));
      for (const one of [error, await waiting]) expect(one).toMatchObject({ code: "engine-fault", message: expect.stringMatching(/weights\. Load the encoder again/) as unknown });
      const attempts = [
        () => lost.run("w1", []), () => lost.embed(["w1"]), () => lost.forward([2, 3], null), () => lost.logits([2, 3], NAMES[0]!),
        () => lost.trunk("w1"), () => lost.addAdapter("more", ADAPTERS[0]!.files), () => lost.removeAdapter(NAMES[0]!),
      ]; // prettier-ignore
      for (const attempt of attempts) await refuses(attempt(), "engine-fault", /Load the encoder again/);
      expect(() => lost.info).toThrow(expect.objectContaining({ code: "engine-fault" }));
      lost.dispose();
      await refuses(lost.run("w1", []), "engine-fault", /Load the encoder again/);
      using again = await loadGolden();
      await golden.expectOf(again);
    }
  });

  it("over an adapter: that one is refused until it is added again, wherever the others are", async () => {
    const [damaged, ...others] = NAMES as [string, ...string[]];
    const own = await Golden.of(encoder, others);
    const block = spanOf(encoder, damaged);
    watched.replace("gelu", 0, (_, __, memory) => {
      new Uint8Array(memory.buffer, block.start + block.bytes - 128)[0]! ^= 0x10;
      trap();
    });
    await refuses(encoder.run(words(3, 1), others), "engine-fault", /call again/);
    for (const attempt of [() => encoder.run(words(3, 1), [damaged]), () => encoder.logits([2, 3], damaged), () => encoder.hiddenStates([2, 3], damaged)]) {
      await refuses(attempt(), "engine-fault", /written over the adapter.*replace: true/);
    }
    await own.expectSame();
    // Beside others in one pass it fails its own call alone.
    const outcomes = await Promise.allSettled([[others[0]!], [damaged], [others[1]!]].map((tasks) => encoder.run(words(3, 1), tasks)));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    const { files, labels } = ADAPTERS[0]!;
    await encoder.addAdapter(damaged, files, { labels, replace: true });
    await golden.expectSame();
  });

  it("over adapters that were parked since: they are refused as well, and no others", async () => {
    // Room for the largest alone, or some small ones.
    using other = await loadGolden({ kernel: PRODUCT, adapterBudget: 64 + Math.max(...encoder.info.tasks.map(({ bytes }) => bytes)) });
    const inPool = (): string[] => other.info.tasks.filter(({ resident }) => resident).map(({ name }) => name);
    const written = inPool();
    const { memory } = other.loaded.machine;
    const pool = memory.octets(other.loaded.weights.start + other.loaded.weights.bytes, other.info.memory.adapterBudget);
    for (let at = 0; at < pool.length; at += 64) pool[at]! ^= 0x10;
    const kept = NAMES.filter((name) => !written.includes(name));
    for (const name of kept) await other.run(words(3, 1), [name]);
    expect(inPool()).not.toEqual(expect.arrayContaining(written));
    watched.replace("gelu", 0, () => trap());
    await refuses(other.run(words(3, 1), kept.slice(0, 1)), "engine-fault", /call again/);
    for (const name of written) await refuses(other.run(words(3, 1), [name]), "engine-fault", /written over the adapter/);
    expect(await answers(other, kept)).toEqual(await answers(encoder, kept));
  });

  it("where nothing lies does no harm", async () => {
    using other = await loadGolden({ adapterBudget: 4 << 20 });
    watched.replace("gelu", 0, (_, __, memory) => {
      const { start, bytes } = other.loaded.weights;
      new Uint8Array(memory.buffer, start + bytes + other.info.memory.adapters).fill(0xff);
      trap();
    });
    await refuses(other.run(words(3, 1), NAMES), "engine-fault", /call again/);
    await golden.expectOf(other);
  });
});

/** Where an adapter's block lies: the addresses of its plan are all within. */
function spanOf(of: Encoder, name: string): { start: number; bytes: number } {
  const { pool } = of.loaded;
  const { bytes } = of.info.tasks.find((task) => task.name === name)!;
  // Adapters were added in order to an empty pool.
  let start = of.loaded.weights.start + of.loaded.weights.bytes;
  for (const task of of.info.tasks) {
    if (task.name === name) break;
    start += Math.ceil(task.bytes / 64) * 64;
  }
  expect(pool.used).toBeGreaterThan(0);
  return { start, bytes };
}

describe("a fresh instance that is wrong", () => {
  it("is not served from: its product must pass the self-test again", async () => {
    const lost = await loadGolden({ kernel: PRODUCT });
    watched.replace("gelu", 0, () => {
      watched.replace("matmulFixed", 0, () => undefined);
      trap();
    });
    await refuses(lost.run(words(3, 1), NAMES), "engine-fault", /wrong integers/);
    await refuses(lost.run("w1", []), "engine-fault", /wrong integers/);
  });

  it("or cannot be made, for want of memory: says so", async () => {
    const lost = await loadGolden();
    const wrapped = WebAssembly;
    watched.replace("gelu", 0, () => {
      const Failing = function (): never {
        throw new RangeError("WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance");
      };
      stubWebAssembly("Instance", Failing);
      trap();
    });
    await refuses(lost.run(words(3, 1), NAMES), "no-memory-left", /Out of memory/);
    vi.stubGlobal("WebAssembly", wrapped);
    await refuses(lost.run("w1", []), "no-memory-left", /Out of memory/);
  });
});

describe("at loading", () => {
  it("a product that traps has failed its self-test", async () => {
    for (const way of [trap, overflowStack]) {
      watched.replace("matmulFixed", 0, way);
      await refuses(loadGolden({ kernel: "fixed" }), "engine-fault", /plain SIMD product/);
    }
    watched.replace("matmulFixed", 0, () => undefined);
    await refuses(loadGolden({ kernel: "fixed" }), "engine-fault", /plain SIMD product/);
    await golden.expectSame();
  });
});
