import { RootstockError } from "../errors.ts";
import { checksum, checksumOf } from "../wasm/checksum.ts";
import type { Address } from "../wasm/kernels.ts";
import type { LinearMemory } from "../wasm/memory.ts";
import type { AdapterPool } from "../wasm/pool.ts";
import type { AdapterNumbers } from "./adapter.ts";
import { movedPlan } from "./moved-plan.ts";
import type { AdapterPlan } from "./slot.ts";

/** An adapter of an encoder. Its addresses hold while it is in the pool; everything else of its plan never changes. */
export interface Adapter {
  readonly plan: AdapterPlan;
  readonly bytes: number;
  readonly isResident: boolean;
}

interface Entry extends Adapter {
  plan: AdapterPlan;
  isResident: boolean;
  start: Address;
  /** Its numbers while it is parked. */
  parked: Uint8Array | null;
  /** Of its numbers, wherever they are. */
  readonly checksum: number;
  /** A kernel that stopped had written over it. */
  isDamaged: boolean;
}

/**
 * The adapters of an encoder: in the pool of linear memory while its budget lasts. Beyond it, those used longest ago are
 * parked on the JavaScript heap; one copy brings them back (0.1 ms for 1 MB).
 */
export class AdapterStore {
  readonly #memory: LinearMemory;
  readonly #pool: AdapterPool;
  /** The one used longest ago first. */
  readonly #entries = new Set<Entry>();
  readonly #held = new Set<Entry>();
  /** Removed while a pass still read them: an aborted call leaves its rows in the pass. */
  readonly #doomed = new Set<Entry>();

  constructor(memory: LinearMemory, pool: AdapterPool) {
    this.#memory = memory;
    this.#pool = pool;
  }

  /** Bytes on the heap. */
  get parkedBytes(): number {
    let bytes = 0;
    for (const entry of this.#entries) bytes += entry.parked?.length ?? 0;
    return bytes;
  }

  /** @throws RootstockError `no-memory-left` when it is larger than the whole budget, or the engine refuses the memory. */
  add({ plan, bytes, write }: AdapterNumbers): Adapter {
    if (bytes > this.#pool.budget) throw overBudget(bytes, this.#pool.budget);
    const start = this.#make(bytes);
    // A running pass may need all the room there is.
    const parked = start === null ? new Uint8Array(bytes) : null;
    const numbers = parked ?? this.#memory.octets(start!, bytes);
    write(numbers);
    const entry: Entry = { plan, bytes, isResident: false, start: 0, parked, checksum: checksumOf(words(numbers)), isDamaged: false };
    if (start !== null) this.#settle(entry, start);
    this.#entries.add(entry);
    return entry;
  }

  /**
   * Brings an adapter in beside those held already, and holds it too, as the one used last.
   * @returns false when there is no room for it beside those
   * @throws RootstockError `engine-fault` when its numbers were damaged
   */
  hold(adapter: Adapter): boolean {
    const entry = adapter as Entry;
    if (this.#held.has(entry)) return true;
    if (entry.isDamaged) throw damaged();
    if (!entry.isResident) {
      const start = this.#make(entry.bytes);
      if (start === null) return false;
      this.#memory.octets(start, entry.bytes).set(entry.parked!);
      this.#forgetParked(entry);
      this.#settle(entry, start);
    }
    this.#entries.delete(entry);
    this.#entries.add(entry);
    this.#held.add(entry);
    return true;
  }

  /** Ends what `hold` began. */
  release(): void {
    this.#held.clear();
    for (const entry of this.#doomed) this.#free(entry);
    this.#doomed.clear();
  }

  /** Forgets an adapter that no call uses; its memory is zeroed. */
  remove(adapter: Adapter): void {
    const entry = adapter as Entry;
    if (!this.#entries.delete(entry)) return;
    if (this.#held.has(entry)) this.#doomed.add(entry);
    else this.#free(entry);
  }

  /** Finds out which adapters a kernel has written over, perhaps before they were parked; they are refused from then on. */
  verify(): void {
    for (const entry of this.#entries) {
      const sum = entry.isResident ? checksum(this.#memory, entry.start, entry.bytes) : checksumOf(words(entry.parked!));
      if (sum !== entry.checksum) entry.isDamaged = true;
    }
  }

  /** Forgets every adapter; those of a pass under way when that ends. */
  clear(): void {
    for (const entry of this.#entries) this.remove(entry);
  }

  #free(entry: Entry): void {
    if (entry.isResident) this.#pool.release(entry.start, entry.bytes);
    entry.isResident = false;
    this.#forgetParked(entry);
  }

  #forgetParked(entry: Entry): void {
    entry.parked?.fill(0);
    entry.parked = null;
  }

  /**
   * A block of the pool, others parked as it takes; null when those that are held leave no room.
   * @throws RootstockError `no-memory-left` when none is held: the engine gives no more memory
   */
  #make(bytes: number): Address | null {
    const others = [...this.#entries].filter((entry) => entry.isResident && !this.#held.has(entry));
    for (;;) {
      try {
        return this.#pool.allocate(bytes);
      } catch (error) {
        if (!(error instanceof RootstockError) || error.code !== "no-memory-left") throw error;
        const oldest = others.shift();
        if (oldest !== undefined) this.#park(oldest);
        else if (this.#held.size === 0) throw error;
        else return null;
      }
    }
  }

  #park(entry: Entry): void {
    entry.parked = this.#memory.octets(entry.start, entry.bytes).slice();
    this.#pool.release(entry.start, entry.bytes);
    entry.isResident = false;
  }

  #settle(entry: Entry, start: Address): void {
    entry.plan = movedPlan(entry.plan, start - entry.start);
    entry.start = start;
    entry.isResident = true;
  }
}

export function overBudget(bytes: number, budget: number): RootstockError {
  return new RootstockError("no-memory-left", `the adapter needs ${bytes} bytes, more than the whole adapter budget of ${budget}. Load the encoder with a larger adapterBudget.`);
}

function words({ buffer, byteOffset, length }: Uint8Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length >>> 2);
}

function damaged(): RootstockError {
  return new RootstockError("engine-fault", "a kernel that stopped had written over the adapter's numbers. Add it again with replace: true; please report it.");
}
