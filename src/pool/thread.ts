import { workerThreads } from "../load/builtin.ts";

/** What is asked of a worker of Node's kind: its own type would ask every program for Node's types. */
interface NodeWorker {
  postMessage(message: unknown): void;
  on(event: "message" | "messageerror", listener: (data: unknown) => void): unknown;
  on(event: "error", listener: (cause: Error) => void): unknown;
  on(event: "exit", listener: (code: number) => void): unknown;
  ref(): void;
  unref(): void;
  terminate(): unknown;
}

/** What a thread tells its host. */
export interface ThreadListener {
  message(data: unknown): void;
  /** It ended, threw, or sent what cannot be decoded; `how` completes "a worker was lost: …". May come more than once. */
  lost(how: string, cause?: unknown): void;
}

/** A worker of the platform, of Node's kind or the web's. */
export interface Thread {
  post(message: unknown): void;
  listen(listener: ThreadListener): void;
  /** Should the process wait for it? Only Node's kind keeps a process alive. */
  keepAlive(yes: boolean): void;
  /** Does the platform tell when it ends by itself? The web does not. */
  readonly tellsItsEnd: boolean;
  terminate(): void;
}

const SCRIPT = "./worker.js";

/** Starts a thread that runs `worker.ts`: Node's kind where there is one (Node, Deno, Bun), for it tells its end. */
export function startThread(): Thread {
  const threads = workerThreads();
  // Flags of the process as `--input-type` would be refused for a file.
  if (threads !== undefined) return nodeThread(new threads.Worker(new URL(SCRIPT, import.meta.url), { execArgv: [] }));
  // Written statically, so that bundlers see the file, and once, so that they copy it once.
  return webThread(new Worker(new URL("./worker.js", import.meta.url), { type: "module" }));
}

export function nodeThread(worker: NodeWorker): Thread {
  return {
    post: (message) => worker.postMessage(message),
    listen({ message, lost }) {
      worker.on("message", message);
      worker.on("messageerror", (cause) => lost("it sent a message that cannot be decoded", cause));
      worker.on("error", (cause: unknown) => lost(`it threw ${describe(cause)}`, cause));
      worker.on("exit", (code) => lost(`it ended with exit code ${code}`));
    },
    keepAlive: (yes) => (yes ? worker.ref() : worker.unref()),
    tellsItsEnd: true,
    terminate: () => void worker.terminate(),
  };
}

export function webThread(worker: Worker): Thread {
  return {
    post: (message) => worker.postMessage(message),
    listen({ message, lost }) {
      worker.addEventListener("message", ({ data }) => message(data));
      worker.addEventListener("messageerror", () => lost("it sent a message that cannot be decoded"));
      worker.addEventListener("error", (event) => {
        // Deno ends the whole process otherwise.
        event.preventDefault();
        lost(`it threw ${event.message || "while its script was loaded"}`, event.error as unknown);
      });
    },
    keepAlive: () => undefined,
    tellsItsEnd: false,
    terminate: () => worker.terminate(),
  };
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
