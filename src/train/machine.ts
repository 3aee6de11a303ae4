import { RootstockError } from "../errors.ts";
import { supportsRelaxedSimd, type KernelBinaries, type KernelBinary } from "../wasm/binaries.ts";
import { readBeside, readBinaryAt } from "../wasm/beside.ts";
import { engineLayout, instantiate, startEngine, withFasterProduct, type Engine, type EngineOptions } from "../wasm/engine.ts";
import type { Address, Kernels, ProductKernel } from "../wasm/kernels.ts";
import { END_OF_POSITIVE, LinearMemory, type Layout } from "../wasm/memory.ts";
import { isFused } from "./fused.ts";
import type { TrainKernels } from "./kernels.ts";

/** What training runs on: a memory of its own, the kernels that serve, and those that training adds. */
export interface TrainMachine {
  readonly kernels: Kernels;
  readonly train: TrainKernels;
  readonly memory: LinearMemory;
  /** What decides the bits of its products. */
  readonly arithmetic: TrainArithmetic;
}

/** Whether products may fuse multiply and add. */
export type TrainBuild = "train-relaxed" | "train-fixed";
/** A build by what it does here: `train-relaxed` fuses, except on processors that cannot. */
export type TrainArithmetic = TrainBuild | "train-relaxed-unfused";

export interface TrainMachineOptions {
  /** Binaries that replace those beside the package's code. */
  readonly wasm?: (KernelBinaries & Partial<Record<TrainBuild, KernelBinary>>) | undefined;
  /** Take this module instead of the faster one (for tests and comparisons). */
  readonly build?: TrainBuild | undefined;
  /** Take this int8 product. */
  readonly product?: ProductKernel | undefined;
  /** What serves: tests put float32 kernels in its place. */
  readonly start?: ((memory: LinearMemory, scratch: Address, options: EngineOptions) => Promise<Engine>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

// Written statically, so that bundlers see the files and copy them.
const LOCATIONS: Readonly<Record<TrainBuild, () => URL>> = {
  "train-relaxed": () => new URL("../../build/wasm/train-relaxed.wasm", import.meta.url),
  "train-fixed": () => new URL("../../build/wasm/train-fixed.wasm", import.meta.url),
};

/**
 * Plans a memory, makes it, and puts the kernels on it.
 * @param plan reserves whatever the training needs; called once, before the memory exists
 * @returns the machine, and what `plan` returned
 * @throws RootstockError `limit-exceeded` beyond 2 GiB, `no-memory-left`, `source-unreadable`, `simd-unsupported`, `engine-fault`.
 */
export async function startTraining<Plan>(
  plan: (layout: Layout) => Plan,
  options: TrainMachineOptions = {},
): Promise<{ machine: TrainMachine; plan: Plan }> {
  const { layout, scratch } = engineLayout();
  const planned = plan(layout);
  if (layout.end >= END_OF_POSITIVE) {
    throw new RootstockError(
      "limit-exceeded",
      `training would need ${layout.end} bytes of memory, and 2 GiB are the most. Train fewer rows at once, fewer layers, or a smaller encoder.`,
    );
  }
  const memory = new LinearMemory(layout.end, layout.end);
  const start = options.start ?? ((...given) => startEngine(...given, readBeside));
  const engine = await start(memory, scratch, { wasm: options.wasm, product: options.product, signal: options.signal });
  const build = options.build ?? (supportsRelaxedSimd() ? "train-relaxed" : "train-fixed");
  const binary = options.wasm?.[build] ?? (await readBinaryAt(build, LOCATIONS[build], options.signal));
  const train = await instantiate<TrainKernels>(build, binary, memory);
  // After the training kernels, so that the optimising compiler has had its time.
  const { kernels } = withFasterProduct(engine, scratch);
  const arithmetic = build === "train-relaxed" && !isFused(train, memory, scratch) ? "train-relaxed-unfused" : build;
  return { machine: { kernels, train, memory, arithmetic }, plan: planned };
}
