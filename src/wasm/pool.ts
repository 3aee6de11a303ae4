import { RootstockError } from "../errors.ts";
import type { Address } from "./kernels.ts";
import { alignUp, type LinearMemory } from "./memory.ts";

/** Blocks are made of so many bytes, and begin at their multiples. */
export const BLOCK_ALIGNMENT = 64;

interface Span {
  start: Address;
  bytes: number;
}

/**
 * The adapters' part of the linear memory: first fit over a list of free spans, neighbours joined when freed.
 * An adapter is one block, so there are few spans and no fragmentation within one. The memory grows as the pool
 * fills, up to the budget, and never shrinks (WebAssembly memories cannot).
 */
export class AdapterPool {
  readonly budget: number;
  readonly #memory: LinearMemory;
  readonly #free: Span[];
  #used = 0;

  constructor(memory: LinearMemory, start: Address, budget: number) {
    this.#memory = memory;
    this.budget = budget;
    this.#free = budget > 0 ? [{ start, bytes: budget }] : [];
  }

  /** Bytes held by adapters. */
  get used(): number {
    return this.#used;
  }

  /** A 64-byte aligned block. @throws RootstockError `no-memory-left`, with what is free. */
  allocate(bytes: number): Address {
    const size = alignUp(Math.max(bytes, 1), BLOCK_ALIGNMENT);
    const index = this.#free.findIndex((span) => span.bytes >= size);
    const span = this.#free[index];
    if (span === undefined) {
      throw new RootstockError(
        "no-memory-left",
        `the adapter needs ${size} bytes; ${this.budget - this.#used} of the adapter budget of ${this.budget} are free. Remove an adapter, or load the encoder with a larger adapterBudget.`,
      );
    }
    this.#memory.ensure(span.start + size);
    const start = span.start;
    if (span.bytes === size) this.#free.splice(index, 1);
    else this.#free[index] = { start: start + size, bytes: span.bytes - size };
    this.#used += size;
    return start;
  }

  /** Gives back a block of `bytes` bytes as allocated, zeroed so that no tenant reads another's weights. */
  release(start: Address, bytes: number): void {
    const size = alignUp(Math.max(bytes, 1), BLOCK_ALIGNMENT);
    this.#memory.octets(start, size).fill(0);
    this.#used -= size;
    const after = this.#free.findIndex((span) => span.start > start);
    const index = after === -1 ? this.#free.length : after;
    this.#free.splice(index, 0, { start, bytes: size });
    this.#join(index);
    this.#join(index - 1);
  }

  /** Joins the free span at `index` with the next one when they touch. */
  #join(index: number): void {
    const span = this.#free[index];
    const next = this.#free[index + 1];
    if (span === undefined || next === undefined || span.start + span.bytes !== next.start) return;
    this.#free.splice(index, 2, { start: span.start, bytes: span.bytes + next.bytes });
  }
}
