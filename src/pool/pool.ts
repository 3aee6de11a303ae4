/// <reference lib="esnext.disposable" preserve="true" />
import { RootstockError } from "../errors.ts";
import type { SourceLike } from "../load/source.ts";
import { ownOptions } from "../own-options.ts";
import { AbortListeners } from "../runtime/abort-listeners.ts";
import { copyList } from "../runtime/copies.ts";
import type { Encoder } from "../runtime/encoder.ts";
import type { EncoderInfo } from "../runtime/info.ts";
import {
  ADAPTER_OPTIONS,
  checkTaskName,
  EMBED_OPTIONS,
  ID_OPTIONS,
  RUN_OPTIONS,
  type AdapterOptions,
  type EmbedOptions,
  type IdOptions,
  type RunOptions,
  type TextRequest,
} from "../runtime/options.ts";
import type { PartOptions } from "../runtime/requests.ts";
import type { NameOf, Results, ResultsOf, Stated } from "../runtime/results.ts";
import { readAdapter } from "./adapter-files.ts";
import { addToAll, removeFromAll } from "./adapters.ts";
import { copyIds, copyRequests } from "./copies.ts";
import type { Crew } from "./crew.ts";
import { sent, type Method } from "./messages.ts";
import { sendParts } from "./send-parts.ts";
import { lengthOf, split, type Part } from "./split.ts";
import { TaskOrder } from "./task-order.ts";
import { Turns } from "./turns.ts";

/** What `pool.info` tells: an encoder's, and the number of workers. `memory` is that of one worker. */
export interface PoolInfo extends EncoderInfo {
  readonly workers: number;
}

type Facade = Pick<Encoder, "addAdapter" | "removeAdapter" | "run" | "runBatch" | "embed" | "logits" | "hiddenStates" | "forward" | "dispose">;

/**
 * The same encoder and tasks in several workers, behind the calls of `Encoder`: the same results, bit for bit, and the same
 * errors. Made by `loadPool`. A call whose worker is lost rejects with `worker-lost`, and another worker takes its place.
 */
export class EncoderPool implements Facade {
  readonly #crew: Crew;
  readonly #order = new TaskOrder();
  readonly #changes = new Turns();
  /** Ends each call that is not finished. */
  readonly #pending = new Set<(reason: unknown) => void>();
  readonly #signals = new AbortListeners();
  #isDisposed = false;

  /** @internal */
  constructor(crew: Crew) {
    this.#crew = crew;
  }

