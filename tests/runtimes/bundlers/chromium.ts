import { createReadStream, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { launch } from "puppeteer-core";
import type { Answer } from "../answers.ts";

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
/** What a careful site sends: own files only, and of `eval` no more than WebAssembly. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
const PAGE = '<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="SCRIPT"></script>';

/** Serves a built folder and the package's models on a loopback port; `/` is a page with that script. */
export async function servePage(folder: string, models: string, script: string): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url!, "http://localhost").pathname));
    if (path === "/") {
      response.writeHead(200, { "content-type": "text/html", "content-security-policy": `${POLICY}; img-src data:` }).end(PAGE.replace("SCRIPT", script));
      return;
    }
    const file = path.startsWith("/models/") ? join(models, path.slice("/models".length)) : join(folder, path);
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-length": statSync(file).size });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export interface PageAnswer {
  readonly answer: Answer;
  /** What the page asked of any other host. */
  readonly elsewhere: readonly string[];
}

/** Opens a page in a new Chromium with an empty profile and waits for its `answer`. @throws Error what the page threw. */
export async function pageAnswer(chromium: string, url: string): Promise<PageAnswer> {
  const profile = mkdtempSync(join(tmpdir(), "rootstock-chromium-"));
  const browser = await launch({ executablePath: chromium, headless: true, userDataDir: profile, args: FLAGS });
  try {
    const page = await browser.newPage();
    const elsewhere: string[] = [];
    const said: string[] = [];
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url)) elsewhere.push(request.url());
    });
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    await page.goto(url);
    await page.waitForFunction("globalThis.answer !== undefined", { timeout: 30_000 }).catch((cause: unknown) => {
      throw new Error(`the page gives no answer: ${said.join("; ")}`, { cause });
    });
    return { answer: (await page.evaluate("globalThis.answer")) as Answer, elsewhere };
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
