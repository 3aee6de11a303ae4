import { RootstockError } from "../errors.ts";
import { fixedBytes, packed } from "../../build/wasm/inline.js";
import type { OwnBinary } from "./binaries.ts";

/**
 * The bytes of a kernel binary that lies in the code itself. Both are deflated together, for half of them is of one source, and in base64:
 * 11 KB of text; each by itself would be 16 KB, and base64 alone 61 KB, 19 KB gzipped.
 * @throws RootstockError `source-unreadable` where there is no DecompressionStream.
 */
export const readInline: OwnBinary = async (name) => {
  try {
    const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    const both = await new Response(stream).arrayBuffer();
    return new Uint8Array(name === "fixed" ? both.slice(0, fixedBytes) : both.slice(fixedBytes));
  } catch (cause) {
    throw new RootstockError(
      "source-unreadable",
      `the kernel binary ${name}.wasm could not be unpacked: "rootstock/inline" needs DecompressionStream. Import "rootstock", which reads it from a file.`,
      { cause },
    );
  }
};
