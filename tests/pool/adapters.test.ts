import { afterAll, beforeAll, describe, expect, it } from "vitest";
import fc from "fast-check";
import type { Encoder, Source, SourceLike } from "../../src/index.ts";
import type { EncoderPool } from "../../src/pool/index.ts";
import { TEXTS } from "../convert/tiny-folder.ts";
import { editJson, readFolder } from "../runtime/folder.ts";
import { loadEncoder, loadPool, RootstockError } from "./built.ts";
import { watchedPool } from "./faults.ts";
import { FOLDER, FOREIGN, outcome, REQUESTS, SEQUENCE, SEQUENCE_LABELS } from "./tiny.ts";

let encoder: Encoder;
let pool: EncoderPool;

beforeAll(async () => {
  encoder = await loadEncoder(FOLDER);
  pool = await loadPool(FOLDER, { workers: 3 });
});

afterAll(() => {
  encoder.dispose();
  pool.dispose();
});

/** A source of the caller's own that counts what it opens, in chunks out of one buffer. */
function counting(files: ReadonlyMap<string, Uint8Array>): Source & { opened: string[] } {
  const opened: string[] = [];
  return {
    opened,
    location: "a store",
    async open(file) {
      opened.push(file);
      const bytes = files.get(file);
      if (bytes === undefined) throw new RootstockError("source-missing", `${file} is not in the store.`);
      return { size: bytes.length, chunks: inPieces(bytes) };
    },
  };
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(1000);
  for (let at = 0; at < bytes.length; at += buffer.length) {
    const count = Math.min(buffer.length, bytes.length - at);
    buffer.set(bytes.subarray(at, at + count));
    yield buffer.subarray(0, count);
  }
}

/** Asks every worker at once, several times each. */
async function onEveryWorker(on: EncoderPool, name: string): Promise<unknown[]> {
  return Promise.all(Array.from({ length: 9 }, () => outcome(() => on.run(TEXTS[1]!, [name]))));
}

