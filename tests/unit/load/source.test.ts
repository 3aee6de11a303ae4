import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { assetSource } from "../../../src/inline.ts";
import { coresAvailable, fileSystem, workerThreads } from "../../../src/load/builtin.ts";
import { lengthOf, toSource, unreadable, urlSource, arrivingChunks, type Source } from "../../../src/load/source.ts";

const root = mkdtempSync(join(tmpdir(), "rootstock-source-"));
writeFileSync(join(root, "a.json"), "{}");
mkdirSync(join(root, "b.json"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

async function readAll(source: Source, file: string, signal?: AbortSignal): Promise<string> {
  const { chunks } = await source.open(file, { signal });
  let text = "";
  for await (const chunk of chunks) text += Buffer.from(chunk).toString();
  return text;
}

const code = (expected: string): object => expect.objectContaining({ code: expected }) as object;

/** As in a browser: no file system. */
function withoutNode(): void {
  vi.spyOn(process as { getBuiltinModule: (name: string) => unknown }, "getBuiltinModule").mockReturnValue(undefined);
}

describe("a folder given", () => {
  it("is a path, a file URL, a map, an object of files, or a source of one's own", async () => {
    const own: Source = { location: "mine", open: async () => ({ size: 1, chunks: (async function* () {})() }) };
    expect(toSource(own)).toBe(own);
    for (const given of [root, pathToFileURL(root), pathToFileURL(root).href, new Map([["a.json", Buffer.from("{}")]]), { "a.json": Buffer.from("{}") }]) {
      expect(await readAll(toSource(given), "a.json")).toBe("{}");
      await expect(toSource(given).open("c.json", { signal: undefined })).rejects.toEqual(code("source-missing"));
    }
  });

  it("is refused when it is none", async () => {
    for (const given of [null, undefined, 7, true]) expect(() => toSource(given as never)).toThrow(code("argument-invalid"));
    for (const url of ["file://%", "file://host/folder", "file:///folder%2Fname"]) expect(() => toSource(url)).toThrow(code("argument-invalid"));
    await expect(toSource({ "a.json": "text" } as never).open("a.json", { signal: undefined })).rejects.toEqual(code("argument-invalid"));
  });

  it("is refused, and named, when it is something else that has no files", () => {
    class Files {}
    for (const [given, found] of [
      ["", '""'], [[], "a list"], [[Buffer.from("{}")], "a list"], [new Date(), "an object"], [new Files(), "an object"], [Promise.resolve("models"), "an object"], [() => "models", "a function"], [null, "null"], [undefined, "nothing"],
      [new (class { addAdapter(): void {} })(), "an encoder or pool, which is loaded"],
    ] as const) {
      expect(() => toSource(given as never)).toThrow(expect.objectContaining({ code: "argument-invalid", message: `a source must be a path, a URL, a map of files, or an object with open(); got ${found}.` }) as Error);
    }
    // Of no prototype, and of another realm.
    for (const plain of [Object.create(null), runInNewContext("({})")]) expect(toSource(plain as never).location).toBe("the given files");
  });

  it("has files, not folders in their place, below folders, not files", async () => {
    await expect(toSource(root).open("b.json", { signal: undefined })).rejects.toEqual(code("source-missing"));
    await expect(toSource(join(root, "a.json")).open("a.json", { signal: undefined })).rejects.toEqual(code("source-missing"));
  });

  it("that is not there is told by the path that it means here", async () => {
    for (const path of ["no/such-folder", "./no/such-folder", "tests/../no/such-folder"]) {
      await expect(toSource(path).open("a.json", { signal: undefined })).rejects.toThrow(`a.json is not in ${join(process.cwd(), "no/such-folder")}. Check the path`);
    }
    await expect(toSource(join(root, "gone")).open("a.json", { signal: undefined })).rejects.toThrow(`a.json is not in ${join(root, "gone")}.`);
  });

  it("says what cannot be read: by its name, by its rights, while it is read", async () => {
    await expect(toSource(`${root}/${"x".repeat(300)}`).open("a.json", { signal: undefined })).rejects.toEqual(code("source-unreadable"));
    const fs = process.getBuiltinModule("node:fs");
    vi.spyOn(fs, "openSync").mockImplementationOnce(() => {
      throw new Error("denied");
    });
    await expect(readAll(toSource(root), "a.json")).rejects.toEqual(code("source-unreadable"));
    vi.spyOn(fs, "read").mockImplementationOnce(((...args: unknown[]) => (args.at(-1) as (error: Error) => void)(new Error("disk"))) as never);
    await expect(readAll(toSource(root), "a.json")).rejects.toEqual(code("source-unreadable"));
    chmodSync(join(root, "a.json"), 0o644);
    await expect(readAll(toSource(root), "a.json", AbortSignal.abort("enough"))).rejects.toBe("enough");
  });
});

describe("a folder on a server", () => {
  it("is what a URL means where there is no file system", async () => {
    withoutNode();
    vi.stubGlobal("fetch", async (url: URL) => new Response(url.href));
    expect(await readAll(toSource("https://a.example/m"), "c.json")).toBe("https://a.example/m/c.json");
    expect(await readAll(toSource("https://a.example/m/"), "c.json")).toBe("https://a.example/m/c.json");
    vi.stubGlobal("location", { href: "https://b.example/page" });
    expect(await readAll(toSource("m"), "c.json")).toBe("https://b.example/m/c.json");
    for (const given of ["data:,x", "http://", "blob:x"]) expect(() => toSource(given)).toThrow(code("argument-invalid"));
    vi.unstubAllGlobals();
    expect(() => toSource("models")).toThrow(code("argument-invalid"));
  });

  const answering = (answer: () => Response | Promise<Response>): Source => urlSource(new URL("https://a.example/m/"), async () => answer(), arrivingChunks);

  it("is read by what it answers", async () => {
    expect(await readAll(answering(() => new Response("{}")), "a.json", new AbortController().signal)).toBe("{}");
    for (const status of [404, 410]) await expect(answering(() => new Response("", { status })).open("a.json", { signal: undefined })).rejects.toEqual(code("source-missing"));
    for (const response of [new Response("", { status: 500 }), new Response(null)]) {
      await expect(answering(() => response).open("a.json", { signal: undefined })).rejects.toEqual(code("source-unreadable"));
    }
    await expect(answering(() => Promise.reject(new Error("no network"))).open("a.json", { signal: undefined })).rejects.toEqual(code("source-unreadable"));
    await expect(answering(() => Promise.reject(new Error("no network"))).open("a.json", { signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
  });

  it("says when its body breaks off", async () => {
    const broken = (): Response => new Response(new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) }));
    const { chunks } = await answering(broken).open("a.json", { signal: undefined });
    await expect(chunks[Symbol.asyncIterator]().next()).rejects.toEqual(code("source-unreadable"));
    await expect(readAll(answering(broken), "a.json")).rejects.toEqual(code("source-unreadable"));
    const signal = { throwIfAborted: () => { throw "enough"; }, aborted: false } as unknown as AbortSignal; // prettier-ignore
    await expect(readAll(answering(broken), "a.json", signal)).rejects.toBe("enough");
  });

  it("has the length that its headers say, if they say one", () => {
    const length = (headers: Record<string, string>): number | null => lengthOf(new Headers(headers));
    expect(length({ "content-length": "12" })).toBe(12);
    for (const bad of ["", "-1", "1.5", "1e3", "12, 12", "abc", "9".repeat(30)]) expect(length({ "content-length": bad })).toBeNull();
    expect(length({})).toBeNull();
    expect(length({ "content-length": "12", "content-encoding": "gzip" })).toBeNull();
  });

  it("names what went wrong, whatever was thrown", () => {
    expect(unreadable("x", "text").message).toContain("text");
  });
});

describe("Workers assets", () => {
  it("are read through the binding, by path, into memory of ours", async () => {
    const asked: string[] = [];
    const bytes = Buffer.from("x".repeat(3_000_000));
    const body = (): ReadableStream => new ReadableStream({ type: "bytes", start: (controller) => (controller.enqueue(new Uint8Array(bytes)), controller.close(), controller.byobRequest?.respond(0)) });
    const source = assetSource({ fetch: async (url) => (asked.push(url.href), new Response(body())) }, "/m");
    expect((await readAll(source, "a.json")).length).toBe(bytes.length);
    expect(asked).toEqual(["https://assets.invalid/m/a.json"]);
    const { chunks } = await source.open("a.json", { signal: undefined });
    for await (const chunk of chunks) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });
});

describe("Workers assets that are none", () => {
  it("are refused: no binding, no path", () => {
    for (const binding of [undefined, null, {}, "ASSETS"]) expect(() => assetSource(binding as never, "/m")).toThrow(expect.objectContaining({ code: "argument-invalid", message: expect.stringMatching(/^the binding of assets is .+env\.ASSETS\.$/) as unknown }) as Error);
    for (const folder of [undefined, null, 7, new URL("https://a.example/m")]) expect(() => assetSource({ fetch: async () => new Response() }, folder as never)).toThrow(expect.objectContaining({ code: "argument-invalid", message: expect.stringMatching(/^the folder of assets is .+give its path/) as unknown }) as Error);
  });
});

describe("Node's modules", () => {
  it("are found in Node, and missed elsewhere without a word", () => {
    expect(fileSystem()).toBe(process.getBuiltinModule("node:fs"));
    expect(workerThreads()).toBe(process.getBuiltinModule("node:worker_threads"));
    expect(coresAvailable()).toBeGreaterThanOrEqual(1);
    withoutNode();
    expect(fileSystem()).toBeUndefined();
    vi.stubGlobal("navigator", { hardwareConcurrency: 6 });
    expect(coresAvailable()).toBe(6);
    vi.stubGlobal("navigator", { hardwareConcurrency: Number.NaN });
    expect(coresAvailable()).toBe(1);
    vi.stubGlobal("navigator", undefined);
    expect(coresAvailable()).toBe(1);
    vi.stubGlobal("process", undefined);
    expect(fileSystem()).toBeUndefined();
    // A bundler's stand-in for it has no version.
    for (const stub of [{}, { versions: {} }]) {
      vi.stubGlobal("process", stub);
      expect(fileSystem()).toBeUndefined();
    }
  });

  it("are missed with a word in a Node that is too old to give them", () => {
    vi.stubGlobal("process", { versions: { node: "18.20.4" } });
    const needed = expect.objectContaining({ code: "source-unreadable", message: "files cannot be read in Node 18.20.4: Node 20.20 or 22.3 and newer is needed." }) as Error;
    for (const path of ["models/mtpf-minilm-l6", "/models", "file:///models"]) expect(() => toSource(path)).toThrow(needed);
    expect(toSource("https://a.example/m").location).toBe("https://a.example/m/");
    expect(workerThreads()).toBeUndefined();
  });
});
