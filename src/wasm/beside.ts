import { RootstockError } from "../errors.ts";
import { fileSystem } from "../load/builtin.ts";
import type { OwnBinary } from "./binaries.ts";

// Written statically, so that bundlers see the files and copy them.
const LOCATIONS = {
  relaxed: () => new URL("../../build/wasm/relaxed.wasm", import.meta.url),
  fixed: () => new URL("../../build/wasm/fixed.wasm", import.meta.url),
};

/** The core's own binaries. @throws RootstockError `source-unreadable`. */
export const readBeside: OwnBinary = (name, signal) => readBinaryAt(name, LOCATIONS[name], signal);

/**
 * The bytes of a kernel binary that lies beside the package's code.
 * @param locate throws where a bundler has left no `import.meta.url`
 * @throws RootstockError `source-unreadable`.
 */
export async function readBinaryAt(name: string, locate: () => URL, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
  let place = "beside the package's code";
  try {
    const url = locate();
    place = url.href;
    const bytes = await read(url, signal);
    // Servers of development answer with a page for what is not where the code was moved to.
    if (String.fromCharCode(...bytes.subarray(0, 4)) !== "\0asm") throw new Error("it is no WebAssembly");
    return bytes;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RootstockError(
      "source-unreadable",
      `the kernel binary ${name}.wasm could not be read from ${place} (${(cause as Error).message}). Where a bundler moved the code, exclude rootstock from pre-bundling (Vite: optimizeDeps: { exclude: ["rootstock"] }), ` +
        `import "rootstock/inline", which has the core's inside, or pass it as the option wasm.${name} (pipelines: load: { wasm }).`,
      { cause },
    );
  }
}

async function read(url: URL, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
  const fs = url.protocol === "file:" ? fileSystem() : undefined;
  if (fs !== undefined) return fs.readFileSync(url) as Uint8Array<ArrayBuffer>;
  const response = await fetch(url, signal === undefined ? {} : { signal });
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
