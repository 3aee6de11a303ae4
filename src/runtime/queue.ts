import { RootstockError } from "../errors.ts";
import type { AdapterStore } from "../model/adapter-store.ts";
import type { Machine, Steps } from "../run/forward.ts";
import { rowsOf, runPass } from "../run/pass.ts";
import type { PassText, TrunkState } from "../run/pass-text.ts";
import { faultOf } from "../wasm/fault.ts";
import { AbortListeners } from "./abort-listeners.ts";
import { Call, type SoleWork, type TextWork, type WorkBranch } from "./call.ts";
import type { Pace } from "./event-loop.ts";
import type { Recover } from "./recovery.ts";

/**
 * Rows of a pass while other calls wait, unless one text has more. All calls of a pass are answered at its end, so a full workspace lets the
 * first of them wait for the last: at 70 % of capacity p99 falls from 60 to 54 ms. Linear layers go 24 rows at a time, so nothing is
 * lost by it: 200 calls at once take 0.96 to 1.00 of the time of one batch.
 */
const SHARED_PASS_ROWS = 96;

/** A pass under way: its steps, and the calls that it works for, once for everything it took of them. */
interface Pass {
  readonly steps: Steps;
  readonly calls: readonly Call[];
}

/**
 * Runs calls in the order they were made, their texts together: a pass takes texts from the front of the queue, of as many
 * calls as it has rows for, `SHARED_PASS_ROWS` where others wait. The event loop turns every 8 ms; an aborted call leaves at such a turn, and a pass whose calls
 * have all left stops there.
 */
export class WorkQueue {
  readonly #machine: Machine;
  readonly #store: AdapterStore;
  readonly #pace: Pace;
  readonly #limit: number;
  readonly #recover: Recover;
  readonly #signals = new AbortListeners();
  #calls: Call[] = [];
  #isRunning = false;

  constructor(machine: Machine, store: AdapterStore, pace: Pace, limit: number, recover: Recover) {
    this.#machine = machine;
    this.#store = store;
    this.#pace = pace;
    this.#limit = limit;
    this.#recover = recover;
  }

