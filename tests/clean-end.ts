// K3: after every test the blocks in use are those of the tasks that are there, and none once an encoder was disposed. Encoders that
// are left at the end of a file are disposed then. Imported where tests use encoders, for the import takes a moment.
import { afterAll, afterEach, expect } from "vitest";
import type { Encoder } from "../src/runtime/encoder.ts";
import type { AdapterPool } from "../src/wasm/pool.ts";
import { eventually } from "./eventually.ts";

const USERS = /[\\/]tests[\\/](runtime|encoder|faults|tenants|transformers|convert|wasm|models|finetune|attacks|fuzz|slow)[\\/]/;
/** A property test makes thousands. */
const MOST = 256;

if (USERS.test(expect.getState().testPath ?? "")) await watch();

async function watch(): Promise<void> {
  const { Encoder } = await import("../src/runtime/encoder.ts");
  const pools = new Map<Encoder, AdapterPool>();
  const { addAdapter } = Encoder.prototype;
  Encoder.prototype.addAdapter = function (...given) {
    const pool = poolOf(this);
    if (pool !== null) pools.set(this, pool);
    if (pools.size > MOST) pools.delete(pools.keys().next().value!);
    return addAdapter.apply(this, given);
  };

  const expectClean = async (): Promise<void> => {
    for (const [encoder, pool] of pools) {
      // A pass whose calls have all gone lets go of its adapters at its next turn.
      await eventually(() => expect(pool.used, "bytes of the adapter pool in use").toBe(bytesOf(encoder)));
      if (poolOf(encoder) === null) pools.delete(encoder);
    }
  };
  afterEach(expectClean);
  afterAll(async () => {
    for (const encoder of pools.keys()) encoder.dispose();
    await expectClean();
  });
}

/** null when it was disposed, or lost. */
function poolOf(encoder: Encoder): AdapterPool | null {
  try {
    return encoder.loaded.pool;
  } catch {
    return null;
  }
}

function bytesOf(encoder: Encoder): number {
  if (poolOf(encoder) === null) return 0;
  return encoder.info.tasks.reduce((sum, { resident, bytes }) => sum + (resident ? Math.ceil(bytes / 64) * 64 : 0), 0);
}
