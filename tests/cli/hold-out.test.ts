import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holdOut } from "../../src/cli/train/hold-out.ts";

const row = fc.record({ text: fc.integer({ min: 0, max: 60 }).map((n) => `text ${n}`), label: fc.constantFrom("a", "b", "c", "d") });

describe("rows that are held out", () => {
  it("are a tenth at most, share no text with the others, and leave every label its row", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 120 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (rows, seed) => {
        const held = holdOut(rows, seed);
        expect(held.size).toBeLessThanOrEqual(Math.floor(rows.length / 10));
        const [inside, outside] = [rows.filter((_, index) => held.has(index)), rows.filter((_, index) => !held.has(index))];
        const texts = new Set(outside.map(({ text }) => text));
        expect(inside.filter(({ text }) => texts.has(text))).toEqual([]);
        expect(new Set(outside.map(({ label }) => label))).toEqual(new Set(rows.map(({ label }) => label)));
        expect(holdOut(rows, seed)).toEqual(held);
      }),
    );
  });

  it("are a tenth where texts and labels allow it, of all forms of rows", () => {
    const forms = [
      (n: number) => ({ text: `text ${n}`, label: n % 2 ? "a" : "b" }),
      (n: number) => ({ text: `text ${n}`, labels: ["a", `b${n % 3}`] }),
      (n: number) => ({ tokens: ["text", String(n)], tags: ["O", n % 2 ? "B-a" : "B-b"] }),
      (n: number) => ({ text: `text ${n}`, spans: [{ start: 0, end: 4, label: n % 2 ? "a" : "b" }] }),
    ];
    for (const form of forms) {
      const rows = Array.from({ length: 205 }, (_, n) => form(n));
      expect(holdOut(rows, 1).size).toBe(20);
      expect(holdOut(rows, 1)).not.toEqual(holdOut(rows, 2));
    }
  });

  it("never have the last row of a label, in whatever form it stands", () => {
    for (const only of [{ label: "x" }, { labels: ["x"] }, { tags: ["B-x"] }, { spans: [{ label: "x" }] }]) {
      const rows = Array.from({ length: 20 }, (_, n) => ({ text: `text ${n}`, ...(n === 7 ? only : {}) }));
      for (let seed = 0; seed < 60; seed++) expect(holdOut(rows, seed).has(7)).toBe(false);
    }
  });

  it("may be of no form at all: training will refuse them", () => {
    const rows = [null, 1, "a", [], {}, { text: 1, labels: 2, tags: [3], spans: [null, 4] }, ...Array.from({ length: 20 }, () => null)];
    expect(holdOut(rows, 1).size).toBe(2);
  });
});
