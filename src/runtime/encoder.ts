import { located, RootstockError } from "../errors.ts";
import { AdapterStore } from "../model/adapter-store.ts";
import { isFiniteArray } from "../model/finite.ts";
import { overflow } from "../run/deliver.ts";
import { hiddenStates } from "../run/hidden-states.ts";
import type { Output, TrunkState } from "../run/pass.ts";
import type { Reading } from "../run/reading.ts";
import { checkRows } from "../run/rows.ts";
import type { Call, TextWork, Work, WorkBranch } from "./call.ts";
import { Pace } from "./event-loop.ts";
import type { EncoderInfo } from "./info.ts";
import { loadAdapter } from "./load-adapter.ts";
import type { LoadedEncoder } from "./load-encoder.ts";
import {
  checkResultOptions,
  checkStrings,
  checkTaskName,
  type AdapterOptions,
  type EmbedOptions,
  type IdOptions,
  type RunOptions,
  type SourceLike,
  type TextOptions,
  type TextRequest,
  type TrunkOptions,
} from "./options.ts";
import { WorkQueue } from "./queue.ts";
import { atRequest, checkRequests, encodeText, type CheckedRequest, type EncodedText } from "./requests.ts";
import { taskBranches, windowMean, windowTexts, type Results, type TaskResult } from "./results.ts";
import { headOf, makeTask, type Task } from "./task.ts";
import { TrunkCache } from "./trunk-cache.ts";
import { Trunk } from "./trunk.ts";

/** One resident encoder and its tasks. Made by `loadEncoder`. Any number of calls may be under way at once. */
export class Encoder {
  #loaded: LoadedEncoder | null;
  readonly #store: AdapterStore;
  readonly #queue: WorkQueue;
  readonly #trunks: TrunkCache;
  readonly #tasks = new Map<string, Task>();
  readonly #adding = new Set<string>();

  /** @internal */
  constructor(loaded: LoadedEncoder) {
    this.#loaded = loaded;
    this.#store = new AdapterStore(loaded.machine.memory, loaded.pool);
    this.#queue = new WorkQueue(loaded.machine, this.#store, loaded.queueLimit);
    this.#trunks = new TrunkCache(loaded.trunkCacheBytes);
  }

