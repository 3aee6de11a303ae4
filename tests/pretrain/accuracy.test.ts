// The share of a batch's first texts that are nearest to their own partner, as an update records it.
import { describe, expect, it } from "vitest";
import type { UpdateBatch } from "../../src/pretrain/batch.ts";
import { cosine } from "../encoder/cosine.ts";
import { config } from "../train/fixture.ts";
import { BATCH, startTrainer } from "./golden-trainer.ts";

type Pairs = NonNullable<UpdateBatch["tc"]>;

async function update(tc: Pairs) {
  const trainer = await startTrainer();
  const { record: { accuracy } } = await trainer.update({ ner: null, tc });
  const units = trainer.machine.memory.floats(trainer.plan.pairs!.units, 2 * tc.length * config.hidden);
  const unit = (row: number): Float32Array => units.subarray(row * config.hidden, (row + 1) * config.hidden);
  return { accuracy, cosines: tc.map((_, text) => tc.map((__, partner) => cosine(unit(text), unit(tc.length + partner)))) };
}

describe("the accuracy of an update's pairs", () => {
  it("is the share of texts whose own partner has the largest cosine", async () => {
    // Two of five are their own partners.
    const { accuracy, cosines } = await update(BATCH.tc.map(({ a, b }, i) => ({ a, b: i % 3 === 0 ? a : b })));
    const found = cosines.filter((row, i) => Math.max(...row) === row[i]).length;
    expect([found > 0, found < 5, accuracy]).toEqual([true, true, found / 5]);
  });

  it("counts no partner against a text that is in both pairs", async () => {
    const [{ a, b }, { b: other }] = BATCH.tc as readonly [Pairs[number], Pairs[number]];
    const { accuracy, cosines } = await update([{ a, b }, { a, b: other }]);
    expect(cosines[0]![0]).not.toBe(cosines[0]![1]);
    expect(accuracy).toBe(1);
  });
});
