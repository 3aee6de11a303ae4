import { located, RootstockError } from "../errors.ts";
import type { Classification } from "../heads/classify.ts";
import type { Entity, EntityGroup } from "../heads/entities.ts";
import type { Task } from "./task.ts";
import { headOf, makeTask } from "./task.ts";
import { decode, encodeRequests, type EncodedRequest } from "./requests.ts";
import { loadAdapter } from "./load-adapter.ts";
import type { LoadedEncoder } from "./load-encoder.ts";
import { checkStrings, checkTaskName, type AdapterOptions, type EmbedOptions, type IdOptions, type RunOptions, type SourceLike, type TextRequest } from "./options.ts";
import { checkRows, fillBatch, passes, type TextRows } from "../run/batch.ts";
import { embeddings, headRows, layer, overflow, scores, type Batch } from "../run/forward.ts";
import { runAdapters } from "../run/tasks.ts";
import { isFiniteArray } from "../model/finite.ts";
import type { AdapterPlan } from "../model/slot.ts";

/** What a task gives for a text: spans of a token-classification head, or labels of a text classifier. */
export type TaskResult = Entity[] | EntityGroup[] | Classification[];

/** Results of one request, under the names of its tasks. */
export type Results<Name extends string = string> = Record<Name, TaskResult>;

/** A task as `encoder.info` shows it. */
export interface TaskInfo {
  readonly name: string;
  /** "sequence": one result a text. "token": entities. null: the adapter has no head. */
  readonly kind: "sequence" | "token" | null;
  /** In the order of the head's classes; empty without a head. */
  readonly labels: readonly string[];
  /** Bytes in the adapter pool. */
  readonly bytes: number;
  /** First layer that the adapter changes, from 0; those below are shared. −1 when it changes the embeddings. */
  readonly firstLayer: number;
}

/** What `encoder.info` tells: sizes, the kernel in use, memory, tasks. A copy; it does not follow later changes. */
export interface EncoderInfo {
  /** bert, distilbert, roberta, xlm-roberta, albert or electra. */
  readonly family: string;
  /** Layers that are run. */
  readonly layers: number;
  /** Numbers in a token's row. */
  readonly hidden: number;
  /** Attention heads of a layer. */
  readonly heads: number;
  /** Width of the feed-forward layer. */
  readonly intermediate: number;
  /** Input ids are 0 … vocabulary − 1. */
  readonly vocabulary: number;
  /** Most tokens of one text, special tokens included. */
  readonly maxTokens: number;
  /** Which int8 product runs: rel2, rel1 or fixed. */
  readonly kernel: string;
  /** Why another product was passed over; empty when none was. */
  readonly notes: readonly string[];
  /** `sha256:` and 64 hexadecimal digits, of the source weights (docs/format.md). */
  readonly fingerprint: string;
  /** Was the folder in the converted form? */
  readonly converted: boolean;
  /** Bytes of linear memory: in all, and its parts. */
  readonly memory: {
    readonly total: number;
    readonly weights: number;
    readonly workspace: number;
    readonly adapters: number;
    readonly adapterBudget: number;
  };
  readonly tasks: readonly TaskInfo[];
}

/** One resident encoder and its tasks. Made by `loadEncoder`. */
export class Encoder {
  #loaded: LoadedEncoder | null;
  readonly #tasks = new Map<string, Task>();
  readonly #adding = new Set<string>();

