/** What runs in a worker of the pool: one encoder that answers the host. */
import { createBirpc } from "birpc";
import { workerThreads } from "../load/builtin.ts";
import type { Encoder } from "../runtime/encoder.ts";
import { loadEncoder } from "../runtime/load.ts";
import { adapterSource } from "./adapter-files.ts";
import { decodeMessage, encodeMessage, type HostFunctions, type WorkerFunctions } from "./messages.ts";
import { unpackSource } from "./shared-source.ts";

interface Channel {
  post(message: unknown): void;
  on(listen: (data: unknown) => void): void;
}

/** The way to the host: Node's kind of worker has a port, the web's is its own global object. */
function hostChannel(): Channel {
  const port = workerThreads()?.parentPort;
  if (port != null) return { post: (message) => port.postMessage(message), on: (listen) => void port.on("message", listen) };
  // Only an error outside of any promise reaches the host there; Node's kind ends by itself.
  globalThis.addEventListener("unhandledrejection", ({ reason }) => {
    setTimeout(() => {
      throw reason;
    });
  });
  return {
    post: (message) => globalThis.postMessage(message),
    on: (listen) => globalThis.addEventListener("message", ({ data }) => listen(data)),
  };
}

/** After the answer has gone out: the host puts another worker, with whole weights, in its place. */
function endThisWorker(): void {
  setTimeout(() => {
    throw new Error("its encoder was damaged");
  });
}

function serve({ post, on }: Channel): void {
  let encoder: Encoder | undefined;
  const calls = new Map<number, AbortController>();

  /** Runs `step` with a signal that the host can abort. */
  async function abortable<T>(id: number, step: (encoder: Encoder, signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    calls.set(id, controller);
    try {
      return await step(encoder!, controller.signal);
    } finally {
      calls.delete(id);
      if (encoder!.isLost) endThisWorker();
    }
  }

  const functions: WorkerFunctions = {
    async load(source, options, tellsProgress) {
      const files = { open: host.open, read: host.read, close: (handle: number) => void host.close.asEvent(handle) };
      encoder = await loadEncoder(unpackSource(source, files), {
        ...options,
        ...(tellsProgress ? { onProgress: (progress) => void host.progress.asEvent(progress) } : {}),
      });
      return encoder.info;
    },
    addAdapter: (id, name, adapter, options) =>
      abortable(id, async (to, signal) => {
        await to.addAdapter(name, adapterSource(adapter), { ...options, signal });
        return to.info;
      }),
    async removeAdapter(name) {
      await encoder!.removeAdapter(name);
      return encoder!.info;
    },
    call: (id, method, args) =>
      abortable(id, (to, signal) => {
        const options = { ...(args.at(-1) as object), signal };
        return (to[method] as (...args: unknown[]) => Promise<unknown>).call(to, ...args.slice(0, -1), options);
      }),
    abort: (id) => calls.get(id)?.abort(),
    ping: () => undefined,
  };

  const host = createBirpc<HostFunctions, WorkerFunctions>(functions, {
    post,
    // Here, and not as `deserialize`: what is no message must end this worker, outside of any promise.
    on: (listen) => on((data) => listen(decodeMessage(data))),
    serialize: encodeMessage,
    // Loading takes as long as it takes.
    timeout: -1,
    // An answer that cannot be cloned becomes its caller's error.
    onGeneralError: (_error, method) => method !== undefined,
  });
}

serve(hostChannel());
