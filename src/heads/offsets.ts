/** Anything with a half-open range of a text. */
export interface TextRange {
  start: number;
  end: number;
}

/**
 * The same items with `start` and `end` counted in Unicode code points, as Python counts, instead of UTF-16 units.
 * One pass over the text up to the last end, whatever the number of items. A surrogate without its partner counts as
 * one code point, as in Python; a position between two partners counts the pair as begun.
 */
export function toCodePoints<T extends TextRange>(text: string, items: readonly T[]): T[] {
  let last = 0;
  for (const item of items) last = Math.max(last, item.end);
  const pointsBefore = new Uint32Array(last + 1);
  let points = 0;
  for (let unit = 0; unit < last; ) {
    const units = text.codePointAt(unit)! > 0xffff ? 2 : 1;
    points++;
    for (let step = 1; step <= units && unit + step <= last; step++) pointsBefore[unit + step] = points;
    unit += units;
  }
  return items.map((item) => ({ ...item, start: pointsBefore[item.start]!, end: pointsBefore[item.end]! }));
}