  /** @internal */
  constructor(loaded: LoadedEncoder) {
    this.#loaded = loaded;
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
      },
      tasks: [...this.#tasks.values()].map(({ name, adapter, labels }) => ({
        name,
        kind: adapter.plan.head?.kind ?? null,
        labels,
        bytes: adapter.bytes,
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
   *   `labels-mismatch`, `config-invalid`, the `tensor-…` codes, `no-memory-left`, `disposed`, and those of reading
   *   files. The encoder is unchanged then.
   */
  async addAdapter(name: string, source: SourceLike, options: AdapterOptions = {}): Promise<void> {
    checkTaskName(name);
    this.#live();
    if (this.#tasks.has(name) || this.#adding.has(name)) {
      throw new RootstockError("task-exists", `there is a task "${name}" already. Remove it first, or choose another name.`);
    }
    this.#adding.add(name);
    try {
      const { place, labels, problemType } = await loadAdapter(this.#live(), source, options);
      // From here on nothing waits, so that a disposed encoder or an abort leaves no half-added task.
      this.#live();
      options.signal?.throwIfAborted();
      this.#tasks.set(name, makeTask(name, place(), labels, problemType));
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
    task.removed = true;
    if (task.pins === 0) this.#free(task);
  }

  /**
   * Runs tasks over one text. The encoder's trunk runs once, however many tasks there are.
   * @returns one entry a task: entities in text order, or labels with the likeliest first
   * @throws RootstockError as `runBatch`.
   */
  async run<Name extends string>(text: string, tasks: readonly Name[], options: RunOptions = {}): Promise<Results<Name>> {
    const [result] = await this.runBatch([{ text, tasks }], options);
    return result as Results<Name>;
  }

  /**
   * One result a request, in order. A text's result is the same bits alone or in any batch.
   * Requests of the same tasks in the same order share passes; the event loop turns between two passes.
   *
   * @throws RootstockError `text-empty`, `text-too-long`, `task-unknown`, `task-invalid`, `argument-invalid`,
   *   `source-missing` (the folder has no tokenizer.json), `disposed`, `engine-fault`; the message of a batch names the
   *   request. Nothing runs when a request is wrong. `tensor-value` when an adapter's results overflow float32.
   */
  async runBatch(requests: readonly TextRequest[], options: RunOptions = {}): Promise<Results[]> {
    const loaded = this.#live();
    options.signal?.throwIfAborted();
    const encoded = encodeRequests(loaded, requests, options, (name) => this.#task(name));
    return this.#pinned(new Set(encoded.flatMap(({ tasks }) => tasks)), async () => {
      const results: Results[] = new Array<Results>(requests.length);
      for (const [index, pass] of this.#passes(encoded).entries()) {
        if (index > 0) await this.#turn(options.signal);
        this.#runPass(pass, options, results);
      }
      return results;
    });
  }

  /**
   * Sentence vectors, `info.hidden` numbers a text, in order: the mean over all tokens of the last hidden state, special
   * tokens included, scaled to length 1. The same bits alone or among others.
   * @throws RootstockError as `runBatch`.
   */
  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    const loaded = this.#live();
    options.signal?.throwIfAborted();
    const task = options.task == null ? null : this.#task(options.task);
    checkStrings(texts, "texts");
    const requests = texts.map((text) => ({ text, tasks: [] }));
    const encoded = encodeRequests(loaded, requests, options, (name) => this.#task(name));
    return this.#pinned(task === null ? [] : [task], async () => {
      const vectors: Float32Array[] = [];
      for (const [index, pass] of passes(encoded, loaded.machine.work.rows).entries()) {
        if (index > 0) await this.#turn(options.signal);
        this.#compute((batch) => named(task, () => this.#pool(batch, task?.adapter.plan ?? null, vectors)), pass);
      }
      return vectors;
    });
  }

