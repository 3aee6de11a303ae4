import { demangle } from "@assemblyscript/loader";
import { RootstockError } from "../errors.ts";
import { supportsRelaxedSimd, supportsSimd, type KernelBinaries, type KernelBinary, type OwnBinary } from "./binaries.ts";
import { faultOf } from "./fault.ts";
import type { Address, KernelExports, Kernels, Matmul, ProductKernel } from "./kernels.ts";
import { ARENA_START, Layout, LinearMemory } from "./memory.ts";
import { selfTest, SELF_TEST_BYTES } from "./self-test.ts";
import { faster, TIMING_BYTES, warm } from "./timing.ts";

/** A kernel set that has passed its self-test. The binary is compiled once; each encoder has its own memory. */
export interface Engine {
  readonly kernels: Kernels;
  readonly memory: LinearMemory;
  /** Which int8 product was chosen. */
  readonly product: ProductKernel;
  /** Products that passed the self-test, where there are two: `withFasterProduct` takes one of them. */
  readonly candidates: readonly Candidate[];
  /** What happened at load, for `encoder.info`: why another product was not taken. */
  readonly notes: readonly string[];
  /**
   * The kernels again, of a fresh instance of the same compiled binary on the same memory, whose constants it writes anew.
   * @throws RootstockError `engine-fault` when the product fails its self-test now, `no-memory-left`
   */
  restart(product: ProductKernel): Kernels;
}

interface Candidate {
  readonly product: ProductKernel;
  readonly matmul: Matmul;
}

export interface EngineOptions {
  /** Binaries of the caller's, in place of the package's own. */
  wasm?: KernelBinaries | undefined;
  /** Take this product instead of the fastest (for tests and comparisons). */
  product?: ProductKernel | undefined;
  signal?: AbortSignal | undefined;
}

const PRODUCTS = { fixed: "matmulFixed", rel1: "matmulRel1", rel2: "matmulRel2" } as const;

/** Scratch that starting an engine needs at the front of the arena. */
export const ENGINE_SCRATCH_BYTES = Math.max(SELF_TEST_BYTES, TIMING_BYTES);

/**
 * Chooses the binary, the caller's or the package's `own`, instantiates it on `memory` and tests its products.
 * @throws RootstockError `simd-unsupported` without WebAssembly SIMD, `engine-fault` when no product is right.
 */
export async function startEngine(memory: LinearMemory, scratch: Address, options: EngineOptions, own: OwnBinary): Promise<Engine> {
  if (!supportsSimd()) {
    throw new RootstockError(
      "simd-unsupported",
      "this engine has no WebAssembly SIMD. Use Chrome 100, Firefox 97, Safari 16.4, Node 20 or newer.",
    );
  }
  const notes: string[] = [];
  if (options.product !== "fixed") {
    const engine = await startRelaxed(memory, scratch, options, own, notes);
    if (engine !== null) return engine;
  }
  const { exports, restart } = await load("fixed", memory, scratch, options, own);
  const matmul = exports.matmulFixed!;
  if (!selfTest(memory, matmul, 2, scratch)) {
    throw new RootstockError(
      "engine-fault",
      "the plain SIMD product gives wrong integers on this engine. Please report the engine's name and version.",
    );
  }
  return { kernels: { ...exports, matmul }, memory, product: "fixed", candidates: [], notes, restart };
}

async function startRelaxed(
  memory: LinearMemory,
  scratch: Address,
  options: EngineOptions,
  own: OwnBinary,
  notes: string[],
): Promise<Engine | null> {
  if (!supportsRelaxedSimd()) {
    notes.push("no relaxed SIMD in this engine");
    return null;
  }
  const { exports, restart } = await load("relaxed", memory, scratch, options, own);
  const candidates: Candidate[] = [];
  for (const product of ["rel2", "rel1"] as const) {
    if (options.product !== undefined && options.product !== product) continue;
    const matmul = exports[PRODUCTS[product]]!;
    if (selfTest(memory, matmul, 1, scratch)) candidates.push({ product, matmul });
    else notes.push(`${product} failed its self-test on this engine`);
  }
  const [first] = candidates;
  if (first === undefined) return null;
  if (candidates.length > 1) timed(() => warm(memory, candidates, scratch));
  const { product, matmul } = first;
  return { kernels: { ...exports, matmul }, memory, product, candidates, notes, restart };
}