describe("addAdapter", () => {
  it("reads each file once, whatever the source, and gives it to every worker", async () => {
    await encoder.addAdapter("topic", SEQUENCE, SEQUENCE_LABELS);
    const expected = await outcome(() => encoder.run(TEXTS[1]!, ["topic"]));
    const files = readFolder(SEQUENCE);
    const store = counting(files);
    const sources: SourceLike[] = [SEQUENCE, new URL(`../../${SEQUENCE}`, import.meta.url), files, Object.fromEntries(files), store];
    for (const source of sources) {
      await pool.addAdapter("topic", source, SEQUENCE_LABELS);
      for (const one of await onEveryWorker(pool, "topic")) expect(one).toEqual(expected);
      await pool.removeAdapter("topic");
    }
    expect(store.opened).toEqual(["adapter_config.json", "config.json", "adapter_model.safetensors"]);
    await encoder.removeAdapter("topic");
  });

  it("refuses what an encoder refuses, in the same words", async () => {
    const files = readFolder(SEQUENCE);
    const without = (name: string): Map<string, Uint8Array> => new Map([...files].filter(([file]) => file !== name));
    const attempts: [string, SourceLike, object?][] = [
      ["topic", FOREIGN],
      ["topic", "tests/golden/peft/nothing-here"],
      ["topic", SEQUENCE],
      ["topic", SEQUENCE, { labels: ["one"] }],
      ["topic", SEQUENCE, { labels: "one" }],
      ["No Name", SEQUENCE, SEQUENCE_LABELS],
      [7 as never, SEQUENCE, SEQUENCE_LABELS],
      ["topic", 7 as never, SEQUENCE_LABELS],
      ["topic", without("adapter_config.json"), SEQUENCE_LABELS],
      ["topic", without("adapter_model.safetensors"), SEQUENCE_LABELS],
      ["topic", editJson(files, "adapter_config.json", { r: 0 }), SEQUENCE_LABELS],
      ["topic", editJson(without("adapter_model.safetensors"), "adapter_config.json", { peft_type: "VERA" }), SEQUENCE_LABELS],
      ["topic", new Map(files).set("adapter_model.safetensors", new TextEncoder().encode("version https://git-lfs")), SEQUENCE_LABELS],
      ["topic", new Map(files).set("adapter_model.safetensors", new Uint8Array(40 << 20)), SEQUENCE_LABELS],
      ["topic", new Map(files).set("config.json", new TextEncoder().encode("{")), SEQUENCE_LABELS],
      ["topic", new Map(files).set("config.json", new Uint8Array(2 << 20)), SEQUENCE_LABELS],
    ];
    for (const [name, source, options] of attempts) {
      const expected = await outcome(() => encoder.addAdapter(name, source, options));
      expect(expected).toMatchObject({ name: "RootstockError" });
      expect(await outcome(() => pool.addAdapter(name, source, options))).toEqual(expected);
    }
    for (const name of ["unknown", "No Name", 7 as never]) {
      expect(await outcome(() => pool.removeAdapter(name))).toEqual(await outcome(() => encoder.removeAdapter(name)));
    }
    expect(pool.info).toEqual({ ...encoder.info, workers: 3 });
  });

  it("refuses a name that is taken, and of two at once the second", async () => {
    const added = await Promise.allSettled([1, 2].map(() => pool.addAdapter("twin", SEQUENCE, SEQUENCE_LABELS)));
    expect(added.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect((added[1] as PromiseRejectedResult).reason).toMatchObject({ code: "task-exists" });
    await pool.removeAdapter("twin");
  });

  it("gives an adapter to all workers or to none", async () => {
    const made = await watchedPool(FOLDER, { workers: 3 }, [null, { at: "refused", how: "refuse" }]);
    await made.pool.addAdapter("kept", SEQUENCE, SEQUENCE_LABELS);
    const used = made.pool.info.memory.adapters;
    await expect(made.pool.addAdapter("refused", SEQUENCE, SEQUENCE_LABELS)).rejects.toMatchObject({ code: "task-invalid" });
    for (const one of await onEveryWorker(made.pool, "refused")) expect(one).toMatchObject({ code: "task-unknown", message: expect.stringContaining(`added: "kept".`) as unknown });
    await made.pool.addAdapter("next", SEQUENCE, SEQUENCE_LABELS);
    expect(made.pool.info.memory.adapters).toBe(2 * used);
    expect(made.workers.length).toBe(3);
    made.pool.dispose();
  });

  it("replaces an adapter on all workers or on none, and on workers to come", async () => {
    const labelled = (prefix: string): object => ({ labels: [0, 1, 2].map((label) => `${prefix}-${label}`) });
    const labelsOf = async (on: EncoderPool): Promise<string> => JSON.stringify(await onEveryWorker(on, "topic"));
    const made = await watchedPool(FOLDER, { workers: 2 }, [null, { at: "replace", how: "refuse" }]);
    await made.pool.addAdapter("topic", SEQUENCE, labelled("old"));
    const used = made.pool.info.memory.adapters;
    const old = await labelsOf(made.pool);
    expect(old).toContain("old-");
    await expect(made.pool.addAdapter("topic", SEQUENCE, { ...labelled("new"), replace: true })).rejects.toMatchObject({ code: "task-invalid" });
    expect(await labelsOf(made.pool)).toBe(old);
    // The one that refused; what takes its place has no fault.
    await made.workers[1]!.terminate();
    expect(await labelsOf(made.pool)).toBe(old);
    const before = made.pool.runBatch(REQUESTS.map(({ text, tokens }) => ({ text: text ?? tokens!.join(" "), tasks: ["topic"] })));
    await made.pool.addAdapter("topic", SEQUENCE, { ...labelled("new"), replace: true });
    expect(JSON.stringify(await before)).not.toContain("new-");
    expect(await labelsOf(made.pool)).toBe(old.replaceAll("old-", "new-"));
    await made.workers[0]!.terminate();
    expect(await labelsOf(made.pool)).toBe(old.replaceAll("old-", "new-"));
    expect(made.pool.info.memory.adapters).toBe(used);
    expect(made.workers.length).toBe(4);
    made.pool.dispose();
  });

  it("keeps the cause of an error of the caller's own source", async () => {
    const cause = new RangeError("no such shelf");
    const source: Source = { location: "a store", open: () => Promise.reject(new RootstockError("source-unreadable", "the store is closed.", { cause })) };
    const error: unknown = await pool.addAdapter("topic", source).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RootstockError);
    expect(error).toMatchObject({ code: "source-unreadable", message: "the store is closed.", cause: { name: "RangeError", message: "no such shelf" } });
    expect((error as Error).cause).toBeInstanceOf(RangeError);
    await expect(pool.addAdapter("topic", { location: "", open: () => Promise.reject(cause) })).rejects.toThrow(cause);
  });
});

