import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { Encoder, RootstockError, type Results, type RunOptions, type Source } from "../../src/index.ts";
import { INT8_PARTS } from "../../src/runtime/load.ts";
import { loadParts, type LoadedEncoder } from "../../src/runtime/load-encoder.ts";
import { AdapterPool } from "../../src/wasm/pool.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";
import { record } from "../reliability/record.ts";
import { cases, SEED } from "../reliability/scale.ts";
import { ODD_ADAPTERS, words } from "./bert-odd.ts";

/** In the slow suite 200,000 (tests/slow/interleavings.test.ts). */
const SEQUENCES = cases(2000, 200_000);

const KINDS = ["all-linear", "ia3-feedforward", "layers-to-transform", "embedding"] as const;
const NAMES = ["a", "b", "c"] as const;
const TEXTS = [words(3, 1), words(9, 2), words(17, 3), words(80, 4)];
const OPTIONS: RunOptions = { topK: null, ignoreLabels: [], stride: 4 };
const QUEUE_LIMIT = 4;

type Kind = (typeof KINDS)[number];
type Operation =
  | { readonly do: "add" | "replace"; readonly name: string; readonly kind: Kind }
  | { readonly do: "remove"; readonly name: string }
  | { readonly do: "run"; readonly tasks: readonly string[]; readonly text: number }
  | { readonly do: "abort"; readonly run: number }
  | { readonly do: "dispose" };

let loaded: LoadedEncoder;
let poolStart = 0;
let budget = 0;
/** What each adapter gives for each text, from an encoder that does nothing else. */
const known = new Map<string, unknown>();
const bytesOf = new Map<Kind, number>();

const adapterOf = (kind: Kind): (typeof ODD_ADAPTERS)[number] => ODD_ADAPTERS.find(({ name }) => name === kind)!;

