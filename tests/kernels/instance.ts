// The shipped kernel modules with one memory each, and an arena whose buffers stand between guards.
import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";

export type BuildName = "fixed" | "relaxed";
export type TrainBuild = "train-fixed" | "train-relaxed";
export type Kernel = (...args: number[]) => void;
type TypedArray = Float32Array | Int32Array | Uint32Array | Int16Array | Int8Array | Uint8Array;

export function moduleBytes(name: BuildName | TrainBuild): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`../../build/wasm/${name}.wasm`, import.meta.url)));
}

/**
 * The builds this engine can run. Node 20 has no relaxed SIMD (and behind its flag a wrong one), so there `relaxed` is missing;
 * `npm test` runs this folder a second time under Deno, where it is not.
 */
export const builds: BuildName[] = (["fixed", "relaxed"] as const).filter((name) => WebAssembly.validate(moduleBytes(name)));

/** The same for the training modules. */
export const trainBuilds: TrainBuild[] = (["train-fixed", "train-relaxed"] as const).filter((name) => WebAssembly.validate(moduleBytes(name)));

const ARENA_BASE = 65_536;
const GUARD_BYTES = 64;
const ALIGNMENT = 16;

/** Every aligned 4 bytes of it are a NaN, each with its own payload: a stray read poisons, a stray write shows. */
function pattern(address: number): number {
  return [address & 0xff, (address >> 8) & 0xff, 0xc0, 0x7f][address & 3] as number;
}

export class KernelArena {
  readonly kernels: Record<string, Kernel>;
  readonly memory: WebAssembly.Memory;
  readonly #bytes: Uint8Array;
  readonly #pattern: Uint8Array;
  #top = ARENA_BASE;
  #buffers: { address: number; byteLength: number }[] = [];

  constructor(name: BuildName | TrainBuild, pages = 256) {
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { exports } = instantiateSync<Record<string, unknown>>(moduleBytes(name), { env: { memory: this.memory } });
    this.kernels = exports as unknown as Record<string, Kernel>;
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#pattern = this.#bytes.map((_, address) => pattern(address));
  }

  kernel(name: string): Kernel {
    const kernel = this.kernels[name];
    if (kernel === undefined) throw new Error(`no kernel "${name}"`);
    return kernel;
  }

  /** Forgets every buffer. */
  reset(): void {
    this.#top = ARENA_BASE;
    this.#buffers = [];
  }

  /** A buffer full of NaN patterns between two guards; `skew` bytes off the 16-byte alignment. */
  output(byteLength: number, skew = 0): number {
    const before = Math.ceil(this.#top / ALIGNMENT) * ALIGNMENT;
    const address = before + GUARD_BYTES + skew;
    this.#top = address + byteLength + GUARD_BYTES;
    if (this.#top > this.#bytes.length) throw new Error("the test arena is full; give it more pages");
    this.#bytes.set(this.#pattern.subarray(before, this.#top), before);
    this.#buffers.push({ address, byteLength });
    return address;
  }

  /** A buffer with a copy of `data`. */
  input(data: TypedArray, skew = 0): number {
    const address = this.output(data.byteLength, skew);
    this.#bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), address);
    return address;
  }

  /** Fills a buffer with NaN patterns again. */
  clear(address: number): void {
    const buffer = this.#buffers.find((candidate) => candidate.address === address);
    if (buffer === undefined) throw new Error(`no buffer at ${address}`);
    this.#bytes.set(this.#pattern.subarray(address, address + buffer.byteLength), address);
  }

  float32(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length);
  }

  /** The bits of `length` 4-byte elements, for comparisons where NaN and −0 count. */
  bits(address: number, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, address, length);
  }

  /** The pattern's 4 bytes at an address: what an element holds that no kernel wrote. */
  untouched(address: number): number {
    return new DataView(this.#pattern.buffer).getUint32(address, true);
  }

  /** Throws when a byte outside the buffers has changed since they were made. */
  checkGuards(): void {
    for (const { address, byteLength } of this.#buffers) {
      this.#checkRange(address - GUARD_BYTES, address, `before the buffer at ${address}`);
      this.#checkRange(address + byteLength, address + byteLength + GUARD_BYTES, `after the ${byteLength} bytes at ${address}`);
    }
  }

  #checkRange(start: number, end: number, where: string): void {
    for (let at = start; at < end; at++) {
      if (this.#bytes[at] !== this.#pattern[at]) throw new Error(`guard byte ${at - start} ${where} was overwritten`);
    }
  }
}
