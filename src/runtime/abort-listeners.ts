type Listener = (reason: unknown) => void;

/** Who listens to one signal. */
interface Shared {
  readonly listeners: Set<Listener>;
  readonly tell: () => void;
}

/** One listener a signal, however many calls share it: Node warns of a leak from the eleventh on. */
export class AbortListeners {
  readonly #shared = new WeakMap<AbortSignal, Shared>();

  /** @returns what ends it; the last to end takes ours off the signal, which may live long */
  listen(signal: AbortSignal | null | undefined, listener: Listener): () => void {
    if (signal == null) return () => undefined;
    const shared: Shared = this.#shared.get(signal) ?? {
      listeners: new Set(),
      tell: () => {
        for (const one of shared.listeners) one(signal.reason);
      },
    };
    this.#shared.set(signal, shared);
    shared.listeners.add(listener);
    // The same function again is no second listener.
    signal.addEventListener("abort", shared.tell);
    return () => {
      shared.listeners.delete(listener);
      if (shared.listeners.size === 0) signal.removeEventListener("abort", shared.tell);
    };
  }
}
