import { expect } from "vitest";

/** Largest absolute difference of two arrays of one length. */
export function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let gap = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    // NaN compares false with everything, so it must not pass for a small gap.
    if (!(difference <= gap)) gap = difference;
  }
  return gap;
}

/** Labels for a golden head, which names none. */
export function someLabels(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `L${index}`);
}
