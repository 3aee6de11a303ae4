import { located } from "../errors.ts";
import type { Adapter } from "../model/adapter-store.ts";
import type { Machine, Steps } from "../run/forward.ts";
import type { Branch, PassText, TrunkState } from "../run/pass-text.ts";
import type { AbortListeners } from "./abort-listeners.ts";
import type { Task } from "./task.ts";

/** A branch whose adapter moves between the pool and the heap. */
export interface WorkBranch extends Branch {
  readonly adapter: Adapter | null;
}

/** A text with its adapters: what passes are made of. A pass may take some of its branches and leave the rest. */
export interface TextWork extends PassText {
  /** By first layer. */
  readonly branches: readonly WorkBranch[];
}

/** Work that needs the workspace for itself. */
export interface SoleWork {
  readonly adapter: Adapter | null;
  run(m: Machine): Steps;
}

/**
 * One call on its way through the queue. It takes its place at once and its work when that is ready; it settles once:
 * finished, failed, or aborted.
 */
export class Call {
  readonly done: Promise<void>;
  readonly #unlisten: () => void;
  #resolve!: () => void;
  #reject!: (reason: unknown) => void;
  #onReady: (() => void) | null = null;
  #texts: TextWork[] = [];
  /** Texts before this one have been taken. */
  #next = 0;
  #sole: SoleWork | null = null;
  #isReady = false;
  #isOver = false;
  /** Passes under way that have something of this call. */
  #open = 0;

  constructor(signal: AbortSignal | undefined, listeners: AbortListeners) {
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever made the call hears of it; a call that fails before it is waited for is no unhandled rejection.
    this.done.catch(() => undefined);
    this.#unlisten = listeners.listen(signal, (reason) => this.fail(reason));
  }

  /** Rejects when the call fails, and never resolves. */
  failed(): Promise<never> {
    return this.done.then(() => new Promise<never>(() => undefined));
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The first text with branches that no pass has taken yet. */
  get text(): TextWork | null {
    return this.#texts[this.#next] ?? null;
  }

  get sole(): SoleWork | null {
    return this.#sole;
  }

  /** Resolves when its work is there, or it is over. */
  whenReady(): Promise<void> {
    return this.#isReady || this.#isOver ? Promise.resolve() : new Promise((resolve) => (this.#onReady = resolve));
  }

  give(work: TextWork[] | SoleWork): void {
    if (this.#isOver) return;
    this.#isReady = true;
    if ("run" in work) this.#sole = work;
    else this.#texts = work;
    this.#onReady?.();
  }

  /** Takes the first `count` branches of `text`; the rest stay, with the trunk kept for them. */
  take(count: number, trunk: TrunkState | undefined): PassText {
    const { ids, mask, branches } = this.text!;
    // What was taken is let go of: its outputs hang on it, of a long list more than the call's own results.
    if (count === branches.length) delete this.#texts[this.#next++];
    else this.#texts[this.#next] = { ids, mask, branches: branches.slice(count), trunk };
    this.#open++;
    return { ids, mask, branches: branches.slice(0, count), trunk };
  }

  takeSole(): SoleWork {
    const work = this.#sole!;
    this.#sole = null;
    this.#open++;
    return work;
  }

  /** Goes along with a pass that it has no text for, to end in its turn. */
  join(): void {
    this.#open++;
  }

  /** A pass has finished something that it took. */
  passed(): void {
    this.#open--;
    if (this.#open === 0 && this.text === null && this.#sole === null && this.#end()) this.#resolve();
  }

  fail(error: unknown): void {
    if (this.#end()) this.#reject(error);
  }

  /** `fail`, with the task's name in front. */
  failIn(task: Task | null): (error: unknown) => void {
    return (error) => this.fail(task === null ? error : located(error, `task "${task.name}"`));
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#texts = [];
    this.#sole = null;
    this.#unlisten();
    this.#onReady?.();
    return true;
  }
}