  /** Adds the vector of each text of a batch. */
  #pool(batch: Batch, adapter: AdapterPlan | null, vectors: Float32Array[]): void {
    const { machine } = this.#live();
    const { kernels, memory, work, plan } = machine;
    const { hidden } = plan.config;
    runAdapters(machine, batch, [adapter], () => {
      for (const { first, length } of batch.segments) {
        kernels.meanRows(work.hidden + first * hidden * 4, length, hidden, hidden, 0, work.pooled);
        kernels.l2Normalize(work.pooled, hidden);
        const vector = memory.floats(work.pooled, hidden).slice();
        if (!isFiniteArray(vector)) throw overflow();
        vectors.push(vector);
      }
    });
  }

  /**
   * Logits of a task, rows × classes, row-major: one row for a text classifier, one a token for NER.
   *
   * @param inputIds one text, special tokens included: 1 to `info.maxTokens` whole numbers in 0 … `info.vocabulary` − 1
   * @throws RootstockError `ids-invalid`, `text-too-long`, `task-unknown`, `task-invalid`, `argument-invalid` (the adapter
   *   has no head), `tensor-value` (the results overflow float32), `disposed`, `engine-fault`.
   */
  async logits(inputIds: ArrayLike<number>, task: string, options: IdOptions = {}): Promise<Float32Array> {
    const found = this.#task(task);
    const head = headOf(found);
    const { machine } = this.#live();
    const classes = head.classifier.outputs;
    return this.#ids(inputIds, options, (batch) => {
      const logits = new Float32Array(headRows(batch, head) * classes);
      runAdapters(machine, batch, [found.adapter.plan], () => {
        named(found, () => scores(machine, batch, head, "none", (rows, first) => logits.set(rows, first * classes)));
      });
      return logits;
    });
  }

  /**
   * `info.layers` + 1 states, tokens × hidden each, row-major: what enters the first layer (after the embeddings'
   * LayerNorm and projection), then every layer's output.
   *
   * @param inputIds as for `logits`
   * @param task whose adapter is applied; null = the encoder alone
   * @throws RootstockError `ids-invalid`, `text-too-long`, `task-unknown`, `task-invalid`, `disposed`, `engine-fault`.
   */
  async hiddenStates(inputIds: ArrayLike<number>, task: string | null, options: IdOptions = {}): Promise<Float32Array[]> {
    const adapter = task === null ? null : this.#task(task).adapter.plan;
    const { machine } = this.#live();
    const { plan, work, memory } = machine;
    return this.#ids(inputIds, options, (batch) => {
      const state = (): Float32Array => memory.floats(work.hidden, batch.rows * plan.config.hidden).slice();
      embeddings(machine, batch, adapter);
      const states = [state()];
      for (const [index, weights] of plan.layers.entries()) {
        layer(machine, batch, weights, adapter?.layers[index] ?? null);
        states.push(state());
      }
      return states;
    });
  }

  /** The last hidden state alone, tokens × hidden, row-major. Parameters and errors as `hiddenStates`. */
  async forward(inputIds: ArrayLike<number>, task: string | null, options: IdOptions = {}): Promise<Float32Array> {
    const adapter: AdapterPlan | null = task === null ? null : this.#task(task).adapter.plan;
    const { machine } = this.#live();
    const { plan, work, memory } = machine;
    return this.#ids(inputIds, options, (batch) => {
      runAdapters(machine, batch, [adapter], () => undefined);
      return memory.floats(work.hidden, batch.rows * plan.config.hidden).slice();
    });
  }

  /** Drops the linear memory and every task. Further calls reject with `disposed`; disposing twice does nothing. */
  dispose(): void {
    this.#tasks.clear();
    this.#loaded = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #live(): LoadedEncoder {
    if (this.#loaded !== null) return this.#loaded;
    throw new RootstockError("disposed", "the encoder was disposed. Load it again.");
  }

  #task(name: string): Task {
    this.#live();
    checkTaskName(name);
    const task = this.#tasks.get(name);
    if (task !== undefined) return task;
    const known = [...this.#tasks.keys()].map((key) => `"${key}"`).join(", ") || "none yet";
    throw new RootstockError("task-unknown", `there is no task "${name}"; added: ${known}. Add it with addAdapter("${name}", folder).`);
  }

  /** Runs `step` over one text given as ids. */
  #ids<T>(ids: ArrayLike<number>, options: IdOptions, step: (batch: Batch) => T): T {
    options.signal?.throwIfAborted();
    const text: TextRows = { ids, mask: options.attentionMask };
    checkRows(this.#live().machine.plan.config, text);
    return this.#compute(step, [text]);
  }

  /** Fills the workspace with texts and runs `step`, from start to end without waiting: nothing else can come between. */
  #compute<T>(step: (batch: Batch) => T, texts: readonly TextRows[]): T {
    const { machine } = this.#live();
    const batch = fillBatch(machine, texts);
    try {
      return step(batch);
    } catch (cause) {
      if (!(cause instanceof WebAssembly.RuntimeError)) throw cause;
      throw new RootstockError("engine-fault", `a kernel stopped: ${cause.message}. Load the encoder again; please report it.`, { cause });
    }
  }

  /** Requests of the same tasks share passes. */
  #passes(requests: readonly EncodedRequest[]): EncodedRequest[][] {
    const groups = new Map<string, EncodedRequest[]>();
    for (const request of requests) {
      const key = request.tasks.map(({ name }) => name).join("\n");
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [request]);
      else group.push(request);
    }
    const { rows } = this.#live().machine.work;
    return [...groups.values()].flatMap((group) => passes(group, rows));
  }

  #runPass(pass: readonly EncodedRequest[], options: RunOptions, results: Results[]): void {
    const { machine } = this.#live();
    const { tasks } = pass[0]!;
    const found: TaskResult[][] = tasks.map(() => []);
    this.#compute((batch) => {
      runAdapters(machine, batch, tasks.map(({ adapter }) => adapter.plan), (index) => {
        const task = tasks[index]!;
        const head = headOf(task);
        const classes = head.classifier.outputs;
        const values = new Float32Array(headRows(batch, head) * classes);
        named(task, () => scores(machine, batch, head, task.score, (rows, first) => values.set(rows, first * classes)));
        found[index] = pass.map((request, text) => {
          const { first, length } = head.kind === "sequence" ? { first: text, length: 1 } : batch.segments[text]!;
          return decode(task, head.kind, values.subarray(first * classes, (first + length) * classes), request, options);
        });
      });
    }, pass);
    for (const [text, request] of pass.entries()) {
      results[request.index] = Object.fromEntries(tasks.map(({ name }, index) => [name, found[index]![text]!]));
    }
  }

  /** Lets the event loop turn between passes. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
    this.#live();
  }

  /** Keeps tasks in memory while `run` waits between passes, whoever removes them meanwhile. */
  async #pinned<T>(tasks: Iterable<Task>, run: () => Promise<T>): Promise<T> {
    for (const task of tasks) task.pins++;
    try {
      return await run();
    } finally {
      for (const task of tasks) {
        task.pins--;
        if (task.removed && task.pins === 0) this.#free(task);
      }
    }
  }

  #free(task: Task): void {
    this.#loaded?.pool.release(task.adapter.start, task.adapter.bytes);
  }
}

/** Puts the task's name before what `step` throws. */
function named<T>(task: Task | null, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw task === null ? error : located(error, `task "${task.name}"`);
  }
}
