import { RootstockError } from "../errors.ts";
import type { Adapter, AdapterStore } from "../model/adapter-store.ts";
import type { Machine, Steps } from "../run/forward.ts";
import { rowsOf, runPass, type PassText, type TrunkState } from "../run/pass.ts";
import { Call, engineFault, type TextWork, type Work, type WorkBranch } from "./call.ts";
import { Pace } from "./event-loop.ts";

/** A pass under way: its steps, and the calls that it works for, once a text. */
interface Pass {
  readonly steps: Steps;
  readonly calls: readonly Call[];
}

/**
 * Runs calls in the order they were made, their texts together: a pass takes texts from the front of the queue, of as many
 * calls as it has rows for. The event loop turns every 8 ms; an aborted call leaves at such a turn, and a pass whose calls
 * have all left stops there.
 */
export class WorkQueue {
  readonly #machine: Machine;
  readonly #store: AdapterStore;
  readonly #limit: number;
  readonly #calls: Call[] = [];
  #isRunning = false;

  constructor(machine: Machine, store: AdapterStore, limit: number) {
    this.#machine = machine;
    this.#store = store;
    this.#limit = limit;
  }

  /** A place in the queue; give it work, or fail it. @throws RootstockError `queue-full`, and the signal's reason. */
  enter(signal: AbortSignal | undefined): Call {
    signal?.throwIfAborted();
    if (this.#calls.length >= this.#limit) this.#forgetOver();
    if (this.#calls.length >= this.#limit) {
      throw new RootstockError("queue-full", `${this.#limit} calls are under way already, the most this encoder takes. Wait for some, or load it with a larger queueLimit.`);
    }
    const call = new Call(signal);
    this.#calls.push(call);
    return call;
  }

  /** Gives a call its work and waits until it is done. */
  async run(call: Call, work: Work): Promise<void> {
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
    await othersToCall();
    const pace = new Pace();
    for (;;) {
      this.#forgetOver();
      const head = this.#calls[0];
      if (head === undefined) break;
      if (!head.isReady) {
        await head.whenReady();
        pace.restart();
      } else await this.#run(this.#nextPass(head), pace);
      if (pace.isDue) await pace.turn();
    }
    this.#isRunning = false;
  }

  async #run({ steps, calls }: Pass, pace: Pace): Promise<void> {
    try {
      while (steps.next().done !== true) {
        if (!pace.isDue) continue;
        await pace.turn();
        if (calls.every((call) => call.isOver)) steps.return();
      }
      for (const call of calls) call.passed();
    } catch (error) {
      const reason = engineFault(error);
      for (const call of calls) call.fail(reason);
    } finally {
      this.#store.release();
    }
    await othersToCall();
  }

  #forgetOver(): void {
    for (let i = this.#calls.length - 1; i >= 0; i--) if (this.#calls[i]!.isOver) this.#calls.splice(i, 1);
  }

  #nextPass(head: Call): Pass {
    if (head.sole !== null) return this.#solePass(head);
    const texts: PassText[] = [];
    const calls: Call[] = [];
    let rows = this.#machine.work.rows;
    for (const call of this.#calls) {
      if (!call.isReady || call.sole !== null) break;
      let isFull = false;
      if (call.texts.length === 0) {
        call.join();
        calls.push(call);
      }
      while (!isFull && call.texts.length > 0) {
        const text = this.#takeFrom(call, rows);
        if (text === null) isFull = true;
        else {
          texts.push(text);
          calls.push(call);
          rows -= rowsOf(text, this.#machine.plan.config.layers);
        }
      }
      if (isFull) break;
    }
    if (calls.length === 0) return this.#refuse(head);
    if (texts.length === 0) return { steps: nothing(), calls };
    return { steps: runPass(this.#machine, texts), calls };
  }

  #solePass(call: Call): Pass {
    const { adapter } = call.sole!;
    if (!this.#store.hold(new Set(adapter === null ? [] : [adapter]))) return this.#refuse(call);
    return { steps: call.takeSole().run(this.#machine), calls: [call] };
  }

  #refuse(call: Call): Pass {
    call.fail(new RootstockError("no-memory-left", "the engine gives no memory for an adapter of this call. Free memory, or remove adapters."));
    return { steps: nothing(), calls: [] };
  }

  /**
   * As many branches of the call's next text as there is room for; null when there is room for none. Where some are left
   * for a later pass its trunk is kept for them, alone if need be.
   */
  #takeFrom(call: Call, rows: number): PassText | null {
    const { layers } = this.#machine.plan.config;
    const [text] = call.texts as [TextWork];
    const branches = [...text.branches].sort((a, b) => firstLayerOf(a, layers) - firstLayerOf(b, layers));
    const most = this.#residentBranches(branches);
    for (const keepsTrunk of [true, false]) {
      for (let count = most; count >= 0; count--) {
        const rest = branches.slice(count);
        const trunk = text.trunk ?? (keepsTrunk ? trunkFor(rest, layers) : undefined);
        const isProgress = count > 0 || (trunk !== undefined && trunk.rows === null);
        const taken = branches.slice(0, count);
        if (isProgress && rowsOf({ ids: text.ids, branches: taken, trunk }, layers) <= rows) return call.take(taken, rest, trunk);
      }
    }
    return null;
  }

  /** How many of the branches have their adapters in the pool together, beside those of the pass. */
  #residentBranches(branches: readonly WorkBranch[]): number {
    const index = branches.findIndex(({ adapter }) => adapter !== null && !this.#store.hold(new Set<Adapter>([adapter])));
    return index < 0 ? branches.length : index;
  }
}

function firstLayerOf({ adapter }: WorkBranch, layers: number): number {
  return Math.min(adapter?.plan.firstLayer ?? layers, layers);
}

/** Where the trunk is kept for branches that come in a later pass; nowhere when one of them begins at the embeddings. */
function trunkFor(rest: readonly WorkBranch[], layers: number): TrunkState | undefined {
  if (rest.length === 0) return undefined;
  const depth = Math.min(firstLayerOf(rest[0]!, layers), layers - 1);
  return depth < 0 ? undefined : { depth, rows: null };
}

/** Calls made together, or by those who waited for the last pass, share a pass: they are a few microtasks away. */
async function othersToCall(): Promise<void> {
  for (let i = 0; i < 8; i++) await Promise.resolve();
}

function* nothing(): Steps {}
