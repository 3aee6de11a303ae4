import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import type { LoadOptions, Progress, Source, SourceLike } from "../../src/index.ts";
import { SourceServer, unpackSource } from "../../src/pool/shared-source.ts";
import { eventually } from "../eventually.ts";
import { loadEncoder, loadPool } from "./built.ts";
import { watchedPool } from "./faults.ts";
import { addTasks, FOLDER, outcome, REQUESTS } from "./tiny.ts";

/** The caller's own source, which tells how many of its files are open. */
function store(files: ReadonlyMap<string, Uint8Array>, counts = { opened: 0, open: 0 }): Source & { counts: typeof counts } {
  return {
    counts,
    location: "a store",
    async open(file) {
      const bytes = files.get(file);
      if (bytes === undefined) throw Object.assign(new Error(`no ${file}`), { name: "RootstockError", code: "source-missing" });
      counts.opened++;
      return { size: bytes.length, chunks: chunks(bytes, counts) };
    },
  };
}

async function* chunks(bytes: Uint8Array, counts: { open: number }): AsyncGenerator<Uint8Array> {
  counts.open++;
  try {
    for (let at = 0; at < bytes.length; at += 20_000) yield bytes.subarray(at, at + 20_000);
  } finally {
    counts.open--;
  }
}

/** Every file a view of one larger buffer. */
function views(files: ReadonlyMap<string, Uint8Array>): Record<string, Uint8Array> {
  const whole = new Uint8Array([...files.values()].reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  return Object.fromEntries(
    [...files].map(([name, bytes]) => {
      whole.set(bytes, at);
      at += bytes.length;
      return [name, whole.subarray(at - bytes.length, at)];
    }),
  );
}

describe("loadPool", () => {
  it("takes every kind of source, and gives what the encoder gives", async () => {
    const encoder = await addTasks(await loadEncoder(FOLDER));
    const expected = await encoder.runBatch(REQUESTS);
    for (const source of [FOLDER, views(FOLDER), store(FOLDER)]) {
      const pool = await addTasks(await loadPool(source, { workers: 2 }));
      expect(pool.info).toEqual({ ...encoder.info, workers: 2 });
      expect(await pool.runBatch(REQUESTS)).toEqual(expected);
      pool.dispose();
    }
  });

  it("gives the shipped encoder's bits, from a path and a URL", async () => {
    const encoder = await loadEncoder("models/mtpf-minilm-l6");
    const texts = Array.from({ length: 24 }, (_, i) => `Marie Curie moved to Warsaw in 19${10 + i}, and the café at gate ${i} was closed. ${"No card was lost. ".repeat(i % 5)}`);
    const requests = texts.map((text, i) => ({ text, tasks: i % 2 === 0 ? ["names"] : ["names", "intent"] }));
    await addShipped(encoder);
    const expected = { vectors: await encoder.embed(texts), results: await encoder.runBatch(requests) };
    for (const source of ["models/mtpf-minilm-l6", new URL("../../models/mtpf-minilm-l6", import.meta.url)]) {
      const pool = await loadPool(source, { workers: 2 });
      await addShipped(pool);
      expect({ vectors: await pool.embed(texts), results: await pool.runBatch(requests) }).toEqual(expected);
      pool.dispose();
    }
  });

  it("refuses what loadEncoder refuses, in the same words", async () => {
    const without = new Map([...FOLDER].filter(([name]) => name !== "config.json"));
    const attempts: [SourceLike, LoadOptions?][] = [
      ["tests/nothing-here"],
      ["models/adapters/vader-sentiment"],
      [7 as never],
      [null as never],
      [without],
      [new Map(FOLDER).set("config.json", "{}" as never)],
      [new Map(FOLDER).set("model.safetensors", FOLDER.get("model.safetensors")!.subarray(0, 5000))],
      [FOLDER, { kernel: "fast" as never }],
      [FOLDER, { adapterBudget: -1 }],
    ];
    for (const [source, options] of attempts) {
      const expected = await outcome(() => loadEncoder(source, options));
      expect(expected).toMatchObject({ name: "RootstockError" });
      expect(await outcome(() => loadPool(source, { ...options, workers: 2 }))).toEqual(expected);
    }
  });

  it("takes options: workers, and those of loadEncoder", async () => {
    for (const workers of [0, -1, 1.5, 65, "2", NaN]) {
      expect(await outcome(() => loadPool(FOLDER, { workers: workers as number }))).toMatchObject({ code: "argument-invalid", message: expect.stringMatching(/^workers is /) as unknown });
    }
    const pool = await loadPool(FOLDER, { adapterBudget: 1 << 20, kernel: "fixed", wasm: { fixed: new WebAssembly.Module(readFileSync("build/wasm/fixed.wasm")) } });
    expect(pool.info).toMatchObject({ workers: Math.min(8, availableParallelism()), kernel: "fixed", memory: { adapterBudget: 1 << 20 } });
    pool.dispose();
  });

  it("tells progress of one worker, as loadEncoder does", async () => {
    const steps = async (load: (options: LoadOptions) => Promise<{ dispose(): void }>): Promise<Progress[]> => {
      const seen: Progress[] = [];
      (await load({ onProgress: (progress) => seen.push(progress) })).dispose();
      return seen;
    };
    const expected = await steps((options) => loadEncoder(FOLDER, options));
    expect(expected.at(-1)!.done).toBe(expected[0]!.total);
    expect(await steps((options) => loadPool(FOLDER, { ...options, workers: 3 }))).toEqual(expected);
  });

  it("rejects with what onProgress throws", async () => {
    const error = new TypeError("in the callback");
    await expect(loadPool(FOLDER, { workers: 2, onProgress: () => { throw error; } })).rejects.toBe(error); // prettier-ignore
  });

  it("asks a source of the caller's once a worker, and closes its files when a worker is lost", async () => {
    const source = store(FOLDER);
    const made = await watchedPool(source, { workers: 2 }, [{ at: "forward", how: "exit" }, { at: "forward", how: "exit" }]);
    const opened = source.counts.opened;
    expect(opened % 2).toBe(0);
    await expect(made.pool.forward([2, 3], null)).rejects.toMatchObject({ code: "worker-lost" });
    await eventually(() => expect(source.counts).toEqual({ opened: opened * 1.5, open: 0 }));
    made.pool.dispose();

    // While the weights are read.
    const held = store(FOLDER);
    const controller = new AbortController();
    const loading = loadPool(held, { workers: 2, signal: controller.signal, onProgress: () => controller.abort() });
    await expect(loading).rejects.toMatchObject({ name: "AbortError" });
    await eventually(() => expect(held.counts.open).toBe(0));
  });
});

async function addShipped(to: Pick<Awaited<ReturnType<typeof loadEncoder>>, "addAdapter">): Promise<void> {
  await to.addAdapter("names", "models/adapters/wikigold");
  await to.addAdapter("intent", "models/adapters/banking77");
}

it("a file of a source of the caller's that a worker refuses unread is closed", async () => {
  const closed: string[] = [];
  const own = store(FOLDER);
  const server = new SourceServer({ ...own, open: async (file, options) => ({ ...(await own.open(file, options)), close: async () => void closed.push(file) }) });
  const source = unpackSource({ kind: "host", location: "a store" }, server) as Source;
  const file = await source.open("config.json", { signal: undefined });
  await file.close!();
  expect(closed).toEqual(["config.json"]);
});

describe("a process ends", () => {
  const script = (last: string): string => `
    import { loadPool } from "rootstock/pool";
    const pool = await loadPool("models/mtpf-minilm-l6", { workers: 2 });
    await pool.embed(["one text", "and another"]);
    ${last}`;

  it.each([
    ["when the pool is disposed", "pool.dispose(); console.log('end');"],
    ["when nothing is pending, without disposing", "console.log('end');"],
    ["when it is disposed with calls pending", "const call = pool.embed(['a', 'b']); pool.dispose(); await call.catch(({ code }) => console.log(code === 'disposed' ? 'end' : code));"],
  ])("%s", (_, last) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script(last)], { encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "end\n", stderr: "" });
  });
});

