/**
 * Work before a turn of the event loop is due. With the step that is under way then, 1 to 2 ms, it comes within 8 ms: half a
 * frame, so that a page keeps answering.
 */
const TURN_AFTER_MS = 6;

/**
 * workerd runs each request in a context of its own, and drops one that waits for nothing but another's work. A pass that
 * let the loop turn could take up another request's call, and never come back when its own request has ended. Without
 * turns every call is done within its request. (In production the clock stands still during work, so none was ever due.)
 */
const TURNS = (globalThis as { readonly navigator?: { readonly userAgent?: string } }).navigator?.userAgent !== "Cloudflare-Workers";

interface Host {
  readonly scheduler?: { readonly postTask?: (callback: () => void) => Promise<void> };
  readonly setImmediate?: (callback: () => void) => unknown;
  readonly MessageChannel?: typeof MessageChannel;
}

/**
 * Lets the event loop turn once: timers, input, messages and network get their chance. `setTimeout` alone would cost browsers 4 ms. Not
 * `scheduler.yield`: Chromium goes on after it before it hands a worker its messages, however long they have waited (11 s of training).
 */
function turn(): Promise<void> {
  const host = globalThis as Host;
  if (host.scheduler?.postTask !== undefined) return host.scheduler.postTask(() => undefined);
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
    return TURNS && performance.now() - this.#since >= TURN_AFTER_MS;
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
