import fc from "fast-check";
import { expect, test } from "vitest";
import { toCodePoints } from "../../../src/heads/offsets.ts";

test("items in any order, fields kept, input unchanged", () => {
  const items = [
    { start: 3, end: 4, label: "b" },
    { start: 0, end: 3, label: "a😀" },
  ];
  expect(toCodePoints("a😀b", items)).toEqual([
    { start: 2, end: 3, label: "b" },
    { start: 0, end: 2, label: "a😀" },
  ]);
  expect(items[0]!.start).toBe(3);
  expect(toCodePoints("", [])).toEqual([]);
});

test("every position equals the number of code points before it, lone surrogates too", () => {
  const unit = fc.constantFrom("a", "é", "\ud83d", "\ude00", "😀");
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 12 }), (units) => {
      const text = units.join("");
      for (let at = 0; at <= text.length; at++) {
        const [item] = toCodePoints(text, [{ start: at, end: text.length }]);
        expect(item!.start).toBe(Array.from(text.slice(0, at)).length);
        expect(item!.end).toBe(Array.from(text).length);
      }
    }),
  );
});

test("a megabyte of text with many items takes one pass", () => {
  const text = "😀".repeat(500_000);
  const items = Array.from({ length: 100_000 }, (_, index) => ({ start: index * 10, end: index * 10 + 2 }));
  const converted = toCodePoints(text, items);
  // A pass for each item would be 5 * 10^10 steps: minutes, beyond the test's own limit.
  expect(converted.at(-1)).toEqual({ start: 499_995, end: 499_996 });
});