  /** @throws RootstockError `disposed`. */
  get info(): EncoderInfo {
    const { machine, engine, pool, fingerprint, converted, weightBytes, workspaceBytes } = this.#live();
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
      notes: engine.notes,
      fingerprint,
      converted,
      memory: {
        total: machine.memory.bytes,
        weights: weightBytes,
        workspace: workspaceBytes,
        adapters: pool.used,
        adapterBudget: pool.budget,
        parkedAdapters: this.#store.parkedBytes,
        trunkCache: this.#trunks.bytes,
      },
      tasks: [...this.#tasks.values()].map(({ name, adapter, labels }) => ({
        name,
        kind: adapter.plan.head?.kind ?? null,
        labels,
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
    this.#live();
    const replaces = options.replace === true;
    if ((this.#tasks.has(name) && !replaces) || this.#adding.has(name)) {
      throw new RootstockError("task-exists", `there is a task "${name}" already. Remove it first, pass replace: true, or choose another name.`);
    }
    this.#adding.add(name);
    try {
      const { numbers, labels, problemType } = await loadAdapter(this.#live(), source, options);
      // From here on nothing waits, so that a disposed encoder or an abort leaves no half-added task.
      this.#live();
      options.signal?.throwIfAborted();
      const task = makeTask(name, this.#store.add(numbers), labels, problemType);
      const old = this.#tasks.get(name);
      if (old !== undefined) this.#retire(old);
      this.#tasks.set(name, task);
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
   * share passes, and finish in the order they were made.
   * @returns one entry a task: entities in text order, or labels with the likeliest first
   * @throws RootstockError as `runBatch`.
   */
  async run<Name extends string>(text: string | Trunk, tasks: readonly Name[], options: RunOptions = {}): Promise<Results<Name>> {
    const request = text instanceof Trunk ? { trunk: text, tasks } : { text, tasks };
    const [result] = await this.runBatch([request], options);
    return result as Results<Name>;
  }

  /**
   * One result a request, in order. A text's result is the same bits alone or in any batch. Texts of any length and any
   * tasks share passes; the event loop turns at least every 8 ms.
   *
   * @throws RootstockError `text-empty`, `text-too-long`, `task-unknown`, `task-invalid`, `argument-invalid`,
   *   `source-missing` (the folder has no tokenizer.json), `queue-full`, `disposed`, `engine-fault`; the message of a batch
   *   names the request. Nothing runs when a request is wrong. `tensor-value` when an adapter's results overflow float32.
   */
  async runBatch(requests: readonly TextRequest[], options: RunOptions = {}): Promise<Results[]> {
    const loaded = this.#live();
    return this.#call(options.signal, async (call) => {
      checkResultOptions(options);
      const checked = checkRequests(requests, (name) => this.#task(name));
      return this.#pinned(checked.flatMap(({ tasks }) => tasks), async () => {
        const texts = await this.#encode(loaded, call, checked, options);
        const results = checked.map(() => new Map<string, TaskResult>());
        const work = checked.flatMap(({ content, tasks }, index) => {
          const branches = tasks.map((task) => taskBranches(call, task, texts[index]!, options, (result) => results[index]!.set(task.name, result)));
          return this.#texts(texts[index]!, branches, content instanceof Trunk ? content.open(loaded).states : null);
        });
        await this.#work(call, work);
        return checked.map(({ tasks }, index) => Object.fromEntries(tasks.map(({ name }) => [name, results[index]!.get(name)!])));
      });
    });
  }

  /**
   * A text's trunk as a value, for later `run`s: they then cost the layers above `depth` only.
   * @throws RootstockError as `runBatch`.
   */
  async trunk(text: string, options: TrunkOptions = {}): Promise<Trunk> {
    const loaded = this.#live();
    return this.#call(options.signal, async (call) => {
      const tasks = options.tasks?.map((name) => this.#task(name)) ?? [...this.#tasks.values()].filter(({ adapter }) => adapter.plan.firstLayer > 0);
      if (typeof text !== "string") throw new RootstockError("argument-invalid", "give text as a string.");
      const encoded = encodeText(loaded, text, options);
      const { layers } = loaded.machine.plan.config;
      const depth = Math.max(0, Math.min(layers - 1, ...tasks.map(({ adapter }) => adapter.plan.firstLayer)));
      const states = encoded.windows.map((): TrunkState => ({ depth, rows: null }));
      await this.#work(call, encoded.windows.map(({ ids }, index) => ({ ids, branches: [], trunk: states[index] })));
      return new Trunk(loaded, encoded, states);
    });
  }

  /**
   * Sentence vectors, `info.hidden` numbers a text, in order: the mean over all tokens of the last hidden state, special
   * tokens included (over those of all windows where a text has several), scaled to length 1. The same bits alone or
   * among others.
   * @throws RootstockError as `runBatch`.
   */
  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    const loaded = this.#live();
    return this.#call(options.signal, async (call) => {
      const task = options.task == null ? null : this.#task(options.task);
      checkStrings(texts, "texts");
      return this.#pinned(task === null ? [] : [task], async () => {
        const encoded = await this.#encode(loaded, call, texts.map((content) => ({ content, tasks: [] })), options);
        const vectors = new Array<Float32Array>(texts.length);
        const work = encoded.flatMap((text, index) => this.#texts(text, [this.#meanBranches(call, text, task, (vector) => (vectors[index] = vector))], null));
        await this.#work(call, work);
        return vectors;
      });
    });
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
    this.#live();
    return this.#ids(inputIds, found, options, "all", (take) => ({ kind: "states", take }));
  }

  /**
   * `info.layers` + 1 states, tokens × hidden each, row-major: what enters the first layer (after the embeddings'
   * LayerNorm and projection), then every layer's output.
   *
   * @param inputIds as for `logits`
   * @param task whose adapter is applied; null = the encoder alone
   * @throws RootstockError `ids-invalid`, `text-too-long`, `task-unknown`, `task-invalid`, `queue-full`, `disposed`, `engine-fault`.
   */
  async hiddenStates(inputIds: ArrayLike<number>, task: string | null, options: IdOptions = {}): Promise<Float32Array[]> {
    const found = task === null ? null : this.#task(task);
    const { machine } = this.#live();
    return this.#call(options.signal, async (call) => {
      const text = { ids: inputIds, mask: options.attentionMask };
      checkRows(machine.plan.config, text);
      return this.#pinned(found === null ? [] : [found], async () => {
        const states: Float32Array[] = [];
        await this.#work(call, { adapter: found?.adapter ?? null, run: (m) => hiddenStates(m, text, found?.adapter.plan ?? null, (state) => states.push(state)) });
        return states;
      });
    });
  }

  /** @internal A text's tokens, in the windows that are read. */
  encode(text: string, options: TextOptions): EncodedText {
    return encodeText(this.#live(), text, options);
  }

  /** Drops the linear memory and every task. Calls under way, and further ones, reject with `disposed`; disposing twice does nothing. */
  dispose(): void {
    this.#tasks.clear();
    this.#loaded = null;
    this.#queue.close(disposed());
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #live(): LoadedEncoder {
    if (this.#loaded !== null) return this.#loaded;
    throw disposed();
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
  async #call<T>(signal: AbortSignal | undefined, prepare: (call: Call) => Promise<T>): Promise<T> {
    const call = this.#queue.enter(signal);
    try {
      return await prepare(call);
    } catch (error) {
      call.fail(error);
      throw error;
    }
  }

  #work(call: Call, work: Work): Promise<void> {
    return this.#queue.run(call, work);
  }

  /** Encodes texts, with a turn of the event loop every 8 ms. Errors name the request where there is more than one. */
  async #encode(loaded: LoadedEncoder, call: Call, requests: readonly CheckedRequest[], options: TextOptions): Promise<EncodedText[]> {
    const pace = new Pace();
    const texts: EncodedText[] = [];
    for (const [index, { content }] of requests.entries()) {
      if (pace.isDue) {
        await pace.turn();
        if (call.isOver) await call.done;
      }
      texts.push(atRequest(requests.length, index, () => (content instanceof Trunk ? content.open(loaded).text : encodeText(loaded, content, options))));
    }
    return texts;
  }

  /** A text's windows with their branches, from trunks that are there already where they serve. */
  #texts(text: EncodedText, branches: readonly (readonly WorkBranch[])[], given: readonly TrunkState[] | null): TextWork[] {
    if (branches.length === 0) return [];
    return windowTexts(text, branches).flatMap((window, index) => {
      if (given !== null) return fromTrunk(window, given[index]!);
      return this.#trunks.isOn ? this.#cached(window, text.windows[index]!.ids) : [window];
    });
  }

  #cached(window: TextWork, ids: Int32Array): TextWork[] {
    const depths = window.branches.map(({ adapter }) => adapter?.plan.firstLayer ?? Infinity).filter((depth) => depth > 0);
    if (depths.length === 0) return [window];
    const depth = Math.min(this.#live().machine.plan.config.layers - 1, ...depths);
    const known = this.#trunks.get(ids, depth);
    if (known !== undefined) return fromTrunk(window, known);
    const trunks = this.#trunks;
    let rows: Float32Array | null = null;
    const state: TrunkState = {
      depth,
      get rows() {
        return rows;
      },
      set rows(made) {
        rows = made;
        trunks.set(ids, { depth, rows });
      },
    };
    return fromTrunk(window, state);
  }

  #meanBranches(call: Call, { windows }: EncodedText, task: Task | null, done: (vector: Float32Array) => void): WorkBranch[] {
    const { machine } = this.#live();
    const pieces = new Array<Float32Array>(windows.length);
    let missing = windows.length;
    const fail = (error: unknown): void => call.fail(task === null ? error : located(error, `task "${task.name}"`));
    const take = (index: number, mean: Float32Array): void => {
      pieces[index] = mean;
      if (--missing > 0) return;
      const rows = windows.map(({ ids }) => ({ length: ids.length }));
      const scratch = machine.memory.floats(machine.work.projected, mean.length);
      scratch.set(windowMean(pieces, rows));
      machine.kernels.l2Normalize(machine.work.projected, mean.length);
      const vector = scratch.slice();
      if (isFiniteArray(vector)) done(vector);
      else fail(overflow());
    };
    return windows.map((_, index) => ({ adapter: task?.adapter ?? null, read: "all", fail, output: { kind: "mean", take: (mean) => take(index, mean) } }));
  }

  /** Runs one text given as ids for one output. */
  async #ids(
    ids: ArrayLike<number>,
    task: Task | null,
    options: IdOptions,
    read: Reading,
    output: (take: (values: Float32Array) => void) => Output,
  ): Promise<Float32Array> {
    const { machine } = this.#live();
    return this.#call(options.signal, async (call) => {
      checkRows(machine.plan.config, { ids, mask: options.attentionMask });
      return this.#pinned(task === null ? [] : [task], async () => {
        let values = new Float32Array(0);
        const fail = (error: unknown): void => call.fail(task === null ? error : located(error, `task "${task.name}"`));
        const branch: WorkBranch = { adapter: task?.adapter ?? null, read, fail, output: output((made) => (values = made as typeof values)) };
        await this.#work(call, [{ ids, mask: options.attentionMask, branches: [branch] }]);
        return values;
      });
    });
  }

  /** Keeps tasks while `run` waits, whoever removes them meanwhile. */
  async #pinned<T>(tasks: readonly Task[], run: () => Promise<T>): Promise<T> {
    for (const task of tasks) task.pins++;
    try {
      return await run();
    } finally {
      for (const task of tasks) {
        task.pins--;
        if (task.removed && task.pins === 0) this.#store.remove(task.adapter);
      }
    }
  }

  #retire(task: Task): void {
    task.removed = true;
    if (task.pins === 0) this.#store.remove(task.adapter);
  }
}

/** Branches that part above a kept trunk start from it, the others from the text. */
function fromTrunk(window: TextWork, trunk: TrunkState): TextWork[] {
  const isAbove = ({ adapter }: WorkBranch): boolean => (adapter?.plan.firstLayer ?? Infinity) >= trunk.depth;
  const above = window.branches.filter(isAbove);
  const below = window.branches.filter((branch) => !isAbove(branch));
  const texts: TextWork[] = [];
  if (above.length > 0) texts.push({ ...window, branches: above, trunk });
  if (below.length > 0) texts.push({ ...window, branches: below });
  return texts;
}

function disposed(): RootstockError {
  return new RootstockError("disposed", "the encoder was disposed. Load it again.");
}
