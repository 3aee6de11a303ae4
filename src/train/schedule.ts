/** A learning rate's share of its peak at an update. @param step updates made before it, from 0 */
export type Schedule = (step: number) => number;

export const SCHEDULES = ["linear", "cosine", "constant"] as const;
export type ScheduleName = (typeof SCHEDULES)[number];

export interface ScheduleOptions {
  /** Updates in all. */
  readonly steps: number;
  /** Updates over which the rate rises from 0; default 0. */
  readonly warmup?: number;
}

/** Up to 1 over the warm-up, then evenly down to 0 (transformers' `get_linear_schedule_with_warmup`). */
export function linearSchedule({ steps, warmup = 0 }: ScheduleOptions): Schedule {
  return (step) => (step < warmup ? step / Math.max(1, warmup) : Math.max(0, (steps - step) / Math.max(1, steps - warmup)));
}

/** Taylor's series to x²², which is below 2e-17: every engine rounds it alike, and `Math.cos` is left to the engine. @param x 0 to π/2 */
function cosine(x: number): number {
  let sum = 1;
  for (let k = 22; k > 0; k -= 2) sum = 1 - ((x * x) / (k * (k - 1))) * sum;
  return sum;
}

/** Up to 1 over the warm-up, then along half a cosine down to 0 (`get_cosine_schedule_with_warmup`). */
export function cosineSchedule({ steps, warmup = 0 }: ScheduleOptions): Schedule {
  return (step) => {
    if (step < warmup) return step / Math.max(1, warmup);
    const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
    // (1 + cos 2x)/2 = cos² x.
    const root = cosine((Math.PI / 2) * progress);
    return root * root;
  };
}

/** Up to 1 over the warm-up, then constant. */
export function constantSchedule({ warmup = 0 }: Pick<ScheduleOptions, "warmup">): Schedule {
  return (step) => Math.min(1, warmup === 0 ? 1 : step / warmup);
}

/** @param warmup share of all updates over which the rate rises */
export function scheduleOf(name: ScheduleName, warmup: number, steps: number): Schedule {
  const options = { steps, warmup: Math.round(warmup * steps) };
  return { linear: linearSchedule, cosine: cosineSchedule, constant: constantSchedule }[name](options);
}
