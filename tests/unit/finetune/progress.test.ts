import { afterEach, expect, it, vi } from "vitest";
import { Stopwatch } from "../../../src/finetune/progress.ts";

afterEach(() => vi.restoreAllMocks());

it("a stopwatch tells tokens a second, and the time that updates and evaluations to come take at the pace of those made", () => {
  const watch = new Stopwatch();
  expect(watch.estimate(10, 2)).toEqual({ tokensPerSecond: 0, secondsLeft: 0 });
  watch.updated(1, 100);
  watch.updated(3, 500);
  expect(watch.estimate(10, 2)).toEqual({ tokensPerSecond: 150, secondsLeft: 10 * 2 });
  watch.evaluated(4);
  watch.evaluated(2);
  expect(watch.estimate(10, 2)).toEqual({ tokensPerSecond: 150, secondsLeft: 10 * 2 + 2 * 3 });
  expect(watch.estimate(0, 0)).toEqual({ tokensPerSecond: 150, secondsLeft: 0 });
});

it("a stopwatch counts the seconds since it was made", () => {
  let now = 7000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const watch = new Stopwatch();
  now += 2500;
  expect(watch.seconds).toBe(2.5);
});
