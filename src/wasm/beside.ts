import { RootstockError } from "../errors.ts";
import { fileSystem } from "../load/builtin.ts";
import type { OwnBinary } from "./binaries.ts";

// Written statically, so that bundlers see the files and copy them.
const LOCATIONS = {
  relaxed: () => new URL("../../build/wasm/relaxed.wasm", import.meta.url),
  fixed: () => new URL("../../build/wasm/fixed.wasm", import.meta.url),
};

/** The core's own binaries. @throws RootstockError `source-unreadable`. */
export const readBeside: OwnBinary = (name, signal) => readBinaryAt(name, LOCATIONS[name](), signal);

/** The bytes of a kernel binary that lies beside the package's code. @throws RootstockError `source-unreadable`. */
export async function readBinaryAt(name: string, url: URL, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const fs = url.protocol === "file:" ? fileSystem() : undefined;
    if (fs !== undefined) return fs.readFileSync(url) as Uint8Array<ArrayBuffer>;
    const response = await fetch(url, signal === undefined ? {} : { signal });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RootstockError(
      "source-unreadable",
      `the kernel binary ${name}.wasm could not be read from ${url.href}. Serve it beside the package's code, or pass it as the option wasm.${name}.`,
      { cause },
    );
  }
}
