import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { convertEncoder } from "../../src/convert/convert.ts";
import { toSource } from "../../src/load/source.ts";
import { readEncoderConfig } from "../../src/format/encoder-config.ts";
import { loadEncoder, RootstockError, type Source } from "../../src/index.ts";
import { planWorkspace } from "../../src/run/workspace.ts";
import { engineLayout } from "../../src/wasm/engine.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";
import { trainAdapter } from "../../src/finetune/index.ts";
import { labelledRows, tinyFiles } from "../finetune/fixture.ts";
import { someLabels } from "../encoder/gap.ts";
import { editJson, editTensors, readFolder } from "./folder.ts";

const ADAPTER = readFolder("tests/golden/peft/adapters/bert-odd-seq");
const LABELS = someLabels(3);
const IDS = [2, 9, 17, 3];

afterEach(() => vi.unstubAllGlobals());

/** The files as a source of the caller's own, which tells what is open: neither read to its end nor given up. */
function watched(files: ReadonlyMap<string, Uint8Array>, chunks: (bytes: Uint8Array) => Iterable<Uint8Array>, tellsSize = true): { source: Source; open: Set<string> } {
  const open = new Set<string>();
  async function* read(name: string, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks(bytes);
    } finally {
      open.delete(name);
    }
  }
  const source: Source = {
    location: "memory",
    async open(name) {
      const bytes = files.get(name);
      if (bytes === undefined) throw new RootstockError("source-missing", `${name} is not there`);
      open.add(name);
      return { size: tellsSize ? bytes.length : null, chunks: read(name, bytes), close: async () => void open.delete(name) };
    },
  };
  return { source, open };
}

/** Pieces of 1,000 bytes in a Node Buffer that is used again for each, as a reader of files may do. */
function* reused(bytes: Uint8Array): Generator<Uint8Array> {
  const buffer = Buffer.alloc(1000);
  for (let at = 0; at < bytes.length; at += 1000) {
    const part = bytes.subarray(at, at + 1000);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
  }
}

