import { describe, expect, it } from "vitest";
import { cutPasses } from "../../src/train/pass.ts";
import { cutByTokens } from "../../src/train/peers.ts";
import { BatchOrder, type WeightedRow } from "../../src/pretrain/order.ts";

const lengthOf = (row: number): number => 3 + ((row * 7919) % 40);
const rowsOf = (...sources: readonly (readonly [count: number, weight: number])[]): WeightedRow[] =>
  sources.flatMap(([count, weight]) => {
    const source = { weight };
    return Array.from({ length: count }, () => ({ source }));
  });
const batches = (order: BatchOrder, from: number, count: number): number[][] => Array.from({ length: count }, (_, i) => [...order.batch(from + i)]);

describe("the order of rows", () => {
  const rows = rowsOf([1000, 1]);
  const make = (seed = 1, batchSize = 8, family: "ner" | "tc" = "ner"): BatchOrder => new BatchOrder(rows, { family, seed, batchSize }, lengthOf);

  it("takes every row once an epoch, and another order in the next", () => {
    const order = make();
    expect(order.perEpoch).toBe(125);
    const [first, second] = [batches(order, 0, 125), batches(order, 125, 125)];
    for (const epoch of [first, second]) expect(epoch.flat().toSorted((a, b) => a - b)).toEqual(rows.map((_, i) => i));
    expect(second).not.toEqual(first);
  });

  it("is the same for a seed from wherever it is asked, and another for another seed or family", () => {
    const all = batches(make(), 0, 300);
    expect(batches(make(), 260, 40)).toEqual(all.slice(260));
    const back = make();
    expect(batches(back, 200, 1)).toEqual(all.slice(200, 201));
    expect(batches(back, 3, 1)).toEqual(all.slice(3, 4));
    expect(batches(make(2), 0, 10)).not.toEqual(all.slice(0, 10));
    expect(batches(make(1, 8, "tc"), 0, 10)).not.toEqual(all.slice(0, 10));
  });

  it("puts rows of like lengths together, batches of all lengths in between", () => {
    const spread = batches(make(), 0, 125).map((batch) => Math.max(...batch.map(lengthOf)) - Math.min(...batch.map(lengthOf)));
    expect(spread.reduce((sum, value) => sum + value, 0) / 125).toBeLessThan(3); // at random it is 31
    const firsts = batches(make(), 0, 20).map(([row]) => lengthOf(row!));
    expect(firsts).not.toEqual(firsts.toSorted((a, b) => a - b));
  });

  it("draws by weight: ½ every second row, 2½ two or three times, 0 never", () => {
    const mixed = rowsOf([400, 0.5], [100, 2.5], [100, 0], [150, 1]);
    const order = new BatchOrder(mixed, { family: "tc", seed: 3, batchSize: 5 }, lengthOf);
    expect(order.perEpoch).toBe((200 + 250 + 150) / 5);
    const counts = new Array<number>(mixed.length).fill(0);
    for (const row of batches(order, 0, order.perEpoch).flat()) counts[row]!++;
    const found = (from: number, to: number): Set<number> => new Set(counts.slice(from, to));
    expect([...found(0, 400)].toSorted()).toEqual([0, 1]);
    expect([...found(400, 500)].toSorted()).toEqual([2, 3]);
    expect([...found(500, 600)]).toEqual([0]);
    expect([...found(600, 750)]).toEqual([1]);
  });

  it("asks no length of a row that is far from its turn", () => {
    const asked = new Set<number>();
    const order = new BatchOrder(rows, { family: "ner", seed: 1, batchSize: 4 }, (row) => (asked.add(row), lengthOf(row)));
    order.batch(0);
    expect(asked.size).toBe(200);
  });

  it("refuses fewer rows than a batch", () => {
    expect(() => make(1, 1001)).toThrow(expect.objectContaining({ code: "data-invalid" }));
  });
});

describe("parts of a batch", () => {
  it("are runs of about the same number of tokens, and cover it", () => {
    expect(cutByTokens([10, 10, 10, 10], 2)).toEqual([0, 2, 4]);
    expect(cutByTokens([30, 5, 5, 5, 5, 10], 2)).toEqual([0, 1, 6]);
    expect(cutByTokens([4, 4], 1)).toEqual([0, 2]);
    expect(cutByTokens([4], 3)).toEqual([0, 1, 1, 1]);
    expect(cutByTokens([], 2)).toEqual([0, 0, 0]);
  });

  it("go in passes that hold them", () => {
    expect(cutPasses([3, 3, 3, 3, 3], 0, 5, 7)).toEqual([[0, 2], [2, 4], [4, 5]]);
    expect(cutPasses([3, 3, 3, 3, 3], 1, 4, 100)).toEqual([[1, 4]]);
    expect(cutPasses([9, 1], 0, 2, 9)).toEqual([[0, 1], [1, 2]]);
    expect(cutPasses([3], 1, 1, 9)).toEqual([]);
  });
});