describe("adapters that come and go while texts run", () => {
  const requests = REQUESTS.map(({ text, tokens }) => ({ text: text ?? tokens!.join(" "), tasks: ["topic"] }));

  it("a batch finishes on the adapter it was called with, and the next one sees the new", async () => {
    await pool.addAdapter("topic", SEQUENCE, { labels: ["a", "b", "c"] });
    const first = pool.runBatch(requests);
    const removing = pool.removeAdapter("topic");
    const between = outcome(() => pool.runBatch(requests));
    const adding = pool.addAdapter("topic", SEQUENCE, { labels: ["x", "y", "z"] });
    await adding;
    const last = pool.runBatch(requests);
    const labels = (results: unknown[]): string => [...new Set((results as { topic: { label: string }[] }[]).map(({ topic }) => topic[0]!.label))].join("");
    expect(labels(await first)).toMatch(/^[abc]+$/);
    expect(await between).toMatchObject({ code: "task-unknown", message: expect.stringMatching(/^request 0: /) as unknown });
    expect(labels(await last)).toMatch(/^[xyz]+$/);
    await removing;
    await pool.removeAdapter("topic");
  });

  /** What is asked, in order; only adding is awaited before the next. */
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom("add", "remove", "run", "batch"), name: fc.constantFrom("p", "q") }),
    fc.record({ kind: fc.constantFrom("run", "batch"), name: fc.constantFrom("p", "q") }),
  );

  it("any order of calls gives what it gives one after another", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 24 }), async (steps) => {
        const there = new Map<string, string>();
        const checks: Promise<void>[] = [];
        for (const [at, { kind, name }] of steps.entries()) {
          const prefix = there.get(name);
          const unknown = expect.objectContaining({ code: "task-unknown" }) as unknown;
          const answer = async (call: Promise<unknown>, labelsOf: (value: unknown) => string[]): Promise<void> => {
            const result = (await outcome(() => call)) as { value?: unknown };
            if (prefix === undefined) expect(result).toEqual(unknown);
            else for (const label of labelsOf(result.value)) expect(label).toMatch(new RegExp(`^${prefix}-`));
          };
          const labelOf = (results: unknown): string => (results as Record<string, { label: string }[]>)[name]![0]!.label;
          if (kind === "run") checks.push(answer(pool.run(TEXTS[at]!, [name]), (value) => [labelOf(value)]));
          if (kind === "batch") checks.push(answer(pool.runBatch(TEXTS.map((text) => ({ text, tasks: [name] }))), (value) => (value as unknown[]).map(labelOf)));
          if (kind === "remove") {
            checks.push(outcome(() => pool.removeAdapter(name)).then((result) => expect(result).toEqual(prefix === undefined ? unknown : { value: undefined })));
            there.delete(name);
          }
          if (kind === "add") {
            const labels = [0, 1, 2].map((label) => `v${at}-${label}`);
            const result = await outcome(() => pool.addAdapter(name, SEQUENCE, { labels }));
            expect(result).toEqual(prefix === undefined ? { value: undefined } : expect.objectContaining({ code: "task-exists" }));
            if (prefix === undefined) there.set(name, `v${at}`);
          }
        }
        await Promise.all(checks);
        for (const { name } of pool.info.tasks) await pool.removeAdapter(name);
        expect(pool.info.memory.adapters).toBe(0);
      }),
      { numRuns: 25 },
    );
  });
});
