// Serves this folder and the package's models on the loopback interface: npm run demo [-- --port 8462]
import { createHash } from "node:crypto";
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PACKAGE = join(HERE, "../..");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json", ".wasm": "application/wasm" };
/** All that the page needs: its own files and WebAssembly. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'";

/**
 * Starts the server.
 * @param more further files, path to contents
 * @returns its address and how to end it
 */
export async function serve(port = 0, more = new Map()) {
  const made = new Map([...more, ...(await bundle("encoder-worker.js")), ...(await bundle("teach/panel.js", "teach.js"))]);
  const server = createServer((request, response) => answer(request, response, made));
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { address: `http://127.0.0.1:${server.address().port}/`, stop };
}

/** A script and what it imports, as an application's bundler makes it; what it imports on demand is a file of its own. */
async function bundle(input, name = input) {
  const build = await rolldown({ input: join(HERE, input), platform: "browser", cwd: PACKAGE });
  // All in one folder: the library looks for its kernels beside its code.
  const { output } = await build.generate({ format: "esm", minify: true, entryFileNames: name, chunkFileNames: `${name.replace(".js", "")}-[hash].js` });
  return output.map(({ fileName, code }) => [`/app/demo/${fileName}`, code]);
}

function answer(request, response, made) {
  const { pathname } = new URL(request.url, "http://127.0.0.1");
  const headers = { "content-security-policy": POLICY, "x-content-type-options": "nosniff" };
  if (made.has(pathname)) {
    response.writeHead(200, { ...headers, "content-type": TYPES[extname(pathname)] }).end(made.get(pathname));
    return;
  }
  const file = fileAt(pathname);
  if (file === null) {
    response.writeHead(pathname === "/" ? 302 : 404, pathname === "/" ? { location: "/app/demo/" } : headers).end();
    return;
  }
  send(file, request, response, headers);
}

/** The page lies two folders deep, so that its worker finds ../../build/wasm as the package's own files do. */
function fileAt(pathname) {
  const page = /^\/app\/demo\/([a-z-]*(?:\.(?:html|js|css|svg))?)$/.exec(pathname)?.[1];
  const shared = /^\/((?:models(?:\/[a-z0-9-]+){1,2}\/[\w.-]+)|build\/wasm\/[\w-]+\.wasm)$/.exec(pathname)?.[1];
  const path = page !== undefined ? join(HERE, page || "index.html") : shared === undefined ? null : join(PACKAGE, shared);
  return path !== null && existsSync(path) && statSync(path).isFile() ? path : null;
}

function send(path, request, response, headers) {
  const { size, mtimeMs } = statSync(path);
  const etag = `"${createHash("sha256").update(`${size} ${mtimeMs}`).digest("hex").slice(0, 16)}"`;
  const own = { ...headers, etag, "accept-ranges": "bytes", "cache-control": "no-cache", "content-type": TYPES[extname(path)] ?? "application/octet-stream" };
  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304, own).end();
    return;
  }
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (range === null) {
    response.writeHead(200, { ...own, "content-length": size });
    createReadStream(path).pipe(response);
    return;
  }
  const [start, end] = [Number(range[1]), Math.min(Number(range[2]), size - 1)];
  response.writeHead(206, { ...own, "content-length": end - start + 1, "content-range": `bytes ${start}-${end}/${size}` });
  createReadStream(path, { start, end }).pipe(response);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { port: { type: "string", default: "8462" } } });
  const { address } = await serve(Number(values.port));
  console.log(`Rootstock runs at ${address} (Ctrl+C ends it)`);
}