beforeAll(async () => {
  loaded = await loadParts(tinyFolder("bert"), {}, INT8_PARTS);
  poolStart = loaded.pool.allocate(64);
  loaded.pool.release(poolStart, 64);
  const encoder = new Encoder(loaded);
  for (const kind of KINDS) {
    await encoder.addAdapter(kind, adapterOf(kind).files, { labels: adapterOf(kind).labels });
    for (const [text, value] of TEXTS.entries()) known.set(`${kind} ${text}`, (await encoder.run(value, [kind], OPTIONS))[kind]);
  }
  for (const { name, bytes } of encoder.info.tasks) bytesOf.set(name as Kind, Math.ceil(bytes / 64) * 64);
  for (const kind of KINDS) await encoder.removeAdapter(kind);
  budget = Math.max(...bytesOf.values()) + Math.min(...bytesOf.values());
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** An adapter folder whose files arrive when the scheduler says so. */
function scheduledSource(kind: Kind, scheduler: fc.Scheduler): Source {
  const { files } = adapterOf(kind);
  return {
    location: kind,
    async open(name) {
      const bytes = files.get(name);
      await scheduler.schedule(Promise.resolve(), `open ${kind}/${name}`);
      if (bytes === undefined) throw new RootstockError("source-missing", `${name} is not there`);
      return { size: bytes.length, chunks: (async function* () { yield bytes; })() }; // prettier-ignore
    },
  };
}

interface Run {
  readonly promise: Promise<Results>;
  /** The adapter of each task when it was called; a code where the call must be refused. */
  readonly expected: ReadonlyMap<string, Kind> | "task-unknown" | "disposed" | "queue-full";
  readonly text: number;
  readonly controller: AbortController;
  outcome: unknown;
}

/** Runs operations on an encoder and, in step, on a plain map of names. */
class Trial {
  readonly #scheduler: fc.Scheduler;
  readonly #encoder: Encoder;
  readonly #pool: AdapterPool;
  readonly model = new Map<string, Kind>();
  readonly runs: Run[] = [];
  readonly finished: Run[] = [];
  readonly #adding = new Set<string>();
  readonly #pending: Promise<unknown>[] = [];
  readonly wrong: string[] = [];
  underWay = 0;
  isDisposed = false;

  constructor(scheduler: fc.Scheduler) {
    this.#scheduler = scheduler;
    this.#pool = new AdapterPool(loaded.machine.memory, poolStart, budget);
    this.#encoder = new Encoder({ ...loaded, pool: this.#pool, queueLimit: QUEUE_LIMIT });
  }

  apply(operation: Operation): void {
    switch (operation.do) {
      case "add":
      case "replace":
        return this.#add(operation.name, operation.kind, operation.do === "replace");
      case "remove":
        return this.#remove(operation.name);
      case "run":
        return this.#run(operation.tasks, operation.text);
      case "abort":
        return this.runs[operation.run % Math.max(1, this.runs.length)]?.controller.abort(new Error("enough"));
      case "dispose":
        this.isDisposed = true;
        return this.#encoder.dispose();
    }
  }

  #add(name: string, kind: Kind, replace: boolean): void {
    const { labels } = adapterOf(kind);
    const isTaken = (this.model.has(name) && !replace) || this.#adding.has(name);
    const expected = this.isDisposed ? "disposed" : isTaken ? "task-exists" : null;
    if (expected === null) this.#adding.add(name);
    const promise = this.#encoder.addAdapter(name, scheduledSource(kind, this.#scheduler), { labels, replace }).then(
      () => {
        this.#adding.delete(name);
        this.model.set(name, kind);
        if (expected !== null) this.wrong.push(`add ${name} should be ${expected}`);
      },
      (error: RootstockError) => {
        if (expected === null) this.#adding.delete(name);
        if (error.code !== (expected ?? (this.isDisposed ? "disposed" : null))) this.wrong.push(`add ${name}: ${error.code} ${error.message}`);
      },
    );
    this.#pending.push(promise);
  }

  #remove(name: string): void {
    const expected = this.isDisposed ? "disposed" : this.model.has(name) ? null : "task-unknown";
    if (expected === null) this.model.delete(name);
    const promise = this.#encoder.removeAdapter(name).then(
      () => expected !== null && this.wrong.push(`remove ${name} should be ${expected}`),
      (error: RootstockError) => error.code !== expected && this.wrong.push(`remove ${name}: ${error.code}`),
    );
    this.#pending.push(promise);
  }

  #run(tasks: readonly string[], text: number): void {
    const controller = new AbortController();
    const isKnown = tasks.every((name) => this.model.has(name));
    const isFull = this.underWay >= QUEUE_LIMIT;
    const expected = this.isDisposed ? "disposed" : isFull ? "queue-full" : isKnown ? new Map(tasks.map((name) => [name, this.model.get(name)!])) : "task-unknown";
    const promise = this.#encoder.run(TEXTS[text]!, tasks, { ...OPTIONS, signal: controller.signal });
    const run: Run = { promise, expected, text, controller, outcome: undefined };
    this.runs.push(run);
    const isUnderWay = typeof expected !== "string";
    if (isUnderWay) this.underWay++;
    const settle = (outcome: unknown): void => {
      run.outcome = outcome;
      this.finished.push(run);
      if (isUnderWay) this.underWay--;
    };
    this.#pending.push(promise.then(settle, settle));
  }

  async finish(): Promise<void> {
    await this.#scheduler.waitFor(Promise.all(this.#pending));
    for (const run of this.runs) this.#check(run);
    expect(this.wrong).toEqual([]);
    // Calls that succeed finish in the order they were made.
    const succeeded = this.finished.filter(({ outcome }) => !(outcome instanceof Error)).map((run) => this.runs.indexOf(run));
    expect(succeeded).toEqual(succeeded.toSorted((a, b) => a - b));
    // A pass whose calls were all aborted stops at its next turn, and holds its adapters until then.
    while (this.#scheduler.count() > 0) {
      await this.#scheduler.waitOne();
      await settled();
    }
    if (this.isDisposed) return expect(this.#pool.used).toBe(0);
    expect(this.#encoder.info.tasks.map(({ name }) => name).sort()).toEqual([...this.model.keys()].sort());
    const { adapters, parkedAdapters } = this.#encoder.info.memory;
    const all = [...this.model.values()].reduce((sum, kind) => sum + bytesOf.get(kind)!, 0);
    expect(adapters).toBeLessThanOrEqual(budget);
    expect(adapters + parkedAdapters).toBeLessThanOrEqual(all);
    expect(adapters + parkedAdapters).toBeGreaterThan(all - 64 * (this.model.size + 1));
    for (const name of this.model.keys()) await this.#encoder.removeAdapter(name);
    expect(this.#encoder.info.memory).toMatchObject({ adapters: 0, parkedAdapters: 0 });
  }

  #check({ outcome, expected, text, controller }: Run): void {
    if (typeof expected === "string") {
      expect(outcome).toMatchObject({ code: expected });
    } else if (outcome instanceof RootstockError) {
      expect(this.isDisposed).toBe(true);
      expect(outcome.code).toBe("disposed");
    } else if (outcome instanceof Error) {
      expect(outcome).toBe(controller.signal.reason);
    } else {
      for (const [name, kind] of expected) expect((outcome as Results)[name]).toEqual(known.get(`${kind} ${text}`));
    }
  }
}

/** What needs no turn is done: refusals, and the settling of promises. */
async function settled(): Promise<void> {
  for (let i = 0; i < 60; i++) await Promise.resolve();
}

const name = fc.constantFrom(...NAMES);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constantFrom("add", "replace"), name, kind: fc.constantFrom(...KINDS) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("remove"), name }) },
  { weight: 18, arbitrary: fc.record({ do: fc.constant("run"), tasks: fc.subarray([...NAMES]), text: fc.nat(TEXTS.length - 1) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("abort"), run: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("dispose") }) },
) as fc.Arbitrary<Operation>;

describe("adding, replacing, removing, running, aborting and disposing in any order", () => {
  it(`equals the same in sequence (${SEQUENCES} sequences)`, async () => {
    let now = 0;
    // Every step of every pass is followed by a turn, which comes when the scheduler says so.
    vi.spyOn(performance, "now").mockImplementation(() => (now += 10));
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(fc.tuple(operation, fc.nat(4)), { minLength: 4, maxLength: 14 }), async (scheduler, operations) => {
        vi.stubGlobal("scheduler", { postTask: () => scheduler.schedule(Promise.resolve(), "turn") });
        const trial = new Trial(scheduler);
        // Two tasks to begin with, so that most runs have something to do.
        trial.apply({ do: "add", name: "a", kind: "all-linear" });
        trial.apply({ do: "add", name: "b", kind: "layers-to-transform" });
        await scheduler.waitAll();
        for (const [one, steps] of operations) {
          trial.apply(one);
          await settled();
          for (let i = 0; i < steps && scheduler.count() > 0; i++) {
            await scheduler.waitOne();
            await settled();
          }
        }
        await trial.finish();
      }),
      { numRuns: SEQUENCES, seed: SEED },
    );
    record("C1", { sequences: SEQUENCES, differences: 0 });
  });
});
