/// <reference lib="esnext.disposable" preserve="true" />
import { RootstockError } from "../errors.ts";
import { AdapterStore } from "../model/adapter-store.ts";
import { finiteResult } from "../run/deliver.ts";
import type { Steps } from "../run/forward.ts";
import { hiddenStates } from "../run/hidden-states.ts";
import type { Output, Reading, TrunkState } from "../run/pass-text.ts";
import { checkRows, type TextIds } from "../run/rows.ts";
import { ownOptions } from "../own-options.ts";
import { faultOf, heapFault } from "../wasm/fault.ts";
import type { Call, SoleWork, TextWork, WorkBranch } from "./call.ts";
import { copyList } from "./copies.ts";
import { Pace } from "./event-loop.ts";
import type { EncoderInfo } from "./info.ts";
import { loadAdapter } from "./load-adapter.ts";
import type { LoadedEncoder } from "./load-encoder.ts";
import {
  ADAPTER_OPTIONS,
  checkResultOptions,
  checkStrings,
  checkTaskName,
  EMBED_OPTIONS,
  ID_OPTIONS,
  RUN_OPTIONS,
  TRUNK_OPTIONS,
  type AdapterOptions,
  type EmbedOptions,
  type IdOptions,
  type RunOptions,
  type SourceLike,
  type TextRequest,
  type TrunkOptions,
} from "./options.ts";
import { WorkQueue } from "./queue.ts";
import { restore } from "./recovery.ts";
import { checkRequests, encodeText, textLimits, type EncodedText, type PartOptions } from "./requests.ts";
import { taskBranches, vectorBranches, windowBranches, type NameOf, type Results, type ResultsOf, type Stated } from "./results.ts";
import { headOf, makeTask, type Task } from "./task.ts";
import { sentenceOptions } from "./sentence.ts";
import { runTexts, type TextRuntime } from "./text-work.ts";
import { TrunkCache } from "./trunk-cache.ts";
import { Trunk } from "./trunk.ts";

/** One resident encoder and its tasks. Made by `loadEncoder`. Any number of calls may be under way at once. */
export class Encoder {
  /** null when it was disposed, or lost. */
  #resident: Resident | null;
  /** Why it was lost: a kernel that stopped had damaged it. */
  #loss: RootstockError | null = null;
  readonly #tasks = new Map<string, Task>();
  readonly #adding = new Set<string>();
  /** Stands for this encoder in its trunks, which must not hold its memory. */
  readonly #token = {};

