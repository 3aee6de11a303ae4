import { describe, expect, it } from "vitest";
import { add, align, elementCount, multiply } from "../../../src/format/sizes.ts";
import { record } from "../../reliability/record.ts";
import { outcome } from "./crafted.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const BOUNDARY = [0, 1, 2 ** 24 - 1, 2 ** 24, 2 ** 24 + 1, 2 ** 31, 2 ** 32, 2 ** 52, MAX - 1, MAX];
const BAD = [-1, 0.5, -0, MAX + 1, 2 ** 53 + 2, Number.NaN, Infinity, -Infinity];

/** Exact, in whole numbers of any size. */
function exact(run: () => number, expected: bigint): void {
  if (expected > BigInt(MAX)) expect(outcome(run)).toBe("limit-exceeded");
  else expect(BigInt(run())).toBe(expected);
}

describe("checked sizes", () => {
  it("multiplies and adds exactly or refuses, over the boundary table", () => {
    for (const a of BOUNDARY) {
      for (const b of BOUNDARY) {
        exact(() => multiply(a, b, "t"), BigInt(a) * BigInt(b));
        exact(() => add(a, b, "t"), BigInt(a) + BigInt(b));
      }
    }
    record("F6", { "operands of the table": BOUNDARY.length, "wrong results": 0 });
  });

  it("aligns exactly or refuses, wrap-around included", () => {
    for (const size of BOUNDARY) {
      for (const alignment of [1, 2, 3, 8, 64, 2 ** 24]) {
        const steps = (BigInt(size) + BigInt(alignment) - 1n) / BigInt(alignment);
        exact(() => align(size, alignment, "t"), steps * BigInt(alignment));
      }
    }
    expect(outcome(() => align(8, 0, "t"))).toBe("limit-exceeded");
    expect(outcome(() => align(MAX, 64, "t"))).toBe("limit-exceeded");
  });

  it("refuses operands that are no sizes, on either side", () => {
    for (const bad of BAD) {
      for (const run of [() => multiply(bad, 1, "t"), () => multiply(1, bad, "t"), () => multiply(bad, 0, "t"), () => add(bad, 1, "t"), () => add(1, bad, "t"), () => align(bad, 8, "t"), () => align(8, bad, "t")]) {
        expect(outcome(run)).toBe("limit-exceeded");
      }
    }
  });

  it("counts elements", () => {
    expect(elementCount([], "t")).toBe(1);
    expect(elementCount([3, 4, 5], "t")).toBe(60);
    expect(elementCount([3, 0, 5], "t")).toBe(0);
    expect(outcome(() => elementCount([2 ** 24, 2 ** 24, 2 ** 24, 2 ** 24], "t"))).toBe("limit-exceeded");
  });
});
