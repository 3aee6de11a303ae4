import { RootstockError } from "../errors.ts";
import type { AdapterStore } from "../model/adapter-store.ts";
import { checksum } from "../wasm/checksum.ts";
import { faultOf } from "../wasm/fault.ts";
import type { LoadedEncoder } from "./load-encoder.ts";

/** Makes an encoder fit for the next pass after an error that is none of ours; returns what the calls of the pass hear. */
export type Recover = (cause: unknown) => RootstockError;

/**
 * Puts a fresh instance in the place of one that stopped in the middle of a pass, and goes on with the same memory. An instance has no
 * state of its own (no global, no table that is written); a fresh one writes the kernels' constants anew. Of the memory a pass writes the
 * workspace alone, and reads nothing there that it has not written itself, so what was left half done has no effect
 * (tests/tenants/workspace.test.ts). A kernel that went astray may have written elsewhere before it stopped: weights and adapters are
 * compared with their checksums. A damaged adapter is refused until it is added again.
 *
 * @returns null when the encoder is whole again; else why it is lost
 */
export function restore({ machine, engine, weights }: LoadedEncoder, store: AdapterStore): RootstockError | null {
  try {
    machine.kernels = engine.restart(engine.product);
  } catch (cause) {
    return faultOf(cause, "Load the encoder again; please report it.");
  }
  if (checksum(machine.memory, weights.start, weights.bytes) !== weights.checksum) {
    return new RootstockError("engine-fault", "a kernel that stopped had written over the encoder's weights. Load the encoder again; please report it.");
  }
  store.verify();
  return null;
}
