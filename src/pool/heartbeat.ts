/** Time between two beats. */
const BEAT_MS = 1000;
/** Beats without an answer until a worker counts as lost: no step between two turns of the event loop takes that long. */
const MISSED_BEATS = 15;

/**
 * Finds out that a worker has gone where the platform does not tell. It counts beats, not seconds: a page that was put to
 * sleep beats no more, and its workers slept as well.
 */
export class Heartbeat {
  readonly #ping: () => Promise<unknown>;
  readonly #lost: () => void;
  readonly #beatMs: number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #missed = 0;

  constructor(ping: () => Promise<unknown>, lost: () => void, beatMs = BEAT_MS) {
    this.#ping = ping;
    this.#lost = lost;
    this.#beatMs = beatMs;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#missed = 0;
    this.#timer = setInterval(() => this.#beat(), this.#beatMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    if (++this.#missed > MISSED_BEATS) {
      this.stop();
      this.#lost();
      return;
    }
    // A call that fails because the worker ended needs no word here.
    this.#ping().then(() => (this.#missed = 0), () => undefined);
  }
}
