/** Work between two turns of the event loop: half a frame, so that a page keeps answering. */
const TURN_AFTER_MS = 8;

interface Host {
  readonly scheduler?: { readonly yield?: () => Promise<void> };
  readonly setImmediate?: (callback: () => void) => unknown;
  readonly MessageChannel?: typeof MessageChannel;
}

/** Lets the event loop turn once: timers, input and network get their chance. `setTimeout` alone would cost browsers 4 ms. */
function turn(): Promise<void> {
  const host = globalThis as Host;
  if (host.scheduler?.yield !== undefined) return host.scheduler.yield();
  return new Promise((resolve) => {
    if (host.setImmediate !== undefined) host.setImmediate(resolve);
    else if (host.MessageChannel !== undefined) {
      const { port1, port2 } = new host.MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    } else setTimeout(resolve, 0);
  });
}

/** When the event loop is to turn, for everything that one encoder does: passes, and texts that are encoded. */
export class Pace {
  #since = performance.now();
  #last: Promise<void> = Promise.resolve();

  get isDue(): boolean {
    return performance.now() - this.#since >= TURN_AFTER_MS;
  }

  /** The event loop has turned by itself. */
  restart(): void {
    this.#since = performance.now();
  }

  /** Waits for a turn. Whoever else waits gets another one, so that two never go on in the same. */
  turn(): Promise<void> {
    this.#last = this.#last.then(turn).then(() => this.restart());
    return this.#last;
  }
}
