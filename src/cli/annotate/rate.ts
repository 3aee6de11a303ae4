import { clock, grouped } from "../print-table.ts";

/** How fast a run is, and how much is left of it. */
export class Rate {
  readonly #started = performance.now();
  readonly #fraction: () => number | null;
  #first: { readonly at: number; readonly fraction: number } | null = null;
  #rows = 0;

  /** @param fraction share of the input that has been read */
  constructor(fraction: () => number | null) {
    this.#fraction = fraction;
  }

  /** Rows that were done since the last call. */
  add(rows: number): void {
    this.#rows += rows;
    // Not from the start on: a run that goes on passes over what is done in no time.
    this.#first ??= { at: performance.now(), fraction: this.#fraction() ?? 0 };
  }

  /** "1,024 rows, 512 rows/s, 25 %, 0:06 left" */
  progress(total: number): string {
    const fraction = this.#fraction();
    const parts = [`${grouped(total)} rows`, this.perSecond()];
    if (fraction !== null) {
      parts.push(`${Math.floor(fraction * 100)} %`);
      const { at, fraction: before } = this.#first ?? { at: 0, fraction: 1 };
      if (fraction > before) parts.push(`${clock((((performance.now() - at) / 1000) * (1 - fraction)) / (fraction - before))} left`);
    }
    return parts.join(", ");
  }

  perSecond(): string {
    const seconds = (performance.now() - this.#started) / 1000;
    return `${grouped(Math.round(this.#rows / Math.max(seconds, 1e-3)))} rows/s`;
  }
}
