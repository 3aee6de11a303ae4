export type Point = readonly [x: number, y: number];

/** Neighbouring points taken together. */
export interface Bucket {
  /** The middle of its points. */
  readonly x: number;
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** A value that can be drawn: a number, and not so large that differences of two would overflow. */
export function isDrawable(value: number): boolean {
  return Math.abs(value) <= 1e100;
}

/** At most `most` buckets of as many neighbouring points each. Points that cannot be drawn are left out. */
export function buckets(points: readonly Point[], most: number): Bucket[] {
  const drawn = points.filter(([x, y]) => isDrawable(x) && isDrawable(y));
  const size = Math.max(1, Math.ceil(drawn.length / most));
  const found: Bucket[] = [];
  for (let first = 0; first < drawn.length; first += size) {
    const members = drawn.slice(first, first + size);
    const values = members.map(([, y]) => y);
    const mean = values.reduce((sum, y) => sum + y / values.length, 0);
    found.push({ x: (members[0]![0] + members.at(-1)![0]) / 2, mean, least: Math.min(...values), most: Math.max(...values) });
  }
  return found;
}