async function converted(): Promise<Map<string, Uint8Array>> {
  const root = mkdtempSync(join(tmpdir(), "rootstock-loading-"));
  try {
    await convertEncoder(tinyFolder("bert"), join(root, "out"));
    return readFolder(join(root, "out"));
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe("sources", () => {
  it("may use one buffer for all they read", async () => {
    using plain = await loadEncoder(tinyFolder("bert"));
    using encoder = await loadEncoder(watched(tinyFolder("bert"), reused).source);
    expect(encoder.info.fingerprint).toBe(plain.info.fingerprint);
    await plain.addAdapter("task", ADAPTER, { labels: LABELS });
    await encoder.addAdapter("task", watched(ADAPTER, reused).source, { labels: LABELS });
    expect(await encoder.logits(IDS, "task")).toEqual(await plain.logits(IDS, "task"));
  });

  it("may leave sizes open", async () => {
    using plain = await loadEncoder(tinyFolder("bert"));
    using encoder = await loadEncoder(watched(tinyFolder("bert"), reused, false).source);
    expect(await encoder.forward(IDS, null)).toEqual(await plain.forward(IDS, null));
  });

  it("are closed when a file is too large, or reading stops", async () => {
    const long = new Uint8Array((1 << 20) + 1).fill(32);
    const large = watched(new Map(tinyFolder("bert")).set("config.json", long), reused);
    await expect(loadEncoder(large.source)).rejects.toMatchObject({ code: "limit-exceeded" });
    expect([...large.open]).toEqual([]);

    const weights = tinyFolder("bert").get("model.safetensors")!;
    const cut = watched(new Map(tinyFolder("bert")).set("model.safetensors", weights.subarray(0, 5000)), reused);
    await expect(loadEncoder(cut.source)).rejects.toMatchObject({ code: "source-truncated" });
    expect([...cut.open]).toEqual([]);

    const controller = new AbortController();
    const stopped = watched(tinyFolder("bert"), reused);
    const reason = new Error("enough");
    const loading = loadEncoder(stopped.source, { signal: controller.signal, onProgress: () => controller.abort(reason) });
    await expect(loading).rejects.toBe(reason);
    expect([...stopped.open]).toEqual([]);
  });
});

describe("a file whose known size is above its limit is refused unread, and closed", () => {
  /** The files, one of which says that it is as large and is never read. */
  function claiming(files: ReadonlyMap<string, Uint8Array>, large: string, size: number): { source: Source; closed: string[] } {
    const closed: string[] = [];
    const own = watched(files, reused).source;
    const unread = (): AsyncIterable<Uint8Array> => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("it was read")) }) });
    const open: Source["open"] = async (name, options) => (name === large ? { size, chunks: unread(), close: async () => void closed.push(name) } : own.open(name, options));
    return { source: { location: "memory", open }, closed };
  }

  it.each(["config.json", "tokenizer.json"])("%s of an encoder", async (name) => {
    const { source, closed } = claiming(tinyFolder("bert"), name, 2 ** 30);
    await expect(loadEncoder(source)).rejects.toMatchObject({ code: "limit-exceeded", message: expect.stringContaining(name) as unknown });
    expect(closed).toEqual([name]);
  });

  it("an adapter's weights", async () => {
    using encoder = await loadEncoder(tinyFolder("bert"));
    const { source, closed } = claiming(ADAPTER, "adapter_model.safetensors", 2 ** 30);
    await expect(encoder.addAdapter("task", source, { labels: LABELS })).rejects.toMatchObject({ code: "no-memory-left" });
    expect(closed).toEqual(["adapter_model.safetensors"]);
  });

  it("weights to be calibrated; plain rounding reads them in pieces, whatever their size", async () => {
    const root = mkdtempSync(join(tmpdir(), "rootstock-loading-"));
    try {
      const { source, closed } = claiming(tinyFolder("bert"), "model.safetensors", 2 ** 31 + 1);
      await expect(convertEncoder(source, join(root, "out"), { calibrate: ["w1 w2"] })).rejects.toMatchObject({ code: "limit-exceeded", message: expect.stringContaining("F16") as unknown });
      expect(closed).toEqual(["model.safetensors"]);
      await expect(convertEncoder(source, join(root, "out"))).rejects.toThrow("it was read");
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe("a file that is refused unread is closed", () => {
  it.each([
    ["another size", { size: 5000 }, true, "source-truncated"],
    ["a part of another size", { partBytes: 5000 }, true, "source-truncated"],
    ["pieces of any size", { size: 2 ** 52 }, false, "limit-exceeded"],
  ])("%s", async (_, entry, tellsSize, code) => {
    const files = await converted();
    const { files: listed } = JSON.parse(new TextDecoder().decode(files.get("rootstock.json"))) as { files: Record<string, object> };
    const changed = editJson(files, "rootstock.json", { files: { ...listed, "model.safetensors": { ...listed["model.safetensors"], pieces: undefined, ...entry } } });
    changed.set("model.safetensors.part0", new Uint8Array(10));
    const { source, open } = watched(changed, reused, tellsSize);
    await expect(loadEncoder(source)).rejects.toMatchObject({ code });
    expect([...open]).toEqual([]);
  });

  it("as is every answer of a server", async () => {
    const files = (await converted()).set("model.safetensors", new Uint8Array(10));
    const open = new Set<string>();
    vi.stubGlobal("fetch", async (url: URL) => {
      const name = url.pathname.slice(1);
      const bytes = files.get(name) ?? new Uint8Array(10);
      open.add(name);
      const end = (): void => void open.delete(name);
      const pull = (controller: ReadableStreamDefaultController): void => {
        controller.enqueue(bytes);
        controller.close();
        end();
      };
      const body = new ReadableStream({ pull, cancel: end }, { highWaterMark: 0 });
      return new Response(body, { status: files.has(name) ? 200 : 404, headers: { "content-length": String(bytes.length) } });
    });
    await expect(loadEncoder("http://host/")).rejects.toMatchObject({ code: "source-truncated", message: expect.stringMatching(/^model\.safetensors has 10 bytes/) as unknown });
    files.clear();
    await expect(loadEncoder("http://host/")).rejects.toMatchObject({ code: "source-missing" });
    expect([...open]).toEqual([]);
  });
});

describe("rootstock.json", () => {
  it("cannot make the reader take a piece buffer of any size it says", async () => {
    const files = await converted();
    const { files: listed } = JSON.parse(new TextDecoder().decode(files.get("rootstock.json"))) as { files: Record<string, { size: number; sha256: string }> };
    const weights = listed["model.safetensors"]!;
    const pieces = { bytes: 2 ** 52, sha256: [weights.sha256] };
    const claims = (entry: object): Map<string, Uint8Array> => editJson(files, "rootstock.json", { files: { ...listed, "model.safetensors": { ...weights, ...entry } } });
    using encoder = await loadEncoder(claims({ pieces }));
    expect(encoder.info.converted).toBe(true);
    const endless = watched(claims({ size: 2 ** 52 }), reused, false);
    await expect(loadEncoder(endless.source)).rejects.toMatchObject({ code: "limit-exceeded" });
  });

  it("may describe weights in one piece of any size where nothing is hashed", async () => {
    const files = await converted();
    const { files: listed } = JSON.parse(new TextDecoder().decode(files.get("rootstock.json"))) as { files: Record<string, { size: number }> };
    const size = 2 ** 31;
    const plain = toSource(editJson(files, "rootstock.json", { files: { ...listed, "model.safetensors": { ...listed["model.safetensors"], size, pieces: undefined } } }));
    const source: Source = { location: "large", open: async (name, options) => ({ ...(await plain.open(name, options)), ...(name === "model.safetensors" ? { size } : {}) }) };
    await expect(loadEncoder(source)).rejects.toMatchObject({ code: "limit-exceeded", message: expect.stringContaining("are hashed at once") as unknown });
    // The file is not as long as it says: what is found next.
    await expect(loadEncoder(source, { verify: false })).rejects.not.toMatchObject({ code: "limit-exceeded" });
  });

  it("is read where the host cannot hash (a page without TLS), weights and small files alike", async () => {
    const files = await converted();
    using checked = await loadEncoder(files);
    vi.stubGlobal("crypto", {});
    using encoder = await loadEncoder(files);
    expect(await encoder.forward(IDS, null)).toEqual(await checked.forward(IDS, null));
  });
});

describe("an encoder whose weights nothing can hash", () => {
  it("names no adapter's encoder, and is compared with none", async () => {
    using named = await loadEncoder(tinyFiles());
    const rows = labelledRows(12);
    const trained = await trainAdapter(named, { name: "toy", train: rows }, { epochs: 1 });
    vi.stubGlobal("crypto", {});
    using unknown = await loadEncoder(tinyFiles());
    expect(unknown.info.fingerprint).toBe(`sha256:${"0".repeat(64)}`);
    await unknown.addAdapter("named", trained);
    const own = await trainAdapter(unknown, { name: "toy", train: rows }, { epochs: 1 });
    vi.unstubAllGlobals();
    expect(new TextDecoder().decode(own.files.get("adapter_model.safetensors"))).not.toContain("rootstock_encoder");
    await named.addAdapter("own", own);
    expect(await named.run("ada", ["own"])).toEqual({ own: (await unknown.run("ada", ["named"])).named });
  });
});

describe("buffers", () => {
  it("never reach addresses that the kernels would take for negative", () => {
    const config = readEncoderConfig(tinyFolder("bert").get("config.json")!);
    const plan = (rows: number): number => {
      const { layout } = engineLayout();
      planWorkspace(config, rows, 2, 65_536, layout);
      return layout.end;
    };
    const rowBytes = (plan(8192) - plan(4096)) / 4096;
    const most = Math.floor((2 ** 31 - 2 ** 20) / rowBytes);
    expect(plan(most)).toBeLessThan(2 ** 31);
    expect(() => plan(most + Math.ceil(2 ** 21 / rowBytes))).toThrow(expect.objectContaining({ code: "limit-exceeded", message: expect.stringMatching(/max_position_embeddings/) as unknown }));
  });
});

describe("adapter folders", () => {
  it("larger than the whole budget: says so, and what to do", async () => {
    using encoder = await loadEncoder(tinyFolder("bert"), { adapterBudget: 64 });
    const padded = editTensors(ADAPTER, "adapter_model.safetensors", (tensor) => tensor, [
      { name: "base_model.model.padding", dtype: "U8", shape: [2 << 20], data: new Uint8Array(2 << 20) },
    ]);
    await expect(encoder.addAdapter("task", padded, { labels: LABELS })).rejects.toMatchObject({
      code: "no-memory-left",
      message: expect.stringMatching(/adapter budget of 64\. .*adapterBudget/) as unknown,
    });
  });

  it("keep their problem_type where labels are given in place of id2label", async () => {
    using encoder = await loadEncoder(tinyFolder("bert"));
    const withConfig = (config: object): Map<string, Uint8Array> => new Map(ADAPTER).set("config.json", new TextEncoder().encode(JSON.stringify(config)));
    const logits = async (name: string): Promise<Float32Array> => encoder.logits(IDS, name);
    const scores = async (name: string): Promise<number[]> => {
      const [result] = await encoder.runBatch([{ tokens: ["w4", "w12"], tasks: [name] }], { topK: null });
      return (result![name] as { score: number }[]).map(({ score }) => score);
    };
    await encoder.addAdapter("single", withConfig({}), { labels: LABELS });
    await encoder.addAdapter("multi", withConfig({ problem_type: "multi_label_classification" }), { labels: LABELS });
    await encoder.addAdapter("regression", withConfig({ problem_type: "regression" }), { labels: LABELS });
    expect(await logits("multi")).toEqual(await logits("single"));
    const raw = await scores("regression");
    const close = (got: number[], expected: number[]): void => got.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
    close(await scores("multi"), raw.map((x) => 1 / (1 + Math.exp(-x))));
    const sum = raw.reduce((total, x) => total + Math.exp(x), 0);
    close(await scores("single"), raw.map((x) => Math.exp(x) / sum));
    expect(raw.length).toBe(3);
  });
});
