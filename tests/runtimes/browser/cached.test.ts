import { readFileSync } from "node:fs";
import type { Page } from "puppeteer-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { loadEncoder } from "../../../src/index.ts";
import { eventually } from "../../eventually.ts";
import { describeBrowsers, launch, type Launched } from "./browsers.ts";
import { bundle } from "./bundle.ts";
import { FileServer } from "./server.ts";
import type { Answer, Job } from "./subject/answer.ts";
import type { Place } from "./subject/page.ts";

const TEXT = "My card was stolen in Warsaw, please block it. Marie Curie";
const MODEL = "/models/mtpf-minilm-l6";
const ADAPTERS = { people: "/models/adapters/wikigold", intent: "/models/adapters/banking77" };
const JOB: Job = { model: MODEL, adapters: ADAPTERS, text: TEXT };
const SIZE = 23_718_824;
const PIECE = 4 << 20;
/** Where downloads are cut: within the third piece. */
const CUT = 10_000_000;
/** The strictest policy under which WebAssembly runs at all. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' http://127.0.0.1:*; object-src 'none'; base-uri 'none'";

describeBrowsers(["chromium", "firefox"], (name) => {
  let launched: Launched;
  let server: FileServer;
  let base: string;
  let page: Page;

  beforeAll(async () => {
    launched = await launch(name);
    server = new FileServer();
    server.headers.set("content-security-policy", POLICY);
    server.files.set("/index.html", '<!doctype html><html lang="en"><title>Test</title><script type="module" src="/dist/subject/page.js"></script>');
    server.files.set("/dist/subject/page.js", await bundle("tests/runtimes/browser/subject/page.ts"));
    server.files.set("/dist/subject/worker.js", await bundle("tests/runtimes/browser/subject/worker.ts"));
    server.files.set("/service-worker.js", await bundle("tests/runtimes/browser/subject/worker.ts", "iife"));
    // A worker's own scope is its folder; the tests' page lies above.
    server.headers.set("service-worker-allowed", "/");
    base = await server.start();
    page = await launched.browser.newPage();
  });

  afterAll(async () => {
    await launched?.close();
    await server?.stop().catch(() => undefined);
  });

  beforeEach(async () => {
    server.faults.clear();
    await page.goto(`${base}index.html`);
    server.requests.length = 0;
  });

  /** Cuts the weights' download once the page keeps the pieces that had arrived whole. */
  const cut = { after: CUT, when: () => eventually(async () => expect(await piecesKept()).toBe(Math.floor(CUT / PIECE))) };
  const piecesKept = (): Promise<number> =>
    page.evaluate(async (pieces) => (await (await caches.open("rootstock")).keys()).filter(({ url }) => pieces.some((piece) => url.endsWith(piece))).length, manifestPieces());

  const ask = (job: Job, place: Place = "page"): Promise<Answer> =>
    page.evaluate((where, given) => (globalThis as unknown as { subject: (place: string, job: unknown) => Promise<Answer> }).subject(where, given), place, job);

  it.each<Place>(["page", "worker", "service worker", "module service worker"])("a %s gives the bits that Node gives, under a strict policy", async (place) => {
    using encoder = await loadEncoder(`.${MODEL}`);
    for (const [task, folder] of Object.entries(ADAPTERS)) await encoder.addAdapter(task, `.${folder}`);
    const expected = await encoder.run(TEXT, Object.keys(ADAPTERS), { topK: null });
    const { results, error } = await ask({ ...JOB, isFirst: true }, place);
    expect(error).toBeUndefined();
    expect(results).toEqual(expected);
  });

  it("the second load takes the weights from the cache", async () => {
    const first = await ask({ ...JOB, isFirst: true });
    expect(server.bytesOf("model.safetensors")).toBe(SIZE + sizeOfAdapters());
    expect(first.progress).toEqual({ done: SIZE, total: SIZE, rises: true });
    server.requests.length = 0;
    const second = await ask(JOB);
    expect(second.results).toEqual(first.results);
    expect(server.requests.filter(({ path }) => path.startsWith("/models/")).map(({ bytes }) => bytes)).toEqual(new Array(7).fill(0));
  });

  it("opens and runs without a network after the first load", async () => {
    const { results } = await ask({ ...JOB, isFirst: true });
    const { port } = new URL(base);
    await server.stop();
    try {
      await page.goto("about:blank");
      await page.goto(`${base}index.html`);
      const offline = await ask(JOB);
      expect(offline.error).toBeUndefined();
      expect(offline.results).toEqual(results);
    } finally {
      await server.start(Number(port));
    }
  });

  it("a cut download goes on where it ended", async () => {
    server.faults.set("mtpf-minilm-l6/model.safetensors", { cut });
    const ended = await ask({ ...JOB, isFirst: true });
    expect(["source-unreadable", "source-truncated"]).toContain(ended.error);
    expect(ended.memories.length).toBeLessThanOrEqual(1);
    server.faults.clear();
    server.requests.length = 0;
    const { results, error } = await ask(JOB);
    expect(error).toBeUndefined();
    expect(results).toHaveProperty("people");
    const whole = Math.floor(CUT / PIECE);
    expect(server.requests.filter(({ path }) => path.endsWith("mtpf-minilm-l6/model.safetensors"))).toEqual([
      { path: `${MODEL}/model.safetensors`, range: `bytes=${whole * PIECE}-${SIZE - 1}`, status: 206, bytes: SIZE - whole * PIECE },
    ]);
  });

  it("a cut download starts again where the server knows no ranges", async () => {
    server.faults.set("mtpf-minilm-l6/model.safetensors", { cut });
    await ask({ ...JOB, isFirst: true });
    server.faults.set("mtpf-minilm-l6/model.safetensors", { noRange: true });
    expect((await ask(JOB)).results).toHaveProperty("people");
  });

  it("an aborted load rejects with the reason and keeps what had arrived", async () => {
    server.faults.set("mtpf-minilm-l6/model.safetensors", { slowMs: 1 });
    expect((await ask({ ...JOB, isFirst: true, abortAfter: 2 * PIECE })).error).toBe("enough");
    server.requests.length = 0;
    server.faults.clear();
    expect((await ask(JOB)).error).toBeUndefined();
    expect(server.bytesOf("mtpf-minilm-l6/model.safetensors")).toBeLessThanOrEqual(SIZE - PIECE);
  });

  it("a damaged piece in the cache is fetched again, alone", async () => {
    await ask({ ...JOB, isFirst: true });
    const digest = manifestPieces()[3]!;
    await page.evaluate(async (piece) => {
      const cache = await caches.open("rootstock");
      const key = (await cache.keys()).find(({ url }) => url.endsWith(piece))!;
      const bytes = new Uint8Array(await (await cache.match(key))!.arrayBuffer());
      bytes[1000]! ^= 1;
      await cache.put(key, new Response(bytes));
    }, digest);
    server.requests.length = 0;
    expect((await ask(JOB)).results).toHaveProperty("people");
    expect(server.requests.filter(({ range }) => range !== undefined).map(({ range }) => range)).toEqual([`bytes=${3 * PIECE}-${4 * PIECE - 1}`]);
  });

  it.each([
    ["wrong bytes", { wrongByteAt: 12_345_678 }, "digest-mismatch"],
    ["a page in its place", { html: true }, "source-truncated"],
    ["an error of the server", { status: 500 }, "source-unreadable"],
    ["no such file", { status: 404 }, "source-missing"],
  ])("%s: one error, and the next load is right", async (_, fault, code) => {
    server.faults.set("mtpf-minilm-l6/model.safetensors", fault);
    expect((await ask({ ...JOB, isFirst: true })).error).toBe(code);
    server.faults.clear();
    expect((await ask(JOB)).results).toHaveProperty("people");
  });

  it("another origin is read by simple requests alone: resumed, and confirmed by the ETag that it shows", async () => {
    const other = new FileServer();
    other.headers.set("access-control-allow-origin", "*").set("access-control-expose-headers", "etag");
    other.faults.set("mtpf-minilm-l6/model.safetensors", { cut });
    const model = `${await other.start()}models/mtpf-minilm-l6`;
    try {
      expect((await ask({ model, isFirst: true })).error).toMatch(/^source-/);
      other.faults.clear();
      other.requests.length = 0;
      expect((await ask({ model })).error).toBeUndefined();
      expect(other.bytesOf("model.safetensors")).toBe(SIZE - 2 * PIECE);
      other.requests.length = 0;
      expect((await ask({ model })).error).toBeUndefined();
      expect(other.requests.map(({ path, status }) => [path, status])).toEqual([[`${MODEL}/rootstock.json`, 200]]);
    } finally {
      await other.stop();
    }
  });

  it("declares one linear memory, of exactly the encoder's plan and the adapters' budget", async () => {
    const { memories, info } = await ask({ ...JOB, adapterBudget: 3 << 20 });
    expect(memories).toHaveLength(1);
    const { initial, maximum } = memories[0]!;
    expect(maximum! - initial).toBe((3 << 20) / 65_536);
    expect(info!.memory.total).toBeLessThanOrEqual(maximum! * 65_536);
    expect(info!.memory.weights + info!.memory.workspace).toBeGreaterThan((initial - 2) * 65_536);
  });
});

function manifestPieces(): string[] {
  const manifest = JSON.parse(readFileSync(`.${MODEL}/rootstock.json`, "utf8")) as { files: Record<string, { pieces?: { sha256: string[] } }> };
  return manifest.files["model.safetensors"]!.pieces!.sha256;
}

function sizeOfAdapters(): number {
  return Object.values(ADAPTERS).reduce((sum, folder) => sum + readFileSync(`.${folder}/adapter_model.safetensors`).length, 0);
}