  /** @internal */
  constructor(loaded: LoadedEncoder) {
    const store = new AdapterStore(loaded.machine.memory, loaded.pool);
    const pace = new Pace();
    const queue = new WorkQueue(loaded.machine, store, pace, loaded.queueLimit, (cause) => this.#recover(cause));
    this.#resident = { loaded, store, pace, queue, trunks: new TrunkCache(loaded.trunkCacheBytes) };
  }

  /** @throws RootstockError `disposed`. */
  get info(): EncoderInfo {
    const { loaded, store, trunks } = this.#live();
    const { machine, engine, pool, fingerprint, converted, weights, workspaceBytes } = loaded;
    const { family, layers, hidden, heads, intermediate, vocabulary, maxPositions } = machine.plan.config;
    return {
      family,
      layers,
      hidden,
      heads,
      intermediate,
      vocabulary,
      maxTokens: maxPositions,
      kernel: engine.product,
      notes: [...engine.notes],
      fingerprint,
      converted,
      memory: {
        total: machine.memory.bytes,
        weights: weights.bytes,
        workspace: workspaceBytes,
        adapters: pool.used,
        adapterBudget: pool.budget,
        parkedAdapters: store.parkedBytes,
        trunkCache: trunks.bytes,
      },
      tasks: [...this.#tasks.values()].map(({ name, adapter, labels }) => ({
        name,
        kind: adapter.plan.head?.kind ?? null,
        labels: [...labels],
        bytes: adapter.bytes,
        resident: adapter.isResident,
        firstLayer: adapter.plan.firstLayer,
      })),
    };
  }

  /**
   * Adds a task: a PEFT folder (adapter_config.json, adapter_model.safetensors, labels in config.json) under a name.
   * What is read of PEFT, and how: docs/adapters.md.
   *
   * @param name 1 to 64 of a-z, 0-9, ".", "_", "-", starting with a letter or digit
   * @param source a path, a URL, a map of file names to bytes, or an object with `open(file)`
   * @throws RootstockError `task-invalid`, `task-exists`, `adapter-unsupported`, `adapter-mismatch`,
   *   `labels-mismatch`, `config-invalid`, the `tensor-…` codes, `no-memory-left` (larger than the whole budget),
   *   `disposed`, and those of reading files. The encoder is unchanged then.
   */
  async addAdapter(name: string, source: SourceLike, options: AdapterOptions = {}): Promise<void> {
    checkTaskName(name);
    const own = ownOptions(options, ADAPTER_OPTIONS);
    const { loaded, store, pace } = this.#live();
    if (this.#adding.has(name)) throw new RootstockError("task-exists", `a task "${name}" is being added at this moment. Wait for it, or choose another name.`);
    if (this.#tasks.has(name) && own.replace !== true) {
      throw new RootstockError("task-exists", `there is a task "${name}" already. Remove it first, pass replace: true, or choose another name.`);
    }
    this.#adding.add(name);
    try {
      const { numbers, labels, problemType } = await loadAdapter(loaded, source, own, pace);
      // From here on nothing waits, so that a disposed encoder or an abort leaves no half-added task.
      this.#live();
      own.signal?.throwIfAborted();
      const task = makeTask(name, store.add(numbers), labels, problemType);
      const old = this.#tasks.get(name);
      if (old !== undefined) this.#retire(old);
      this.#tasks.set(name, task);
    } catch (error) {
      throw heapFault(error);
    } finally {
      this.#adding.delete(name);
    }
  }

  /**
   * Removes a task. Calls that use it finish; its memory is freed, and zeroed, after the last.
   * @throws RootstockError `task-unknown`, `task-invalid`, `disposed`.
   */
  async removeAdapter(name: string): Promise<void> {
    const task = this.#task(name);
    this.#tasks.delete(name);
    this.#retire(task);
  }

  /**
   * Runs tasks over one text. The encoder's trunk runs once, however many tasks there are. Calls made at the same time
   * share passes, which run in the order that calls were made in.
   *
   * In TypeScript you may state what the tasks give, which nothing checks:
   * `run<{ people: EntityGroup[]; intent: Classification[] }>(text, ["people", "intent"])`.
   * @returns one entry a task: entities in text order, or labels with the likeliest first
   * @throws RootstockError as `runBatch`.
   */
  async run<Asked extends string | Stated<Asked>>(text: string | Trunk, tasks: readonly NameOf<Asked>[], options: RunOptions = {}): Promise<ResultsOf<Asked>> {
    const request = text instanceof Trunk ? { trunk: text, tasks } : { text, tasks };
    const [result] = await this.runBatch([request], options);
    return result as ResultsOf<Asked>;
  }

  /**
   * One result a request, in order. A text's result is the same bits alone or in any batch. Texts of any length and any
   * tasks share passes; the event loop turns at least every 8 ms, once the list is checked and copied; one text's tokens are made in one go (docs/batching.md).
   *
   * @throws RootstockError `text-empty`, `text-too-long`, `task-unknown`, `task-invalid`, `argument-invalid`,
   *   `source-missing` (the folder has no tokenizer.json), `queue-full`, `disposed`, `engine-fault`; the message of a batch
   *   names the request. Nothing runs when a request is wrong. `tensor-value` when an adapter's results overflow float32.
   */
  async runBatch<Known extends Stated<Known> = Results>(requests: readonly TextRequest[], options: RunOptions = {}): Promise<Known[]> {
    const wanted = ownOptions<RunOptions & PartOptions>(options, RUN_OPTIONS);
    return this.#call(wanted.signal, async (call) => {
      checkResultOptions(wanted);
      const { contents, tasks } = checkRequests(requests, wanted, this.#token, (name) => this.#task(name));
      return this.#pinned([...new Set(tasks)].flat(), async () => {
        const results = new Array<Results>(contents.length);
        await runTexts(this.#live(), call, contents, wanted, (text, index) => {
          const result: Results = (results[index] = {});
          return tasks[index]!.map((task) => {
            // Names stand in the order that they were asked in.
            result[task.name] = [];
            return taskBranches(call, task, text, wanted, (found) => (result[task.name] = found));
          });
        });
        return results as Known[];
      });
    }, wanted.part === undefined);
  }

  /**
   * A text's trunk as a value, for later `run`s: they then cost the layers above `depth` only.
   * @throws RootstockError as `runBatch`.
   */
  async trunk(text: string, options: TrunkOptions = {}): Promise<Trunk> {
    const wanted = ownOptions(options, TRUNK_OPTIONS);
    return this.#call(wanted.signal, async (call) => {
      const { loaded, queue } = this.#live();
      if (typeof text !== "string") throw new RootstockError("argument-invalid", "give text as a string.");
      if (wanted.tasks !== undefined) checkStrings(wanted.tasks, "tasks");
      const tasks = wanted.tasks?.map((name) => this.#task(name)) ?? [...this.#tasks.values()].filter(({ adapter }) => adapter.plan.firstLayer > 0);
      const encoded = encodeText(loaded, text, textLimits(loaded, wanted));
      const { layers } = loaded.machine.plan.config;
      const depth = Math.max(0, Math.min(layers - 1, ...tasks.map(({ adapter }) => adapter.plan.firstLayer)));
      const states = encoded.windows.map((): TrunkState => ({ depth, rows: null }));
      await queue.run(call, encoded.windows.map(({ ids }, index) => ({ ids, branches: [], trunk: states[index] })));
      for (const { rows } of states) finiteResult(rows!);
      return new Trunk(this.#token, { text: encoded, states });
    });
  }

  /**
   * Sentence vectors, `info.hidden` numbers a text, in order: what SentenceTransformer's `encode` makes of the folder, scaled to length 1.
   * That is the mean over all tokens of the last hidden state, special tokens included, or the first token's, of at most as many tokens as
   * the folder says; the mean of all that the encoder reads where it has no files of sentence-transformers. Where a text has several windows
   * it is the mean over them, weighted by their tokens. The same bits alone or among others.
   * @throws RootstockError as `runBatch`; `config-invalid` when the folder asks for what is not supported and `pooling` is not given.
   */
  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    const wanted = ownOptions<EmbedOptions & PartOptions>(options, EMBED_OPTIONS);
    const { loaded } = this;
    const { pooling, lowerCase, ...limits } = sentenceOptions(loaded, wanted);
    return this.#perText(texts, { ...wanted, ...limits }, lowerCase, (call, task, text, done) => vectorBranches(call, task, text, pooling, loaded.machine, done));
  }

  /**
   * Logits of a task, rows × classes, row-major: one row for a text classifier, one a token for NER.
   *
   * @param inputIds one text, special tokens included: 1 to `info.maxTokens` whole numbers in 0 … `info.vocabulary` − 1
   * @throws RootstockError `ids-invalid`, `text-too-long`, `task-unknown`, `task-invalid`, `argument-invalid` (the adapter
   *   has no head), `tensor-value` (the results overflow float32), `queue-full`, `disposed`, `engine-fault`.
   */
  async logits(inputIds: ArrayLike<number>, task: string, options: IdOptions = {}): Promise<Float32Array> {
    const found = this.#task(task);
    const read = headOf(found).kind === "sequence" ? "first" : "all";
    return this.#ids(inputIds, found, options, read, (take) => ({ kind: "scores", apply: "none", take }));
  }

  /** The last hidden state alone, tokens × hidden, row-major. Parameters and errors as `hiddenStates`. */
  async forward(inputIds: ArrayLike<number>, task: string | null, options: IdOptions = {}): Promise<Float32Array> {
    const found = task === null ? null : this.#task(task);
    return this.#ids(inputIds, found, options, "all", (take) => ({ kind: "states", take }));
  }

  /**
   * `info.layers` + 1 states, tokens × hidden each, row-major: what enters the first layer (after the embeddings'
   * LayerNorm and projection), then every layer's output.
   *
   * @param inputIds as for `logits`
   * @param task whose adapter is applied; null = the encoder alone
   * @throws RootstockError `ids-invalid`, `text-too-long`, `task-unknown`, `task-invalid`, `tensor-value`, `queue-full`, `disposed`,
   *   `engine-fault`.
   */
  async hiddenStates(inputIds: ArrayLike<number>, task: string | null, options: IdOptions = {}): Promise<Float32Array[]> {
    const found = task === null ? null : this.#task(task);
    const states: Float32Array[] = [];
    await this.#runIds(inputIds, found, options, (_, text) => ({
      adapter: found?.adapter ?? null,
      run: (m) => hiddenStates(m, text, found?.adapter.plan ?? null, (state) => states.push(state)),
    }));
    return states;
  }

  /** @internal What it was made of, for rooms outside that need a text's ids. @throws RootstockError `disposed`. */
  get loaded(): LoadedEncoder {
    return this.#live().loaded;
  }

  /**
   * @internal States of texts given as ids before layer `depth`, [tokens][hidden]; with `depth` = `info.layers` the last state at the tokens
   * named by `read`. The ids are read later and must not change. Not limited by `queueLimit`: training has one call under way at most.
   */
  async states(texts: readonly { readonly ids: Int32Array; readonly read: Int32Array }[], depth: number, signal?: AbortSignal): Promise<Float32Array[]> {
    return this.#call(signal, async (call) => {
      const { loaded, queue } = this.#live();
      const out = texts.map((): TrunkState => ({ depth, rows: null }));
      const isTrunk = depth < loaded.machine.plan.config.layers;
      const output = (take: (rows: Float32Array) => void): Output => ({ kind: "states", take });
      await queue.run(call, texts.map(({ ids, read }, i) =>
        isTrunk ? { ids, branches: [], trunk: out[i] } : { ids, branches: windowBranches(call, null, [read], output, ([rows]) => (out[i]!.rows = rows!)) },
      ));
      return out.map(({ rows }) => finiteResult(rows!));
    }, false);
  }

  /** @internal Of texts of one window each, what `keep` makes of their last hidden states, [tokens][hidden]. */
  async textStates(texts: readonly string[], options: EmbedOptions, keep: (rows: Float32Array) => Float32Array): Promise<Float32Array[]> {
    const output = (take: (rows: Float32Array) => void): Output => ({ kind: "states", take });
    return this.#perText(texts, options, false, (call, task, _, done) => windowBranches(call, task, ["all"], output, ([rows]) => done(keep(rows!))));
  }

  /** @internal Something else that this thread is to do, as a call among the others: it runs in one go when its turn has come. */
  async between<T>(work: () => T, signal?: AbortSignal): Promise<T> {
    return this.#call(signal, async (call) => {
      let result: T;
      function* run(): Steps {
        result = work();
        yield;
      }
      await this.#live().queue.run(call, { adapter: null, run });
      return result!;
    }, false);
  }

  /** @internal Did a kernel that stopped damage its weights? Then every call rejects with `engine-fault`, and its memory is gone. */
  get isLost(): boolean {
    return this.#loss !== null;
  }

  /** Drops the linear memory and every task. Calls under way, and further ones, reject with `disposed`; disposing twice does nothing. */
  dispose(): void {
    this.#end(disposed());
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #live(): Resident {
    if (this.#resident !== null) return this.#resident;
    if (this.#loss !== null) throw new RootstockError(this.#loss.code, this.#loss.message, { cause: this.#loss });
    throw disposed();
  }

  #end(reason: RootstockError): void {
    if (this.#resident === null) return;
    const { queue, store } = this.#resident;
    this.#resident = null;
    this.#tasks.clear();
    queue.close(reason);
    store.clear();
  }

  #recover(cause: unknown): RootstockError {
    const fault = faultOf(cause, "The encoder was restored: call again. Please report it.");
    if (fault === cause || fault.code !== "engine-fault" || this.#resident === null) return fault;
    const loss = restore(this.#resident.loaded, this.#resident.store);
    if (loss === null) return fault;
    this.#loss = new RootstockError(loss.code, loss.message, { cause: fault });
    this.#end(this.#loss);
    return this.#loss;
  }

  #task(name: string): Task {
    this.#live();
    checkTaskName(name);
    const task = this.#tasks.get(name);
    if (task !== undefined) return task;
    const known = [...this.#tasks.keys()].map((key) => `"${key}"`).join(", ") || "none yet";
    throw new RootstockError("task-unknown", `there is no task "${name}"; added: ${known}. Add it with addAdapter("${name}", folder).`);
  }

  /** Takes a place in the queue for what `prepare` finds to do. */
  async #call<T>(signal: AbortSignal | undefined, prepare: (call: Call) => Promise<T>, isLimited = true): Promise<T> {
    const call = this.#live().queue.enter(signal, isLimited);
    const work = prepare(call).catch((error: unknown) => {
      const reason = heapFault(error);
      call.fail(reason);
      throw reason;
    });
    // An abort is heard at once, wherever the work is; it ends at its next turn.
    return Promise.race([work, call.failed()]);
  }

  /** One array a text, of the branches that `done` gets it from. */
  #perText(
    texts: readonly string[],
    options: EmbedOptions & PartOptions,
    lowerCase: boolean,
    branchesOf: (call: Call, task: Task | null, text: EncodedText, done: (values: Float32Array) => void) => WorkBranch[],
  ): Promise<Float32Array[]> {
    return this.#call(options.signal, async (call) => {
      const task = options.task == null ? null : this.#task(options.task);
      const own = copyList(texts);
      checkStrings(own, "texts");
      const read = lowerCase ? own.map((text) => text.toLowerCase()) : own;
      return this.#pinned(task === null ? [] : [task], async () => {
        const all = new Array<Float32Array>(own.length);
        await runTexts(this.#live(), call, read, options, (text, index) => [branchesOf(call, task, text, (values) => (all[index] = values))]);
        return all;
      });
    }, options.part === undefined);
  }

  /** Runs one text given as ids for one output. */
  async #ids(
    inputIds: ArrayLike<number>,
    task: Task | null,
    options: IdOptions,
    read: Reading,
    output: (take: (values: Float32Array) => void) => Output,
  ): Promise<Float32Array> {
    let values = new Float32Array(0);
    await this.#runIds(inputIds, task, options, (call, text) => {
      const branches = windowBranches(call, task, [read], output, ([made]) => (values = made as typeof values));
      return [{ ...text, branches }];
    });
    return values;
  }

  /** Checks ids and runs what `work` makes of them; they are copied, because callers may change theirs meanwhile. */
  async #runIds(ids: ArrayLike<number>, task: Task | null, options: IdOptions, work: (call: Call, text: TextIds) => TextWork[] | SoleWork): Promise<void> {
    const { attentionMask: mask, signal } = ownOptions(options, ID_OPTIONS);
    const { loaded, queue } = this.#live();
    return this.#call(signal, async (call) => {
      const text = checkRows(loaded.machine.plan.config, { ids, mask });
      return this.#pinned(task === null ? [] : [task], () => queue.run(call, work(call, text)));
    });
  }

  /** Keeps tasks while `run` waits, whoever removes them meanwhile. */
  async #pinned<T>(tasks: readonly Task[], run: () => Promise<T>): Promise<T> {
    const { store } = this.#live();
    for (const task of tasks) task.pins++;
    try {
      return await run();
    } finally {
      for (const task of tasks) {
        task.pins--;
        if (task.removed && task.pins === 0) store.remove(task.adapter);
      }
    }
  }

  #retire(task: Task): void {
    task.removed = true;
    if (task.pins === 0) this.#live().store.remove(task.adapter);
  }
}

/** An encoder in memory and what runs on it. */
interface Resident extends TextRuntime {
  readonly store: AdapterStore;
}

function disposed(): RootstockError {
  return new RootstockError("disposed", "the encoder was disposed. Load it again.");
}
