import { createBirpc, type BirpcReturn } from "birpc";
import { RootstockError } from "../errors.ts";
import type { SourceLike } from "../load/source.ts";
import type { EncoderInfo } from "../runtime/info.ts";
import type { AdapterOptions, LoadOptions, Progress } from "../runtime/options.ts";
import type { PackedAdapter } from "./adapter-files.ts";
import { Heartbeat } from "./heartbeat.ts";
import { decodeMessage, encodeMessage, type HostFunctions, type Method, type Sent, type WorkerFunctions } from "./messages.ts";
import { packSource, SourceServer } from "./shared-source.ts";
import type { Thread } from "./thread.ts";

/** What every worker of a pool loads. */
export interface Loading {
  readonly source: SourceLike;
  readonly options: Sent<LoadOptions>;
}

/** One worker as the host sees it. */
export class Member {
  /** What it was given and has not answered, in units of text (`split.ts`). */
  load = 0;
  /** Parts of lists among that. */
  parts = 0;
  /** Has it loaded, and joined the others? Only then another one takes its place when it is lost. */
  isAtWork = false;
  readonly #thread: Thread;
  readonly #rpc: BirpcReturn<WorkerFunctions, HostFunctions>;
  readonly #files: SourceServer;
  readonly #heartbeat: Heartbeat | null;
  readonly #onLost: () => void;
  #pending = 0;
  #lastId = 0;
  /** Makes the error that every call gets once the worker has ended. */
  #ended: (() => Error) | null = null;

  /** @param onLost called once when it ends by itself, not when it is ended */
  constructor(thread: Thread, source: SourceLike, onLost: () => void, onProgress: ((progress: Progress) => void) | undefined) {
    this.#thread = thread;
    this.#onLost = onLost;
    const files = new SourceServer(source);
    this.#files = files;
    const functions: HostFunctions = {
      progress: (progress) => onProgress?.(progress),
      open: (file) => files.open(file),
      read: (handle) => files.read(handle),
      close: (handle) => files.close(handle),
    };
    this.#rpc = createBirpc<WorkerFunctions, HostFunctions>(functions, {
      post: (message) => {
        try {
          thread.post(message);
        } catch (cause) {
          throw notCloneable(cause);
        }
      },
      on: (listen) =>
        thread.listen({
          message: (data) => this.#receive(data, listen),
          lost: (how, cause) => this.#lose(how, cause),
        }),
      serialize: encodeMessage,
      // Loading takes as long as it takes; a lost worker is noticed without.
      timeout: -1,
      // Bytes of a caller's source that cannot be cloned become the worker's error.
      onGeneralError: (_error, method) => method !== undefined,
    });
    this.#heartbeat = thread.tellsItsEnd ? null : new Heartbeat(() => this.#rpc.ping(), () => this.#lose("it stopped answering"));
  }

  /** Loads the encoder. */
  loadEncoder({ source, options }: Loading, tellsProgress: boolean): Promise<EncoderInfo> {
    return this.#ask(() => this.#rpc.load(packSource(source), options, tellsProgress));
  }

  addAdapter(name: string, adapter: PackedAdapter, options: Sent<AdapterOptions>, stop?: AbortSignal): Promise<EncoderInfo> {
    return this.#stoppable(stop, (id) => this.#rpc.addAdapter(id, name, adapter, options));
  }

  removeAdapter(name: string): Promise<EncoderInfo> {
    return this.#ask(() => this.#rpc.removeAdapter(name));
  }

  /** @param stop tells the worker to abort; the answer is awaited all the same */
  call(method: Method, args: readonly unknown[], stop: AbortSignal): Promise<unknown> {
    return this.#stoppable(stop, (id) => this.#rpc.call(id, method, args));
  }

  /** Ends the worker; what waits for it rejects with an error of `reason`'s. Ending twice does nothing. */
  end(reason: () => Error): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    this.#heartbeat?.stop();
    this.#rpc.$rejectPendingCalls(({ reject }) => reject(reason()));
    this.#rpc.$close();
    this.#thread.terminate();
    this.#files.end();
  }

  /** @throws the error that its calls get, once it has ended. */
  throwIfEnded(): void {
    if (this.#ended !== null) throw this.#ended();
  }

  /** Ends a worker that cannot be trusted any more, as if it had ended by itself. */
  lose(how: string): void {
    this.#lose(how);
  }

  #lose(how: string, cause?: unknown): void {
    if (this.#ended !== null) return;
    const message = this.isAtWork
      ? `a worker of the pool was lost: ${how}. Another one takes its place; call again.`
      : `a worker of the pool was lost while it loaded: ${how}. No other takes its place. Where a bundler made this code, its worker.js must lie beside it: docs/pool.md.`;
    this.end(() => new RootstockError("worker-lost", message, cause === undefined ? {} : { cause }));
    this.#onLost();
  }

  #receive(data: unknown, listen: (message: unknown) => void): void {
    try {
      listen(decodeMessage(data));
    } catch (cause) {
      this.#lose("it sent a message that cannot be decoded", cause);
    }
  }

  async #stoppable<T>(stop: AbortSignal | undefined, send: (id: number) => Promise<T>): Promise<T> {
    const id = ++this.#lastId;
    const abort = (): void => {
      if (this.#ended === null) void this.#rpc.abort.asEvent(id);
    };
    stop?.throwIfAborted();
    stop?.addEventListener("abort", abort);
    try {
      return await this.#ask(() => send(id));
    } finally {
      stop?.removeEventListener("abort", abort);
    }
  }

  /** Keeps the process and the heartbeat going while an answer is awaited. */
  async #ask<T>(send: () => Promise<T>): Promise<T> {
    this.throwIfEnded();
    if (this.#pending++ === 0) this.#wait(true);
    try {
      return await send();
    } finally {
      if (--this.#pending === 0 && this.#ended === null) this.#wait(false);
    }
  }

  #wait(yes: boolean): void {
    this.#thread.keepAlive(yes);
    if (yes) this.#heartbeat?.start();
    else this.#heartbeat?.stop();
  }
}

function notCloneable(cause: unknown): RootstockError {
  return new RootstockError(
    "argument-invalid",
    `an argument cannot be sent to a worker: ${cause instanceof Error ? cause.message : String(cause)} Give plain data: strings, numbers, lists, typed arrays.`,
    { cause },
  );
}
