import { describe, RootstockError } from "../errors.ts";
import { urlSource, type Source } from "./source.ts";

/** A Workers binding that answers requests: static assets (`env.ASSETS`), or a service. */
export interface Fetcher {
  fetch(url: URL, init: RequestInit): Promise<Response>;
}

/**
 * A folder of Workers static assets, by its path: `assetSource(env.ASSETS, "/mtpf-minilm-l6")`. No file there may exceed 25 MiB;
 * `rootstock convert --part-bytes` cuts the weights. The binding must answer 404 for a file that is not there, which
 * is its default (`not_found_handling`).
 * @throws RootstockError `argument-invalid`.
 */
export function assetSource(binding: Fetcher, folder: string): Source {
  if (typeof (binding as Fetcher | undefined)?.fetch !== "function") {
    throw new RootstockError("argument-invalid", `the binding of assets is ${describe(binding)}; give the one that the Worker's configuration names, such as env.ASSETS.`);
  }
  if (typeof folder !== "string") throw new RootstockError("argument-invalid", `the folder of assets is ${describe(folder)}; give its path, such as "/model".`);
  // The host is never looked up: the binding goes by the path alone.
  return urlSource(new URL(`${folder.replace(/\/*$/, "/")}`, "https://assets.invalid/"), (url, init) => binding.fetch(url, init), largeChunks);
}

const CHUNK_BYTES = 1 << 20;

/** workerd hands out 4 KiB at a time, and 64 KiB into a buffer of the reader's: 24 MB take it 10 ms instead of 60. */
async function* largeChunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader({ mode: "byob" });
  try {
    for (let buffer = new ArrayBuffer(CHUNK_BYTES); ; ) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) return;
      yield value;
      buffer = value.buffer;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
