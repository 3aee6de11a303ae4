import { RootstockError } from "../errors.ts";
import type { Address } from "./kernels.ts";

export const PAGE_BYTES = 65_536;
/** The kernels' constants live below this address; the host's buffers start here. The build checks it. */
export const ARENA_START = PAGE_BYTES;
/** The kernels may read this far past a buffer, so the last one must not end at the end of the memory. */
const OVERREAD_BYTES = 64;
/** Kernels that walk a buffer from address to address compare signed integers, so no buffer may cross this one. */
export const END_OF_POSITIVE = 2 ** 31;

export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

/** Hands out addresses before the memory exists, so that it can be created with exactly the size that is needed. */
export class Layout {
  #next = ARENA_START;

  /** An address for `bytes` bytes, 64-byte aligned: a cache line, and more than any element. */
  reserve(bytes: number): Address {
    const address = this.#next;
    this.#next = alignUp(address + bytes, 64);
    return address;
  }

  /** End of the last buffer: where a pool may start. */
  get end(): Address {
    return this.#next;
  }
}

/**
 * One `WebAssembly.Memory` for life. Views are remade after it grows (growth detaches the old ones), so take them
 * from here each time and never keep one across an `await` or an allocation.
 */
export class LinearMemory {
  /** @internal Not in the declarations, whose readers may have no names of WebAssembly. */
  readonly memory: WebAssembly.Memory;
  #views: ReturnType<typeof viewsOf>;

  /** @throws RootstockError `no-memory-left` when the engine refuses that much. */
  constructor(bytes: number, maximumBytes: number) {
    const initial = Math.ceil((bytes + OVERREAD_BYTES) / PAGE_BYTES);
    const maximum = Math.ceil((maximumBytes + OVERREAD_BYTES) / PAGE_BYTES);
    if (maximum > 65_536) {
      throw new RootstockError(
        "no-memory-left",
        `the encoder and its adapter budget need ${maximumBytes} bytes; a WebAssembly memory holds at most 4 GiB. Use a smaller encoder or adapterBudget.`,
      );
    }
    try {
      this.memory = new WebAssembly.Memory({ initial, maximum });
    } catch (cause) {
      throw new RootstockError(
        "no-memory-left",
        `the engine refused a memory of ${initial * PAGE_BYTES} bytes (maximum ${maximum * PAGE_BYTES}). Free memory, or use a smaller encoder or adapterBudget.`,
        { cause },
      );
    }
    this.#views = viewsOf(this.memory.buffer);
  }

  get u8(): Uint8Array {
    return this.#current().u8;
  }

  get i8(): Int8Array {
    return this.#current().i8;
  }

  get f32(): Float32Array {
    return this.#current().f32;
  }

  get i32(): Int32Array {
    return this.#current().i32;
  }

  get bytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** `count` f32 at a 4-byte aligned address, as a view: valid until the memory grows. */
  floats(address: Address, count: number): Float32Array {
    return this.f32.subarray(address >>> 2, (address >>> 2) + count);
  }

  ints(address: Address, count: number): Int32Array {
    return this.i32.subarray(address >>> 2, (address >>> 2) + count);
  }

  octets(address: Address, count: number): Uint8Array {
    return this.u8.subarray(address, address + count);
  }

  /** Makes `end` (exclusive) addressable. @throws RootstockError `no-memory-left`. */
  ensure(end: Address): void {
    const missing = end + OVERREAD_BYTES - this.bytes;
    if (missing <= 0) return;
    try {
      this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    } catch (cause) {
      throw new RootstockError(
        "no-memory-left",
        `the memory could not grow by ${missing} bytes beyond ${this.bytes}. Remove adapters, or load the encoder with a larger adapterBudget.`,
        { cause },
      );
    }
  }

  #current(): ReturnType<typeof viewsOf> {
    if (this.#views.u8.buffer !== this.memory.buffer) this.#views = viewsOf(this.memory.buffer);
    return this.#views;
  }
}

function viewsOf(buffer: ArrayBuffer): { u8: Uint8Array; i8: Int8Array; f32: Float32Array; i32: Int32Array } {
  return { u8: new Uint8Array(buffer), i8: new Int8Array(buffer), f32: new Float32Array(buffer), i32: new Int32Array(buffer) };
}
