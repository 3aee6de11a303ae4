import { RootstockError } from "../errors.ts";
import type { Adapter } from "../model/adapter-store.ts";
import type { Machine, Steps } from "../run/forward.ts";
import type { Branch, PassText, TrunkState } from "../run/pass.ts";

/** A branch whose adapter moves between the pool and the heap. */
export interface WorkBranch extends Branch {
  readonly adapter: Adapter | null;
}

/** A text with its adapters: what passes are made of. A pass may take some of its branches and leave the rest. */
export interface TextWork extends PassText {
  readonly branches: readonly WorkBranch[];
}

/** Work that needs the workspace for itself. */
export interface SoleWork {
  readonly adapter: Adapter | null;
  run(m: Machine): Steps;
}

export type Work = readonly TextWork[] | SoleWork;

/**
 * One call on its way through the queue. It takes its place at once and its work when that is ready; it settles once:
 * finished, failed, or aborted.
 */
export class Call {
  readonly signal: AbortSignal | undefined;
  readonly #done: Promise<void>;
  #resolve!: () => void;
  #reject!: (reason: unknown) => void;
  #onReady: (() => void) | null = null;
  #left: TextWork[] = [];
  #sole: SoleWork | null = null;
  #isReady = false;
  #isOver = false;
  /** Branches and texts that passes have not finished. */
  #open = 0;

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal;
    this.#done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever made the call hears of it; a call that fails before it is waited for is no unhandled rejection.
    this.#done.catch(() => undefined);
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  get done(): Promise<void> {
    return this.#done;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Texts whose branches no pass has taken yet, in order. */
  get texts(): readonly TextWork[] {
    return this.#left;
  }

  get sole(): SoleWork | null {
    return this.#sole;
  }

  /** Resolves when its work is there, or it is over. */
  whenReady(): Promise<void> {
    return this.#isReady || this.#isOver ? Promise.resolve() : new Promise((resolve) => (this.#onReady = resolve));
  }

  give(work: Work): void {
    this.#isReady = true;
    if ("run" in work) this.#sole = work;
    else this.#left = [...work];
    this.#onReady?.();
  }

  /** Takes some branches of the first text that is left; the rest stays, with the trunk kept for it. */
  take(branches: readonly WorkBranch[], rest: readonly WorkBranch[], trunk: TrunkState | undefined): PassText {
    const { ids, mask } = this.#left[0]!;
    if (rest.length === 0) this.#left.shift();
    else this.#left[0] = { ids, mask, branches: rest, trunk };
    this.#open++;
    return { ids, mask, branches, trunk };
  }

  /** Goes along with a pass that it has no text for, to end in its turn. */
  join(): void {
    this.#open++;
  }

  /** A pass has finished a text that it took. */
  passed(): void {
    this.#open--;
    if (this.#open === 0 && this.#left.length === 0) this.finish();
  }

  takeSole(): SoleWork {
    const work = this.#sole!;
    this.#sole = null;
    this.#open++;
    return work;
  }

  finish(): void {
    if (this.#end()) this.#resolve();
  }

  fail(error: unknown): void {
    if (this.#end()) this.#reject(error);
  }

  readonly #abort = (): void => this.fail(this.signal!.reason);

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#left = [];
    this.#sole = null;
    this.signal?.removeEventListener("abort", this.#abort);
    this.#onReady?.();
    return true;
  }
}

/** A kernel that traps leaves the pass unfinished. */
export function engineFault(cause: unknown): unknown {
  if (!(cause instanceof WebAssembly.RuntimeError)) return cause;
  return new RootstockError("engine-fault", `a kernel stopped: ${cause.message}. Load the encoder again; please report it.`, { cause });
}
