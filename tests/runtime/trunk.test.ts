import { describe, expect, it, vi } from "vitest";
import type { Encoder, RunOptions } from "../../src/index.ts";
import { TrunkCache } from "../../src/runtime/trunk-cache.ts";
import { loadOdd, ODD_ADAPTERS, words } from "./bert-odd.ts";
import { refuses } from "./refuses.ts";

const NAMES = ODD_ADAPTERS.map(({ name }) => name);
const ALL: RunOptions = { topK: null, ignoreLabels: [] };
const TEXT = words(14, 2);

const firstLayer = (encoder: Encoder, name: string): number => encoder.info.tasks.find((task) => task.name === name)!.firstLayer;

describe("a trunk as a value", () => {
  it("gives every task the bits that the text gives, those that change layers below it too", async () => {
    using encoder = await loadOdd();
    for (const tasks of [["layers-to-transform"], ["all-linear"], NAMES]) {
      using trunk = await encoder.trunk(TEXT, { tasks });
      expect(trunk.text).toBe(TEXT);
      expect(trunk.depth).toBe(Math.max(0, Math.min(...tasks.map((name) => firstLayer(encoder, name)))));
      expect(trunk.bytes).toBe(16 * encoder.info.hidden * 4);
      expect(await encoder.run(trunk, NAMES, ALL)).toEqual(await encoder.run(TEXT, NAMES, ALL));
      const [mixed, other] = await encoder.runBatch([{ trunk, tasks: NAMES.slice(0, 4) }, { text: words(9, 1), tasks: NAMES }], ALL);
      expect(mixed).toEqual(await encoder.run(TEXT, NAMES.slice(0, 4), ALL));
      expect(other).toEqual(await encoder.run(words(9, 1), NAMES, ALL));
    }
  });

  it("ends by default before the first layer that is changed above the first one; without tasks the last layer is left", async () => {
    using encoder = await loadOdd({}, ODD_ADAPTERS.filter(({ name }) => ["layers-to-transform", "embedding", "all-linear"].includes(name)));
    expect(firstLayer(encoder, "layers-to-transform")).toBe(1);
    expect((await encoder.trunk(TEXT)).depth).toBe(1);
    for (const name of encoder.info.tasks.map((task) => task.name)) await encoder.removeAdapter(name);
    expect((await encoder.trunk(TEXT)).depth).toBe(encoder.info.layers - 1);
  });

  it("of a text in windows holds them all", async () => {
    using encoder = await loadOdd();
    const long = words(60, 1);
    using trunk = await encoder.trunk(long, { stride: 5, tasks: ["layers-to-transform"] });
    expect(await encoder.run(trunk, NAMES, ALL)).toEqual(await encoder.run(long, NAMES, { ...ALL, stride: 5 }));
  });

  it("is refused after dispose, by another encoder, and when it is none", async () => {
    using encoder = await loadOdd();
    using other = await loadOdd();
    const trunk = await encoder.trunk(TEXT);
    await refuses(other.run(trunk, ["all-linear"]), "argument-invalid", /another encoder/);
    await refuses(encoder.runBatch([{ trunk: {} as never, tasks: [] }]), "argument-invalid", /trunk\(\)/);
    await refuses(encoder.runBatch([{ trunk, text: "w1", tasks: [] } as never]), "argument-invalid", /not both/);
    trunk.dispose();
    trunk.dispose();
    expect(trunk.bytes).toBe(0);
    await refuses(encoder.run(trunk, ["all-linear"]), "disposed", /trunk/);
    await refuses(encoder.trunk("  "), "text-empty", /empty/);
    // Options of texts are checked once a call, whatever texts it has.
    using kept = await encoder.trunk(TEXT);
    for (const options of [{ overflow: "bogus" }, { stride: -7 }, { maxTokens: "x" }] as never[]) {
      for (const call of [encoder.run(kept, [], options), encoder.runBatch([], options), encoder.embed([], options)]) await refuses(call, "argument-invalid", /^(overflow|stride|maxTokens) is/);
    }
    await refuses(encoder.trunk(7 as never), "argument-invalid", /string/);
    for (const tasks of ["a", 5, {}]) await refuses(encoder.trunk(TEXT, { tasks: tasks as never }), "argument-invalid", /tasks/);
    await refuses(encoder.trunk(TEXT, { tasks: ["nobody"] }), "task-unknown", /nobody/);
  });
});

describe("the trunk cache", () => {
  it("makes no more trunks in one call than it holds", async () => {
    const row = (await loadOdd({}, [])).info.hidden * 4;
    using encoder = await loadOdd({ trunkCacheBytes: 40 * row });
    const set = vi.spyOn(TrunkCache.prototype, "set");
    const texts = Array.from({ length: 100 }, (_, i) => words(8, i));
    await encoder.runBatch(texts.map((text) => ({ text, tasks: ["layers-to-transform"] })), ALL);
    const made = set.mock.calls.reduce((sum, [, { rows }]) => sum + rows!.byteLength, 0);
    set.mockRestore();
    expect([made > 0, made <= 40 * row]).toEqual([true, true]);
  });

  it("is off by default, changes no bit, and holds no more than it is given", async () => {
    using plain = await loadOdd();
    const row = plain.info.hidden * 4;
    using encoder = await loadOdd({ trunkCacheBytes: 40 * row });
    expect(plain.info.memory.trunkCache).toBe(0);
    const texts = [words(14, 2), words(9, 1), words(14, 2), words(3, 5), words(16, 7), words(9, 1)];
    for (const tasks of [["layers-to-transform"], NAMES, ["all-linear", "layers-to-transform"], ["embedding"], []]) {
      for (const text of texts) {
        expect(await encoder.run(text, tasks, ALL)).toEqual(await plain.run(text, tasks, ALL));
        expect(encoder.info.memory.trunkCache).toBeLessThanOrEqual(40 * row);
      }
      expect(await encoder.runBatch(texts.map((text) => ({ text, tasks })), ALL)).toEqual(await plain.runBatch(texts.map((text) => ({ text, tasks })), ALL));
    }
    expect(encoder.info.memory.trunkCache).toBeGreaterThan(0);
    expect(plain.info.memory.trunkCache).toBe(0);
  });

  it("keeps the texts used last", async () => {
    using encoder = await loadOdd({ trunkCacheBytes: 1 });
    await encoder.run(TEXT, ["layers-to-transform"]);
    expect(encoder.info.memory.trunkCache).toBe(0); // larger than the whole cache
    const row = encoder.info.hidden * 4;
    using larger = await loadOdd({ trunkCacheBytes: 33 * row });
    for (const [text, rows] of [[words(14, 1), 16], [words(14, 2), 32], [words(14, 1), 32], [words(4, 3), 22], [words(4, 3), 22]] as const) {
      await larger.run(text, ["layers-to-transform"]);
      expect(larger.info.memory.trunkCache).toBe(rows * row);
    }
  });

  it("is refused a size that is none", async () => {
    await refuses(loadOdd({ trunkCacheBytes: -1 }), "argument-invalid", /trunkCacheBytes/);
  });
});