  /** @throws RootstockError `disposed`. */
  get info(): PoolInfo {
    this.#live();
    return { ...structuredClone(this.#crew.info), workers: this.#crew.size };
  }

  /**
   * As `Encoder.addAdapter`. The files are read once and given to every worker, or, where one refuses, to none. A call made
   * before this one finishes with the tasks as they were.
   * @throws RootstockError as `Encoder.addAdapter`; `worker-lost`.
   */
  async addAdapter(name: string, source: SourceLike, options: AdapterOptions = {}): Promise<void> {
    checkTaskName(name);
    const { signal, ...own } = ownOptions(options, ADAPTER_OPTIONS);
    await this.#call(signal, (stop, end) => {
      const reading = readAdapter(source, this.#crew.info.memory.adapterBudget, stop);
      // It is awaited in its turn, and may have failed before.
      reading.catch(() => undefined);
      return this.#changes.run(name, async () => {
        const held = { adapter: await reading, options: own };
        await this.#order.change(name, () => addToAll(this.#crew, name, held, stop, end));
      });
    });
  }

  /**
   * As `Encoder.removeAdapter`. Resolves when the calls made before it that use the task have finished.
   * @throws RootstockError `task-unknown`, `task-invalid`, `disposed`.
   */
  async removeAdapter(name: string): Promise<void> {
    this.#live();
    checkTaskName(name);
    await this.#call(undefined, (stop) => this.#changes.run(name, () => this.#order.change(name, () => removeFromAll(this.#crew, name, stop))));
  }

  /** As `Encoder.run`, on the worker with the least to do. @throws RootstockError as `Encoder.run`; `worker-lost`. */
  async run<Asked extends string | Stated<Asked>>(text: string, tasks: readonly NameOf<Asked>[], options: RunOptions = {}): Promise<ResultsOf<Asked>> {
    const names = copyList(tasks);
    return this.#one("run", [text, names], strings(names), lengthOf(text), ownOptions<RunOptions & PartOptions>(options, RUN_OPTIONS)) as Promise<ResultsOf<Asked>>;
  }

  /**
   * As `Encoder.runBatch`, over all workers. Of several wrong requests the first is named, by its index in `requests`; some
   * of the others may have been run then.
   * @throws RootstockError as `Encoder.runBatch`; `worker-lost`.
   */
  async runBatch<Known extends Stated<Known> = Results>(requests: readonly TextRequest[], options: RunOptions = {}): Promise<Known[]> {
    const own = ownOptions<RunOptions & PartOptions>(options, RUN_OPTIONS);
    // What is no list is refused by the worker.
    const { list, names } = copyRequests(Array.isArray(requests) ? requests : []);
    const parts = split(list.map((request) => lengthOf(request?.tokens ?? request?.text)));
    return this.#split("runBatch", Array.isArray(requests) ? list : requests, parts, names, own) as Promise<Known[]>;
  }

  /** As `Encoder.embed`, over all workers. @throws RootstockError as `Encoder.embed`; `worker-lost`. */
  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    // A list with anything else in it is refused as a whole.
    const list = copyList(texts);
    const isList = Array.isArray(list) && list.every((text) => typeof text === "string");
    const own = ownOptions<EmbedOptions & PartOptions>(options, EMBED_OPTIONS);
    return this.#split("embed", list, split(isList ? list.map(lengthOf) : []), strings([own.task]), own) as Promise<Float32Array[]>;
  }

  /** As `Encoder.logits`. @throws RootstockError as `Encoder.logits`; `worker-lost`. */
  async logits(inputIds: ArrayLike<number>, task: string, options: IdOptions = {}): Promise<Float32Array> {
    return this.#ids("logits", inputIds, task, options) as Promise<Float32Array>;
  }

  /** As `Encoder.hiddenStates`. @throws RootstockError as `Encoder.hiddenStates`; `worker-lost`. */
  async hiddenStates(inputIds: ArrayLike<number>, task: string | null, options: IdOptions = {}): Promise<Float32Array[]> {
    return this.#ids("hiddenStates", inputIds, task, options) as Promise<Float32Array[]>;
  }

  /** As `Encoder.forward`. @throws RootstockError as `Encoder.forward`; `worker-lost`. */
  async forward(inputIds: ArrayLike<number>, task: string | null, options: IdOptions = {}): Promise<Float32Array> {
    return this.#ids("forward", inputIds, task, options) as Promise<Float32Array>;
  }

  /** Ends the workers. Pending and further calls reject with `disposed`; disposing twice does nothing. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (const end of this.#pending) end(disposed());
    this.#crew.dispose(disposed);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #live(): void {
    if (this.#isDisposed) throw disposed();
  }

  /** A call that is answered by one worker. What it gets are copies, the options' last. */
  #one(
    method: Method,
    args: readonly unknown[],
    names: readonly string[],
    size: number,
    own: RunOptions | IdOptions,
  ): Promise<unknown> {
    return this.#call(own.signal, (stop) =>
      this.#order.use(names, async () => {
        const lease = await this.#crew.lease(size, false, stop);
        return lease.member.call(method, [...args, sent(own)], stop).finally(() => lease.release());
      }),
    );
  }

  #ids(method: Method, inputIds: ArrayLike<number>, task: string | null, options: IdOptions): Promise<unknown> {
    const { maxTokens } = this.#crew.info;
    const ids = copyIds(inputIds, maxTokens);
    const own = ownOptions(options, ID_OPTIONS);
    const mask = copyIds(own.attentionMask, maxTokens);
    // About 4 units of text a token; what has no length is refused by the worker.
    const size = lengthOf("") + 4 * (Number(ids?.length) || 0);
    return this.#one(method, [ids, task], strings([task]), size, { ...own, attentionMask: mask! });
  }

  /** A call over a list, answered in parts of copies. What is no list goes as it is. */
  #split(
    method: Method,
    list: readonly unknown[],
    parts: readonly Part[],
    names: Iterable<string>,
    own: RunOptions | EmbedOptions,
  ): Promise<unknown> {
    return this.#call(own.signal, (stop) =>
      this.#order.use(names, () =>
        sendParts(this.#crew, parts, stop, (member, { first, end }, stopPart) => {
          if (parts.length === 1) return member.call(method, [list, sent(own)], stopPart) as Promise<unknown[]>;
          const part: PartOptions = { part: { first, count: list.length } };
          return member.call(method, [list.slice(first, end), { ...sent(own), ...part }], stopPart) as Promise<unknown[]>;
        }),
      ),
    );
  }

  /**
   * Runs `work` until it ends, `signal` is aborted or the pool disposed: then the caller hears so at once, and `stop` tells
   * what is under way.
   * @param work `end` rejects the call before the work has ended
   */
  #call<T>(signal: AbortSignal | undefined, work: (stop: AbortSignal, end: (reason: unknown) => void) => Promise<T>): Promise<T> {
    this.#live();
    signal?.throwIfAborted();
    const stop = new AbortController();
    return new Promise<T>((resolve, reject) => {
      const settle = (): void => {
        unlisten();
        this.#pending.delete(end);
      };
      const end = (reason: unknown): void => {
        settle();
        reject(reason as Error);
        stop.abort(reason);
      };
      const unlisten = this.#signals.listen(signal, end);
      this.#pending.add(end);
      work(stop.signal, end).then(resolve, reject).finally(settle);
    });
  }
}

/** The names among what a program without types may pass. */
function strings(names: unknown): string[] {
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

function disposed(): RootstockError {
  return new RootstockError("disposed", "the pool was disposed. Load it again.");
}
