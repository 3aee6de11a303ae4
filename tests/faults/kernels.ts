import { vi } from "vitest";

type Kernel = (...args: number[]) => void;

/** Puts another value in the place of one of WebAssembly's. Undone by `vi.unstubAllGlobals`. */
export function stubWebAssembly(name: "Instance" | "Memory", value: unknown): void {
  vi.stubGlobal("WebAssembly", new Proxy(WebAssembly, { get: (own, key) => (key === name ? value : Reflect.get(own, key)) }));
}

/** Called in place of a kernel, with its own code and the memory it runs on. */
export type Replacement = (kernel: Kernel, args: number[], memory: WebAssembly.Memory) => void;

/**
 * Puts itself between the host and every instance that is made from now on: counts calls of each export, and can replace one.
 * Undone by `vi.unstubAllGlobals`.
 */
export class WatchedKernels {
  /** Calls of each export so far, over all instances. */
  readonly calls = new Map<string, number>();
  /** Names of all exports. */
  readonly exports = new Set<string>();
  /** Instances made. */
  instances = 0;
  #target: { readonly name: string; readonly call: number; readonly replacement: Replacement } | null = null;

  constructor() {
    const Watched = new Proxy(WebAssembly.Instance, {
      construct: (Own, [module, imports]: [WebAssembly.Module, { env: { memory: WebAssembly.Memory } }]) => {
        this.instances++;
        return { exports: this.#wrap(new Own(module, imports).exports as Record<string, Kernel>, imports.env.memory) };
      },
    });
    stubWebAssembly("Instance", Watched);
  }

  /** Replaces one call of an export: the `call`-th from now on, counted from 0. */
  replace(name: string, call: number, replacement: Replacement): void {
    this.#target = { name, call: (this.calls.get(name) ?? 0) + call, replacement };
  }

  /** Is the replacement still to come? */
  get isWaiting(): boolean {
    return this.#target !== null;
  }

  clear(): void {
    this.#target = null;
  }

  #wrap(exports: Record<string, Kernel>, memory: WebAssembly.Memory): Record<string, Kernel> {
    for (const name of Object.keys(exports)) this.exports.add(name);
    return Object.fromEntries(
      Object.entries(exports).map(([name, kernel]) => [
        name,
        (...args: number[]): void => {
          const call = this.calls.get(name) ?? 0;
          this.calls.set(name, call + 1);
          const target = this.#target;
          if (target === null || target.name !== name || target.call !== call) return kernel(...args);
          this.#target = null;
          target.replacement(kernel, args, memory);
        },
      ]),
    );
  }
}

const Native = WebAssembly.Instance;

/** A module of one function `f` with these instructions. */
function run(...body: number[]): never {
  const bytes = Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version
    ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00], // type: () -> ()
    ...[0x03, 0x02, 0x01, 0x00], // function 0 of type 0
    ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00], // export "f"
    ...[0x0a, body.length + 4, 0x01, body.length + 2, 0x00, ...body, 0x0b], // code
  ]);
  (new Native(new WebAssembly.Module(bytes)).exports["f"] as () => void)();
  throw new Error("it did not stop");
}

/** A trap, as the engine makes it. */
export const trap = (): never => run(0x00); // unreachable

/** Calls itself for ever: the engine's own way of saying that the stack is used up, which is no trap in every engine. */
export const overflowStack = (): never => run(0x10, 0x00); // call 0
