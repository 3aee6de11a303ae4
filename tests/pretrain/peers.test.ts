import { describe, expect, it } from "vitest";
import type { StepRecord } from "../../src/pretrain/types.ts";
import type { Peers } from "../../src/train/peers.ts";
import { relativeGap } from "../kernels/gradients.ts";
import { BATCH, gradientsOf, startTrainer, valuesOf } from "./golden-trainer.ts";

/** Peers of one thread: who comes to a sum waits for all; then the values of all are added in the order of ranks. */
function fakePeers(size: number): Peers[] {
  let waiting: { values: Float32Array; done: () => void }[] = new Array<never>(size);
  let arrived = 0;
  return Array.from({ length: size }, (_, rank) => ({
    rank, size,
    sum: (values) =>
      new Promise<void>((done) => {
        waiting[rank] = { values, done };
        if (++arrived < size) return;
        const sums = waiting[0]!.values.map((_value, i) => waiting.reduce((total, { values: own }) => Math.fround(total + own[i]!), 0));
        const all = waiting;
        [waiting, arrived] = [new Array<never>(size), 0];
        for (const { values: own, done: go } of all) {
          own.set(sums);
          go();
        }
      }),
  }));
}

const REGIMES = ["task-primary", "pcgrad", "groups-only", "shared-group"] as const;

describe.each(REGIMES)("peers, %s", (regime) => {
  it.each([2, 3])("%i of them make the updates of one, and hold the same bits", async (size) => {
    const change = { regime, probe: { every: 2 } };
    const alone = await startTrainer(change);
    const several = await Promise.all(fakePeers(size).map((peers) => startTrainer(change, { peers })));
    for (let step = 0; step < 3; step++) {
      const want = await alone.update(BATCH);
      const got = await Promise.all(several.map((trainer) => trainer.update(BATCH)));
      for (const { record, probe } of got) {
        expect(record).toEqual(got[0]!.record);
        expect(probe).toEqual(got[0]!.probe);
        for (const key of ["ner", "tc", "gradientNorm"] satisfies (keyof StepRecord)[]) expect(record[key]! / want.record[key]!, key).toBeCloseTo(1, 4);
        expect(record.accuracy).toBe(want.record.accuracy);
        for (const [i, part] of (want.probe ?? []).entries()) expect(probe![i]!.cosine, part.part).toBeCloseTo(part.cosine, 4);
      }
      if (step === 0) {
        const [one, whole] = [gradientsOf(several[0]!), gradientsOf(alone)];
        for (const [name, values] of whole) if (!name.endsWith("key.bias")) expect(relativeGap(one.get(name)!, values), name).toBeLessThan(2e-5);
      }
    }
    for (const trainer of several.slice(1)) expect(valuesOf(trainer)).toEqual(valuesOf(several[0]!));
  });
});

it("passes that do not hold a batch give its gradients all the same, alone and among peers", async () => {
  const settings = { passRows: 14, clip: null };
  const [whole, alone, ...both] = await Promise.all([startTrainer({ clip: null }), startTrainer(settings), ...fakePeers(2).map((peers) => startTrainer(settings, { peers }))]);
  const updates = await Promise.all([whole!, alone!, ...both].map((trainer) => trainer.update(BATCH)));
  for (const { record } of updates) expect(record.tc).toBeCloseTo(updates[0]!.record.tc!, 5);
  for (const trainer of [alone!, ...both]) {
    const got = gradientsOf(trainer);
    for (const [name, values] of gradientsOf(whole!)) if (!name.endsWith("key.bias")) expect(relativeGap(got.get(name)!, values), name).toBeLessThan(2e-5);
  }
});

it("means of gradients are the same among peers", async () => {
  const batches = [[BATCH], [{ ner: BATCH.ner.toReversed(), tc: BATCH.tc.slice(1) }]] as const;
  const alone = await (await startTrainer()).probeMeans(batches);
  const got = await Promise.all((await Promise.all(fakePeers(2).map((peers) => startTrainer({}, { peers })))).map((trainer) => trainer.probeMeans(batches)));
  for (const parts of got) for (const [i, part] of alone.entries()) for (const key of ["cosine", "ratio", "ner", "tc"] as const) expect(parts[i]![key]!, `${part.part} ${key}`).toBeCloseTo(part[key]!, 4);
});
