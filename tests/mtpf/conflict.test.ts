import { expect, test } from "vitest";
import { benchModule } from "./modules.ts";

const { conflictOf } = await benchModule("conflict");
const { conflictTable } = await benchModule("conflict-table");

const probe = (batches: number, cosine: number, ratio: number, within: number | null): object =>
  ({ step: 10, batches, parts: ["layer 0", "layers"].map((part) => ({ part, cosine, ratio, ner: within, tc: within })) });
const of = (regime: string, probes: readonly object[]): object => ({ header: { regime, pretraining: { conflict: conflictOf({ probes }) } } });

test("the conflict of a run is told part by part, single batches apart from means", () => {
  const [single, , means] = conflictOf({ probes: [probe(1, -0.25, 0.25, null), probe(1, 0.5, 0.5, null), probe(1, -0.25, 2, null), probe(8, 0.125, 1, 0.75)] });
  expect(single).toMatchObject({ part: "layer 0", batches: 1, probes: 3, cosine: 0, ratio: 0.5, ner: null });
  expect(single.negative).toBeCloseTo(2 / 3, 4);
  expect(means).toMatchObject({ batches: 8, probes: 1, cosine: 0.125, spread: 0, negative: 0, ner: 0.75, tc: 0.75 });
});

test("runs of a regime are pooled as if their probes were of one; of other configurations the layers as a whole stand alone", () => {
  const [first, second] = [[probe(1, -0.5, 0.25, null), probe(1, 0.25, 0.25, null)], [probe(1, 0.5, 0.75, null), probe(1, 0.75, 0.75, null)]];
  const lines = conflictTable([of("naive", first), of("naive", second), of("task-primary-r16", first)]) as string[];
  const [{ cosine, spread, negative }] = conflictOf({ probes: [...first, ...second] });
  const figures = `1 | 4 | ${cosine.toFixed(3)} ± ${spread.toFixed(3)} | ${negative.toFixed(2)} | 0.50 |`;
  expect(lines).toEqual([
    "| regime | part | batches | probes | cosine | negative | norm NER/TC |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    `| naive | layer 0 | ${figures}`, `| naive | layers | ${figures}`, "| task-primary-r16 | layers | 1 | 2 | −0.125 ± 0.530 | 0.50 | 0.25 |",
    "", "Furthest from 0 of these mean cosines: 0.250 (naive, layer 0). NER's gradient is 0.25 to 0.50 times as long as TC's.",
  ]);
});

test("agreement within a family has its columns where a run knows it", () => {
  const lines = conflictTable([of("naive", [probe(1, 0.25, 1, null), probe(8, 0.125, 1, 0.75)])]) as string[];
  expect(lines[0]).toBe("| regime | part | batches | probes | cosine | negative | norm NER/TC | NER with NER | TC with TC |");
  expect(lines).toContain("| naive | layer 0 | 8 | 1 | 0.125 ± 0.000 | 0.00 | 1.00 | 0.750 | 0.750 |");
  expect(conflictTable([{ header: { regime: "none", pretraining: null } }])).toEqual(["No run with gradient probes is written."]);
});