/** The engine with the faster of its products; for the end of loading, when the compiler has had time for both. */
export function withFasterProduct(engine: Engine, scratch: Address): Engine {
  const { candidates, kernels, memory } = engine;
  if (candidates.length < 2) return engine;
  const { product, matmul } = candidates[timed(() => faster(memory, candidates, scratch))]!;
  return { ...engine, kernels: { ...kernels, matmul }, product };
}

/** Calls of products that have passed their self-test. @throws RootstockError `engine-fault` when one stops all the same. */
function timed<T>(calls: () => T): T {
  try {
    return calls();
  } catch (cause) {
    throw faultOf(cause, "Load the encoder with the option kernel, and please report it.");
  }
}

interface Loaded {
  readonly exports: KernelExports;
  readonly restart: Engine["restart"];
}

async function load(name: "relaxed" | "fixed", memory: LinearMemory, scratch: Address, options: EngineOptions, own: OwnBinary): Promise<Loaded> {
  const module = await compile(name, options.wasm?.[name] ?? (await own(name, options.signal)));
  const restart = (product: ProductKernel): Kernels => {
    // A new memory is zero, and so the binary does not hold the zeros among its constants.
    memory.u8.fill(0, 0, ARENA_START);
    const exports = link<KernelExports>(name, module, memory);
    const matmul = exports[PRODUCTS[product]]!;
    if (!selfTest(memory, matmul, name === "fixed" ? 2 : 1, scratch)) {
      throw new RootstockError("engine-fault", `the product ${product} gives wrong integers on this engine since a kernel stopped. Please report the engine's name and version.`);
    }
    return { ...exports, matmul };
  };
  return { exports: link(name, module, memory), restart };
}

/** A kernel binary's exports on `memory`. @throws RootstockError `engine-fault`, `no-memory-left`. */
export async function instantiate<Exports>(name: string, binary: KernelBinary, memory: LinearMemory): Promise<Exports> {
  return link(name, await compile(name, binary), memory);
}

// Compiled and instantiated here, and of the loader only what names exports: its own forms ask for `Response`, which costs Node 5 ms of
// start-up, and bring the helpers of managed objects, which kernels have none of: 1.4 KB gzipped.
async function compile(name: string, binary: KernelBinary): Promise<WebAssembly.Module> {
  try {
    return binary instanceof WebAssembly.Module ? binary : await WebAssembly.compile(binary as BufferSource);
  } catch (cause) {
    throw notInstantiated(name, cause);
  }
}

function link<Exports>(name: string, module: WebAssembly.Module, memory: LinearMemory): Exports {
  try {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: memory.memory } });
    return demangle(exports) as Exports;
  } catch (cause) {
    throw notInstantiated(name, cause);
  }
}

function notInstantiated(name: string, cause: unknown): RootstockError {
  if (cause instanceof RangeError) return faultOf(cause, "");
  return new RootstockError(
    "engine-fault",
    `the kernel binary ${name}.wasm could not be instantiated: it is not the one of this version, or the page's Content-Security-Policy lacks 'wasm-unsafe-eval'.`,
    { cause },
  );
}

/** An engine on a memory of its own, with nothing but its scratch: what the converter and tests start from. */
export function engineLayout(): { layout: Layout; scratch: Address } {
  const layout = new Layout();
  return { layout, scratch: layout.reserve(ENGINE_SCRATCH_BYTES) };
}