  /**
   * A place in the queue; give it work, or fail it.
   * @param isLimited false: however many there are; for those who never have more than one
   * @throws RootstockError `queue-full`, and the signal's reason
   */
  enter(signal: AbortSignal | undefined, isLimited = true): Call {
    signal?.throwIfAborted();
    // Nothing was under way: the event loop had its turns.
    if (this.#calls.length === 0) this.#pace.restart();
    if (this.#calls.length >= this.#limit) this.#forgetOver();
    if (isLimited && this.#calls.length >= this.#limit) {
      throw new RootstockError("queue-full", `${this.#limit} calls are under way already, the most this encoder takes. Wait for some, or load it with a larger queueLimit.`);
    }
    const call = new Call(signal, this.#signals);
    this.#calls.push(call);
    return call;
  }

  /** Gives a call its work and waits until it is done. */
  run(call: Call, work: TextWork[] | SoleWork): Promise<void> {
    call.give(work);
    if (!this.#isRunning) {
      this.#isRunning = true;
      void this.#work();
    }
    return call.done;
  }

  /** Ends every call that is under way. */
  close(reason: unknown): void {
    for (const call of this.#calls) call.fail(reason);
  }

  async #work(): Promise<void> {
    for (;;) {
      await othersToCall();
      this.#forgetOver();
      const head = this.#calls[0];
      if (head === undefined) break;
      if (head.isReady) await this.#run(head);
      else await head.whenReady();
      if (this.#pace.isDue) await this.#pace.turn();
    }
    this.#isRunning = false;
  }

  async #run(head: Call): Promise<void> {
    let calls: readonly Call[] = [];
    try {
      const pass = this.#nextPass(head);
      calls = pass.calls;
      while (pass.steps.next().done !== true) {
        if (!this.#pace.isDue) continue;
        await this.#pace.turn();
        if (calls.every((call) => call.isOver)) pass.steps.return();
      }
      for (const call of calls) call.passed();
    } catch (error) {
      const reason = this.#recover(error);
      for (const call of calls) call.fail(reason);
    } finally {
      this.#store.release();
    }
  }

  #forgetOver(): void {
    this.#calls = this.#calls.filter((call) => !call.isOver);
  }

  #nextPass(head: Call): Pass {
    if (head.sole !== null) return this.#solePass(head, head.sole);
    const { work, plan } = this.#machine;
    const texts: PassText[] = [];
    const calls: Call[] = [];
    let rows = work.rows;
    // The least that may be left: a pass for one call alone may fill the workspace.
    const left = this.#calls.length > 1 ? Math.max(0, work.rows - SHARED_PASS_ROWS) : 0;
    for (const call of this.#calls) {
      if (!call.isReady || call.sole !== null) break;
      if (call.text === null) {
        call.join();
        calls.push(call);
      }
      try {
        while (call.text !== null) {
          if (texts.length > 0 && rows - widestOf(call.text) < left) break;
          const text = this.#takeFrom(call, call.text, rows);
          if (text === null) break;
          texts.push(text);
          calls.push(call);
          rows -= rowsOf(text, plan.config.layers);
        }
        if (call.text !== null) break;
      } catch (error) {
        // Its adapter could not be brought in. What the pass has of it already runs for nobody, and the others are not held up.
        call.fail(faultOf(error, "Please report it."));
      }
    }
    if (head.text !== null && calls.length === 0) head.fail(noRoom());
    return { steps: texts.length === 0 ? nothing() : runPass(this.#machine, texts), calls };
  }

  #solePass(call: Call, { adapter }: SoleWork): Pass {
    try {
      if (adapter !== null && !this.#store.hold(adapter)) throw noRoom();
    } catch (error) {
      call.fail(faultOf(error, "Please report it."));
      return { steps: nothing(), calls: [] };
    }
    return { steps: call.takeSole().run(this.#machine), calls: [call] };
  }

  /**
   * As many branches of a call's next text as there is room for; null when there is room for none. Where some are left
   * for a later pass its trunk is kept for them, alone if there are rows for no more.
   */
  #takeFrom(call: Call, { ids, branches, trunk: given }: TextWork, rows: number): PassText | null {
    const { layers } = this.#machine.plan.config;
    const copies = Math.floor(rows / ids.length);
    let own = 0;
    let isShared = branches.length === 0;
    let best: { readonly count: number; readonly trunk: TrunkState | undefined } | null = null;
    for (let count = 0; own + (isShared ? 1 : 0) <= copies; count++) {
      const next = branches[count];
      const trunk = given ?? trunkFor(next, layers);
      const isMade = trunk !== undefined && trunk.rows === null;
      if (own + (isShared || isMade ? 1 : 0) <= copies && (count > 0 || isMade)) best = { count, trunk };
      if (next === undefined) break;
      if (own + 1 > copies || !this.#holds(next)) {
        if (count === 0) return null;
        break;
      }
      if (firstLayerOf(next, layers) < layers) own++;
      else isShared = true;
    }
    if (best !== null) return call.take(best.count, best.trunk);
    // No room for the trunk beside the rows of one branch: that branch alone, and the others from the embeddings again.
    return copies > 0 ? call.take(1, undefined) : null;
  }

  #holds({ adapter }: WorkBranch): boolean {
    return adapter === null || this.#store.hold(adapter);
  }
}

/** Calls made together, or by those who waited for the last pass, share a pass: they are a few microtasks away. */
async function othersToCall(): Promise<void> {
  for (let i = 0; i < 8; i++) await Promise.resolve();
}

function* nothing(): Steps {}

export function firstLayerOf({ adapter }: WorkBranch, layers: number): number {
  return Math.min(adapter?.plan.firstLayer ?? layers, layers);
}

/** Where the trunk is kept for branches from `next` on, in a later pass; nowhere when that begins at the embeddings. */
function trunkFor(next: WorkBranch | undefined, layers: number): TrunkState | undefined {
  if (next === undefined) return undefined;
  const depth = Math.min(firstLayerOf(next, layers), layers - 1);
  return depth < 0 ? undefined : { depth, rows: null };
}

/** Rows of a text at most: once for each of its branches. Those beyond one pass are a matter of `#takeFrom`. */
function widestOf({ ids, branches }: TextWork): number {
  return ids.length * Math.max(1, branches.length);
}

function noRoom(): RootstockError {
  return new RootstockError("no-memory-left", "the engine gives no more memory for the adapters of this call. Free memory, or remove adapters.");
}
