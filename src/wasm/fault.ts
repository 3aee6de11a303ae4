import { RootstockError } from "../errors.ts";

/** How engines say that they have no memory left, in a RangeError or (Firefox) an InternalError. */
const NO_MEMORY = /alloc|out of memory|array length/i;

/**
 * What a caller hears of an error that is none of ours: a kernel that trapped or ran out of stack, or an engine that gave no memory.
 * @param todo what to do about a fault; full sentences
 */
export function faultOf(cause: unknown, todo: string): RootstockError {
  if (cause instanceof RootstockError) return cause;
  const said = cause instanceof Error ? cause.message : String(cause);
  return noMemory(cause, said) ?? new RootstockError("engine-fault", `a kernel stopped: ${said}. ${todo}`, { cause });
}

/** The same of an error outside of any kernel, which may be the caller's own: only what says that there is no memory is made ours. */
export function heapFault(cause: unknown): unknown {
  return cause instanceof RangeError ? (noMemory(cause, cause.message) ?? cause) : cause;
}

function noMemory(cause: unknown, said: string): RootstockError | null {
  if (cause instanceof WebAssembly.RuntimeError || !NO_MEMORY.test(said)) return null;
  return new RootstockError("no-memory-left", `the engine gave no more memory: ${said}. Free memory, or use a smaller encoder or adapterBudget.`, { cause });
}
