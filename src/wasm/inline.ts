import { RootstockError } from "../errors.ts";
import { fixed, relaxed } from "../../build/wasm/inline.js";
import type { OwnBinary } from "./binaries.ts";

const PACKED = { fixed, relaxed };

/**
 * The bytes of a kernel binary that lies in the code itself, deflated and in base64: 16 KB of text for both, which gzip
 * packs as well as the binaries; base64 alone would be 61 KB, and 19 KB gzipped.
 * @throws RootstockError `source-unreadable` where there is no DecompressionStream.
 */
export const readInline: OwnBinary = async (name) => {
  try {
    const bytes = Uint8Array.from(atob(PACKED[name]), (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (cause) {
    throw new RootstockError(
      "source-unreadable",
      `the kernel binary ${name}.wasm could not be unpacked: "rootstock/inline" needs DecompressionStream. Import "rootstock", which reads it from a file.`,
      { cause },
    );
  }
};
