import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";

/** What can go wrong with one file; the key of `faults` is the end of its path. */
export interface Fault {
  /** Closes the connection after so many bytes of the body, once `when` resolves: what a browser has not read by then it throws away. */
  readonly cut?: { readonly after: number; when(): Promise<void> };
  /** Answers a Range request with the whole file. */
  readonly noRange?: boolean;
  /** Changes the byte at this offset. */
  readonly wrongByteAt?: number;
  /** A sign-in page with status 200, as public networks give. */
  readonly html?: boolean;
  readonly status?: number;
  /** Sends no ETag. */
  readonly noETag?: boolean;
  /** Waits so long before every chunk of 64 KiB. */
  readonly slowMs?: number;
}

export interface Request {
  readonly path: string;
  readonly range: string | undefined;
  readonly status: number;
  /** Of the body, as far as they were handed to the connection. */
  readonly bytes: number;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** What an application's own files are to the browser: kept, so that a page opens without a network. */
const LASTING = /\.(html|js|wasm)$/;
const CHUNK = 65_536;

/** A file server on the loopback interface that can misbehave on demand and counts what it sends. */
export class FileServer {
  /** Files of this server alone: paths and contents. They come before `read`. */
  readonly files = new Map<string, string | Uint8Array>();
  readonly faults = new Map<string, Fault>();
  /** Headers of every answer. */
  readonly headers = new Map<string, string>();
  readonly requests: Request[] = [];
  readonly #read: (path: string) => Uint8Array | null;
  readonly #server: Server;

  /** @param read the file at a path, or null; default: files of the working directory under build, dist, models and tests/golden */
  constructor(read: (path: string) => Uint8Array | null = readPublic) {
    this.#read = read;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** @returns the address, ending in "/" */
  async start(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Ends it, open connections too: from then on it is as if there were no network. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Bytes sent of files whose path ends so, since the last `requests.length = 0`. */
  bytesOf(end: string): number {
    return this.requests.filter(({ path }) => path.endsWith(end)).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url!, "http://localhost").pathname);
    const fault = [...this.faults].find(([end]) => path.endsWith(end))?.[1] ?? {};
    const own = this.files.get(path);
    const found = own === undefined ? this.#read(path) : typeof own === "string" ? Buffer.from(own) : own;
    const { range } = request.headers;
    const reply = found === null ? { status: 404, body: new Uint8Array(0), headers: {} } : replyOf(found, path, request, fault);
    const entry = { path, range, status: reply.status, bytes: 0 };
    this.requests.push(entry);
    response.writeHead(reply.status, {
      ...(LASTING.test(path) ? { "cache-control": "max-age=3600" } : {}), ...Object.fromEntries(this.headers),
      "content-length": reply.body.length,
      ...reply.headers,
    });
    for (let at = 0; at < reply.body.length; at += CHUNK) {
      if (fault.slowMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.slowMs));
      const end = Math.min(at + CHUNK, reply.body.length, fault.cut?.after ?? Infinity);
      entry.bytes = end;
      await new Promise<void>((resolve) => response.write(reply.body.subarray(at, end), () => resolve()));
      if (response.destroyed) return;
      if (end === fault.cut?.after) {
        await fault.cut.when();
        response.destroy();
        return;
      }
    }
    response.end();
  }
}

interface Reply {
  readonly status: number;
  readonly body: Uint8Array;
  readonly headers: Record<string, string>;
}

function replyOf(found: Uint8Array, path: string, request: IncomingMessage, fault: Fault): Reply {
  if (fault.status !== undefined) return { status: fault.status, body: new Uint8Array(0), headers: {} };
  if (fault.html === true) return { status: 200, body: Buffer.from("<!doctype html><title>Sign in</title>"), headers: { "content-type": TYPES[".html"]! } };
  const content = fault.wrongByteAt === undefined ? found : Uint8Array.from(found);
  if (fault.wrongByteAt !== undefined) content[fault.wrongByteAt]! ^= 0xff;
  const etag = `"${createHash("sha256").update(content).digest("hex").slice(0, 16)}"`;
  const headers = { "content-type": TYPES[extname(path)] ?? "application/octet-stream", ...(fault.noETag ? {} : { etag }) };
  if (!fault.noETag && request.headers["if-none-match"] === etag) return { status: 304, body: new Uint8Array(0), headers };
  const range = fault.noRange ? null : /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (range === null) return { status: 200, body: content, headers };
  const [from, to] = [Number(range[1]), Math.min(Number(range[2]) + 1, content.length)];
  return { status: 206, body: content.subarray(from, to), headers: { ...headers, "content-range": `bytes ${from}-${to - 1}/${content.length}` } };
}

function readPublic(path: string): Uint8Array | null {
  if (!/^\/(build|dist|models|tests\/golden)\/[\w./-]+$/.test(path) || path.includes("..")) return null;
  try {
    return readFileSync(`.${path}`);
  } catch {
    return null;
  }
}
