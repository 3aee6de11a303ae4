import { RootstockError } from "../errors.ts";
import type { EncoderInfo } from "../runtime/info.ts";
import type { AdapterOptions, Progress } from "../runtime/options.ts";
import type { PackedAdapter } from "./adapter-files.ts";
import { Member, type Loading } from "./member.ts";
import type { Sent } from "./messages.ts";
import type { Thread } from "./thread.ts";
import { Turns } from "./turns.ts";

/** An adapter that every worker holds. */
export interface HeldAdapter {
  readonly adapter: PackedAdapter;
  readonly options: Sent<AdapterOptions>;
}

/** Parts of lists that one worker holds at once: the next one is there when it ends the first, and no worker hoards. */
const PARTS_AT_ONCE = 2;

/** A worker's time that was set aside; `release` when it has answered. */
export interface Lease {
  readonly member: Member;
  release(): void;
}

interface Waiter {
  readonly size: number;
  readonly isPart: boolean;
  grant(lease: Lease): void;
  refuse(error: unknown): void;
}

/** The workers: keeps their number, gives new ones what the others hold, and says which one is next. */
export class Crew {
  /** By name, in the order they were added. */
  readonly adapters = new Map<string, HeldAdapter>();
  /** Of the worker that last joined or changed. */
  info!: EncoderInfo;
  readonly #loading: Loading;
  readonly #start: () => Thread;
  readonly #live = new Set<Member>();
  readonly #joining = new Set<Member>();
  readonly #changes = new Turns();
  #waiters: Waiter[] = [];
  /** Why the last worker that did not come did not. */
  #failure: unknown = null;
  #disposed: (() => Error) | null = null;

  constructor(loading: Loading, start: () => Thread) {
    this.#loading = loading;
    this.#start = start;
  }

  /** Workers that are there, or on their way. */
  get size(): number {
    return this.#live.size + this.#joining.size;
  }

  /** Starts a worker, which loads the encoder and takes every adapter. */
  async join(onProgress?: (progress: Progress) => void): Promise<void> {
    let thread: Thread | null = null;
    let joining: Member | null = null;
    try {
      thread = this.#startThread();
      const member: Member = new Member(thread, this.#loading.source, () => this.#replace(member), onProgress);
      joining = member;
      this.#joining.add(member);
      const loaded = await member.loadEncoder(this.#loading, onProgress !== undefined);
      // No adapter comes or goes between the last one that it is given and its first call.
      await this.#changes.run("", async () => {
        this.#checkSame(loaded);
        let info = loaded;
        for (const [name, { adapter, options }] of this.adapters) info = await member.addAdapter(name, adapter, options);
        member.throwIfEnded();
        this.#joining.delete(member);
        this.#live.add(member);
        member.isAtWork = true;
        this.info = info;
      });
    } catch (error) {
      this.#failure = error;
      if (joining === null) thread?.terminate();
      else {
        this.#joining.delete(joining);
        joining.end(() => error as Error);
      }
      throw error;
    } finally {
      this.#serve();
    }
  }

  /** A process without room for a thread, or a page whose policy forbids workers, refuses at once. */
  #startThread(): Thread {
    try {
      return this.#start();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new RootstockError("worker-lost", `a worker could not be started: ${reason}`, { cause });
    }
  }

  /** The files of a path may have changed since the others read them. */
  #checkSame({ fingerprint }: EncoderInfo): void {
    if (this.info === undefined || this.info.fingerprint === fingerprint) return;
    throw new RootstockError("digest-mismatch", `the encoder's weights have changed since the pool was loaded: ${fingerprint} and not ${this.info.fingerprint}. Load the pool again.`);
  }

  /** One for one that was at work. A worker that is lost while it loads is not tried again: it would be lost again. */
  #replace(lost: Member): void {
    if (!this.#live.delete(lost)) return;
    // Its failure is kept for the calls that find no worker.
    this.join().catch(() => undefined);
  }

  /**
   * Sets aside the time of the worker with the least to do: at once for a single call, for a part of a list when one has
   * room. Rejects with the load error of the last worker when none is left, and with `stop`'s reason.
   */
  lease(size: number, isPart: boolean, stop: AbortSignal): Promise<Lease> {
    return new Promise((resolve, reject) => {
      stop.throwIfAborted();
      const onStop = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(stop.reason as Error);
      };
      const waiter: Waiter = {
        size,
        isPart,
        grant: (lease) => {
          stop.removeEventListener("abort", onStop);
          resolve(lease);
        },
        refuse: (error) => {
          stop.removeEventListener("abort", onStop);
          reject(error as Error);
        },
      };
      stop.addEventListener("abort", onStop);
      this.#waiters.push(waiter);
      this.#serve();
    });
  }

  /** Runs `work` on all workers at once while no other change runs and no worker joins. */
  async change<T>(stop: AbortSignal, work: (members: readonly Member[]) => Promise<T>): Promise<T> {
    for (;;) {
      (await this.lease(0, false, stop)).release();
      const done = await this.#changes.run("", async () => (this.#live.size === 0 ? null : { value: await work([...this.#live]) }));
      // Otherwise the last one was lost while this waited.
      if (done !== null) return done.value;
    }
  }

  /** Ends every worker; what waits rejects with an error of `reason`'s. */
  dispose(reason: () => Error): void {
    if (this.#disposed !== null) return;
    this.#disposed = reason;
    for (const member of [...this.#live, ...this.#joining]) member.end(reason);
    this.#live.clear();
    this.#joining.clear();
    this.#serve();
  }

  /** Gives waiters their turn, first come, first served. */
  #serve(): void {
    const refusal = this.#refusal();
    this.#waiters = this.#waiters.filter((waiter) => {
      if (refusal !== null) {
        waiter.refuse(refusal());
        return false;
      }
      const member = this.#idlest(waiter.isPart);
      if (member === null) return true;
      waiter.grant(this.#leaseOf(member, waiter));
      return false;
    });
  }

  #refusal(): (() => unknown) | null {
    if (this.#disposed !== null) return this.#disposed;
    return this.size === 0 ? () => this.#failure : null;
  }

  #idlest(isPart: boolean): Member | null {
    let idlest: Member | null = null;
    for (const member of this.#live) {
      if (isPart && member.parts >= PARTS_AT_ONCE) continue;
      if (idlest === null || member.load < idlest.load) idlest = member;
    }
    return idlest;
  }

  #leaseOf(member: Member, { size, isPart }: Waiter): Lease {
    member.load += size;
    if (isPart) member.parts++;
    return {
      member,
      release: () => {
        member.load -= size;
        if (isPart) member.parts--;
        this.#serve();
      },
    };
  }
}
