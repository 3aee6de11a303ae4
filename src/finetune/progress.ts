import type { TrainingProgress } from "./types.ts";

/** How long what takes; for progress, and never for what is computed. */
export class Stopwatch {
  readonly #begin = performance.now();
  #trainSeconds = 0;
  #trainTokens = 0;
  #updates = 0;
  #devSeconds = 0;
  #evaluations = 0;

  /** Seconds since it was made. */
  get seconds(): number {
    return (performance.now() - this.#begin) / 1000;
  }

  updated(seconds: number, tokens: number): void {
    this.#trainSeconds += seconds;
    this.#trainTokens += tokens;
    this.#updates++;
  }

  evaluated(seconds: number): void {
    this.#devSeconds += seconds;
    this.#evaluations++;
  }

  /** Tokens a second in updates, and seconds that so many updates and evaluations would take; 0 while nothing is known. */
  estimate(updates: number, evaluations: number): Pick<TrainingProgress, "tokensPerSecond" | "secondsLeft"> {
    const each = (seconds: number, times: number): number => (times === 0 ? 0 : seconds / times);
    return {
      tokensPerSecond: each(this.#trainTokens, this.#trainSeconds),
      secondsLeft: updates * each(this.#trainSeconds, this.#updates) + evaluations * each(this.#devSeconds, this.#evaluations),
    };
  }
}
