import type { EncoderInfo } from "../runtime/info.ts";
import type { AdapterOptions, LoadOptions, Progress } from "../runtime/options.ts";
import type { PackedAdapter } from "./adapter-files.ts";
import { packError, unpackError, type PackedError } from "../packed-error.ts";
import type { PackedSource } from "./shared-source.ts";

/** Calls of the façade that one worker answers on its own. */
export type Method = "run" | "runBatch" | "embed" | "logits" | "hiddenStates" | "forward";

/** Options without what stays on the host. */
export type Sent<Options> = Omit<Options, "signal" | "onProgress">;

/** What the host asks of a worker. `id` names the call for `abort`. */
export interface WorkerFunctions {
  load(source: PackedSource, options: Sent<LoadOptions>, tellsProgress: boolean): Promise<EncoderInfo>;
  addAdapter(id: number, name: string, adapter: PackedAdapter, options: Sent<AdapterOptions>): Promise<EncoderInfo>;
  removeAdapter(name: string): Promise<EncoderInfo>;
  /** The last argument is the options. */
  call(id: number, method: Method, args: readonly unknown[]): Promise<unknown>;
  abort(id: number): void;
  ping(): void;
}

/** What a worker asks of the host. */
export interface HostFunctions {
  progress(progress: Progress): void;
  /** Opens a file of the caller's own source. */
  open(file: string): Promise<{ readonly handle: number; readonly size: number | null }>;
  /** The next bytes of an open file; null at its end. */
  read(handle: number): Promise<Uint8Array | null>;
  close(handle: number): void;
}

interface Message {
  readonly t: "q" | "s";
  readonly e?: unknown;
}

/** Errors travel packed; all else as structured cloning takes it. */
export function encodeMessage(message: Message): unknown {
  return message.e === undefined ? message : { ...message, e: packError(message.e) };
}

/** @throws TypeError when it is no message of this protocol. */
export function decodeMessage(data: unknown): Message {
  if (typeof data !== "object" || data === null || !["q", "s"].includes((data as Message).t)) throw new TypeError("not a message of the pool's");
  const message = data as Message;
  return message.e === undefined ? message : { ...message, e: unpackError(message.e as PackedError) };
}

/** `options` without the callbacks, which cannot cross. */
export function sent<Options extends object>(options: Options): Sent<Options> {
  const { signal: _signal, onProgress: _onProgress, ...rest } = options as Options & { signal?: unknown; onProgress?: unknown };
  return rest as Sent<Options>;
}
