/** One listener a signal, however many calls share it: Node warns of a leak from the eleventh on. */
export class AbortListeners {
  readonly #waiting = new WeakMap<AbortSignal, { readonly listeners: Set<(reason: unknown) => void>; readonly stop: () => void }>();

  add(signal: AbortSignal, listener: (reason: unknown) => void): void {
    const known = this.#waiting.get(signal);
    if (known !== undefined) {
      known.listeners.add(listener);
      return;
    }
    const listeners = new Set([listener]);
    const onAbort = (): void => {
      for (const one of listeners) one(signal.reason);
    };
    signal.addEventListener("abort", onAbort);
    this.#waiting.set(signal, { listeners, stop: () => signal.removeEventListener("abort", onAbort) });
  }

  remove(signal: AbortSignal, listener: (reason: unknown) => void): void {
    const known = this.#waiting.get(signal);
    if (known === undefined) return;
    known.listeners.delete(listener);
    if (known.listeners.size > 0) return;
    known.stop();
    this.#waiting.delete(signal);
  }
}
