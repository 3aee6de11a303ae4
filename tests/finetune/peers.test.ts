import { describe, expect, it } from "vitest";
import { trainAdapter, type Peers, type TrainingOptions } from "../../src/finetune/index.ts";
import { shareOf } from "../../src/train/peers.ts";
import { labelledRows, MemoryStore, multiRows, taggedRows, tinyEncoder, TOY } from "./fixture.ts";

/** Peers in one thread: each waits until all have brought their values. */
function peersOf(size: number): Peers[] {
  const round = () => {
    let resolve!: (sums: Float32Array) => void;
    const promise = new Promise<Float32Array>((done) => (resolve = done));
    return { brought: [] as Float32Array[], promise, resolve };
  };
  let now = round();
  return Array.from({ length: size }, (_, rank) => ({
    rank, size,
    async sum(values: Float32Array): Promise<void> {
      const own = now;
      own.brought[rank] = values.slice();
      if (own.brought.filter(Boolean).length === size) {
        now = round();
        const [sums, ...others] = own.brought as [Float32Array, ...Float32Array[]];
        for (const other of others) other.forEach((value, i) => (sums[i]! += value));
        own.resolve(sums);
      }
      values.set(await own.promise);
    },
  }));
}

describe("peers", () => {
  it("share a batch's passes out in the order of ranks, all of them, none twice", () => {
    for (const parts of [0, 1, 2, 5, 17]) {
      for (const size of [1, 2, 3, 7]) {
        const shares = Array.from({ length: size }, (_, rank) => shareOf({ rank, size }, parts));
        expect(shares.flatMap(([first, end]) => Array.from({ length: end - first }, (_, i) => first + i))).toEqual(Array.from({ length: parts }, (_, i) => i));
      }
    }
  });

  it.each<[string, unknown[], TrainingOptions]>([
    ["classes", labelledRows(72), {}],
    ["entities, with dropout", taggedRows(72), { dropout: 0.1, loraDropout: 0.1, learningRate: 5e-3 }],
    ["labels", multiRows(72), {}],
  ])("end with the same adapter, which is as good as one's own: %s", async (_, rows, options) => {
    const all = { ...TOY, epochs: 8, batchSize: 72, learningRate: 2e-2, ...options };
    const stores = [new MemoryStore(), new MemoryStore()];
    const reports = [0, 0];
    const data = { name: "task", train: rows, dev: rows.slice(0, 40) };
    const [first, second] = await Promise.all(peersOf(2).map(async (peers, rank) =>
      trainAdapter(await tinyEncoder(), data, { ...all, peers, checkpoint: stores[rank], onProgress: () => void reports[rank]!++ }),
    ));
    expect(second!.files.get("adapter_model.safetensors")).toEqual(first!.files.get("adapter_model.safetensors"));
    expect({ ...second!.history, seconds: 0 }).toEqual({ ...first!.history, seconds: 0 });
    expect([stores[0]!.blobs.length, stores[1]!.blobs.length, reports[1]]).toEqual([8, 0, 0]);
    const alone = await trainAdapter(await tinyEncoder(), data, all);
    // Only the order of sums differs, and what dropout drops: draws are numbered by pass.
    const gap = options.dropout === undefined ? 1e-4 : 0.05;
    for (const [i, { loss }] of alone.history.steps.slice(0, 3).entries()) expect(Math.abs(first!.history.steps[i]!.loss - loss)).toBeLessThan(gap);
    expect(first!.history.best!.metric).toBeGreaterThanOrEqual(alone.history.best!.metric - 0.1);
  });
});
