import { describe, expect, it } from "vitest";
// @ts-expect-error an example of plain JavaScript
import { holdOut, whyNot } from "../../examples/browser/teach/check-rows.js";

interface Row {
  readonly text: string;
  readonly label: string;
  readonly spans: readonly { readonly label: string }[];
  readonly problem: null;
}

const hold = holdOut as (kind: "labels" | "spans", rows: readonly Row[]) => { readonly train: number[]; readonly dev: number[] };
const row = (index: number, label: string, spans: readonly string[] = []): Row => ({ text: `text ${index}`, label, spans: spans.map((name) => ({ label: name })), problem: null });

describe("the rows that the demo holds out", () => {
  it.each<[string, "labels" | "spans", readonly Row[], number]>([
    ["a fifth, of each label its share", "labels", Array.from({ length: 30 }, (_, i) => row(i, "abc"[i % 3]!)), 6],
    ["one, of four labels with two rows each", "labels", Array.from({ length: 8 }, (_, i) => row(i, "abcd"[i % 4]!)), 1],
    ["one, of entities whose sets of labels are all rare", "spans", Array.from({ length: 8 }, (_, i) => row(i, "", [`kind ${i}`])), 1],
  ])("%s", (_, kind, rows, count) => {
    expect((whyNot as (kind: string, rows: readonly Row[]) => string | null)(kind, rows)).toBeNull();
    const { train, dev } = hold(kind, rows);
    expect(dev).toHaveLength(count);
    expect([...train, ...dev].sort((a, b) => a - b)).toEqual([...rows.keys()]);
    if (kind === "labels") expect(new Set(train.map((index) => rows[index]!.label))).toEqual(new Set(rows.map(({ label }) => label)));
  });
});
