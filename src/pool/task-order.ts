interface Lane {
  /** The last change of the task that is not finished. */
  change: Promise<unknown> | null;
  /** Calls since that use it. */
  users: Set<Promise<unknown>>;
}

/**
 * Calls share a task, a change has it alone, and they come in the order they were asked for: calls made before a change
 * finish with the old state, those made after it wait and see the new one, on whichever worker they run.
 */
export class TaskOrder {
  readonly #lanes = new Map<string, Lane>();

  use<T>(names: Iterable<string>, work: () => Promise<T>): Promise<T> {
    const lanes = [...new Set(names)].map((name) => [name, this.#lane(name)] as const);
    const done = after(lanes.flatMap(([, { change }]) => change ?? []), work);
    for (const [name, lane] of lanes) {
      lane.users.add(done);
      this.#whenDone(done, name, () => lane.users.delete(done));
    }
    return done;
  }

  change<T>(name: string, work: () => Promise<T>): Promise<T> {
    const lane = this.#lane(name);
    const done = after([...lane.users, ...(lane.change === null ? [] : [lane.change])], work);
    // Whoever waits for this change waits for them through it.
    lane.users = new Set();
    lane.change = done;
    this.#whenDone(done, name, () => {
      if (lane.change === done) lane.change = null;
    });
    return done;
  }

  #lane(name: string): Lane {
    const lane = this.#lanes.get(name) ?? { change: null, users: new Set() };
    this.#lanes.set(name, lane);
    return lane;
  }

  #whenDone(done: Promise<unknown>, name: string, forget: () => void): void {
    const clear = (): void => {
      forget();
      const lane = this.#lanes.get(name);
      if (lane !== undefined && lane.change === null && lane.users.size === 0) this.#lanes.delete(name);
    };
    done.then(clear, clear);
  }
}

/** Runs `work` when all of `before` have ended, in whatever way; at once where there is none. */
function after<T>(before: readonly Promise<unknown>[], work: () => Promise<T>): Promise<T> {
  return before.length === 0 ? work() : Promise.allSettled(before).then(work);
}
