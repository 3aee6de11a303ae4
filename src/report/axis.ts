import { isDrawable } from "./buckets.ts";

/** A range of values and the round values in it that are named. */
export interface Axis {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
}

/** Zero belongs to an axis when it is this near, in ranges of the values: a curve that falls to 0.1 is read against 0. */
const ZERO_WITHIN = 0.6;

/**
 * An axis whose ends are round.
 *
 * @param values those that can be drawn count
 * @param most named values, about
 * @param limits which no end passes, such as 0 and 1 for a share
 */
export function roundAxis(values: Iterable<number>, most: number, limits: readonly [number, number] = [-Infinity, Infinity]): Axis {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (!isDrawable(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  if (min > max) [min, max] = [0, 1];
  if (min > 0 && min <= ZERO_WITHIN * (max - min)) min = 0;
  if (max < 0 && -max <= ZERO_WITHIN * (max - min)) max = 0;
  // One value, or several that float64 can hardly keep apart.
  const least = Math.max(Math.abs(max) * 1e-6, 1e-9);
  if (max - min < least) {
    const room = max === 0 ? 1 : Math.max(Math.abs(max) * 0.1, least);
    min -= room;
    max += room;
  }
  const step = roundStep((max - min) / most);
  min = Math.max(Math.floor(min / step + 1e-9) * step, limits[0]);
  max = Math.min(Math.ceil(max / step - 1e-9) * step, limits[1]);
  return { min, max, ticks: ticksWithin(min, max, step) };
}

/** An axis of counts, steps for one, from 0 to the last: its end is named, and round values before it. */
export function countAxis(last: number, most: number): Axis {
  const max = Math.max(last, 1);
  const step = Math.max(1, roundStep(max / most));
  // A named value next to the end would touch its name.
  return { min: 0, max, ticks: [...ticksWithin(0, max, step).filter((tick) => max - tick > step / 2), max] };
}

function ticksWithin(min: number, max: number, step: number): number[] {
  const ticks: number[] = [];
  for (let index = Math.ceil(min / step - 1e-9); index * step <= max + step * 1e-9; index++) ticks.push(Number((index * step).toPrecision(12)));
  return ticks;
}

/** The next of 1, 2, 5 × 10^n. */
function roundStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  const share = atLeast / power;
  return (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10) * power;
}