it("a file that closes at once, or cannot be closed, does not keep the others open", async () => {
  const own = store(FOLDER);
  const closed: string[] = [];
  const server = new SourceServer({
    ...own,
    async open(file, options) {
      const opened = await own.open(file, options);
      const inner = opened.chunks[Symbol.asyncIterator]();
      // As a source without types may be: neither gives a promise.
      const plain = { next: () => inner.next(), return: () => ({ done: true, value: undefined }) };
      const close = (): void => {
        closed.push(file);
        if (file === "config.json") throw new Error("no");
      };
      return { size: opened.size, chunks: { [Symbol.asyncIterator]: () => plain }, close } as never;
    },
  });
  for (const file of ["config.json", "tokenizer.json"]) await server.open(file);
  server.end();
  await eventually(() => expect(closed).toEqual(["config.json", "tokenizer.json"]));
});

it("a source that is none leaves no thread, so that the process ends", () => {
  const script = `import { loadPool } from ${JSON.stringify(new URL("../../dist/pool/index.js", import.meta.url).href)};
    for (const source of ["", 7, null, "file://host/x"]) await loadPool(source, { workers: 1 }).then(() => process.exit(3), ({ code }) => console.log(code));`;
  const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", timeout: 30_000 });
  expect(status).toBe(0);
  expect(stdout.trim().split("\n")).toHaveLength(4);
});
