// Rootstock in browsers, from a server on the loopback interface: import to the first entities with an empty and a filled cache, a
// text of 32 tokens, bytes that a page loads, peak memory of the page's process above its own while it was empty; training.
//   npm run build && node bench/browser.mjs [--browsers chromium,firefox] [--rounds 11] [--json]
// With --json, one line for bench/runtimes.mjs: the best of five new browsers, their median memory.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import puppeteer from "puppeteer-core";
import { rolldown } from "rolldown";
import { serve } from "../examples/browser/serve.mjs";
import { peaksOfPages, workOf } from "./browser/processes.mjs";
import { ms, printTable } from "./table.mjs";

const { values } = parseArgs({
  options: { browsers: { type: "string", default: "chromium,firefox" }, rounds: { type: "string", default: "11" }, json: { type: "boolean", default: false } },
});
const rounds = Number(values.rounds);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const PATHS = { chromium: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium", firefox: process.env.FIREFOX_PATH ?? "/usr/bin/firefox-esr" };
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const LAUNCHES = 5;
/** New browsers for each figure of memory. */
const PAGES = 7;
const PAGE = '<!doctype html><html lang="en"><title>Bench</title>';

async function bundle(path) {
  const build = await rolldown({ input: here(path), platform: "browser", cwd: here(".."), external: ["./rootstock.js"] });
  return (await build.generate({ format: "esm", minify: true })).output[0].code;
}

async function withBrowser(name, use) {
  const userDataDir = mkdtempSync(join(tmpdir(), "rootstock-bench-"));
  const browser = await puppeteer.launch({
    browser: name === "chromium" ? "chrome" : "firefox", executablePath: PATHS[name], headless: true, userDataDir, args: name === "chromium" ? FLAGS : [],
    // Else the page's own process keeps a copy of every body, for whoever watches the network: 24 MB of the encoder.
    networkEnabled: false,
  });
  try {
    return await use(browser, await browser.newPage());
  } finally {
    await browser.close();
    rmSync(userDataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

const subject = (page, name, args) => page.evaluate((which, given) => globalThis.subjects[which](given), name, args);
const median = (sorted) => sorted[sorted.length >> 1];

async function startTimes(page, url) {
  const cold = [];
  const warm = [];
  let last;
  for (let round = 0; round < rounds; round++) {
    await page.goto(url);
    await subject(page, "forget");
    await page.goto(url);
    cold.push((await subject(page, "start")).ms);
    await page.goto(url);
    warm.push((last = await subject(page, "start")).ms);
  }
  for (const times of [cold, warm]) times.sort((a, b) => a - b);
  return { cold, warm, kernel: last.kernel, linear: last.linear };
}

/**
 * By how many bytes loading and one text raise the peak of a page's process above what it was while the same page was empty. Each time a
 * new browser; with `isWarm` the files are in the cache, from a page whose process is gone.
 */
async function memory(name, address, isWarm) {
  return withBrowser(name, async (browser, first) => {
    let page = first;
    if (isWarm) {
      await page.goto(`${address}app/bench/index.html`);
      await subject(page, "start");
      await page.close();
      page = await browser.newPage();
    }
    await page.goto(`${address}app/bench/empty.html`);
    await setTimeout(1000); // what the browser itself does for a new page is over
    const before = peaksOfPages(browser.process().pid);
    await page.evaluate(() => import("./subject.js"));
    await subject(page, "start");
    // Only the page's own grows.
    const rises = [...peaksOfPages(browser.process().pid)].map(([pid, peak]) => ({ rise: peak - (before.get(pid) ?? peak), empty: before.get(pid) }));
    return rises.reduce((most, one) => (one.rise > most.rise ? one : most));
  });
}

/** 1,000 rows of 20 tokens, five epochs, in a worker; and the rise of the page's peak above its own while it was empty. */
async function reportTraining(name, address) {
  await withBrowser(name, async (browser, page) => {
    await page.goto(`${address}app/bench/empty.html`);
    await setTimeout(1000);
    const before = peaksOfPages(browser.process().pid);
    const worked = new Map([...before.keys()].map((pid) => [pid, workOf(pid)]));
    const { seconds, tokens } = await page.evaluate(
      (given) =>
        new Promise((resolve, reject) => {
          const worker = new Worker("teach.js", { type: "module" });
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = (event) => reject(new Error(event.message));
          worker.postMessage(given);
        }),
      { rows: 1000, epochs: 5 },
    );
    const rises = [...peaksOfPages(browser.process().pid)].map(([pid, peak]) => ({ pid, rise: peak - (before.get(pid) ?? peak) }));
    const { pid, rise } = rises.reduce((most, one) => (one.rise > most.rise ? one : most));
    const work = workOf(pid) - worked.get(pid);
    console.log(`1,000 rows of ${tokens.toFixed(1)} tokens, 5 epochs: ${seconds.toFixed(1)} s (goal < 90), ${work.toFixed(1)} s of work; peak memory ${(rise / 1e6).toFixed(0)} MB above the empty page (goal ≤ 250 MB)`);
  });
}

async function reportMemory(name, address) {
  const mb = (bytes) => (bytes / 1e6).toFixed(1);
  for (const [title, isWarm] of [["downloading", false], ["from the cache", true]]) {
    const pages = [];
    while (pages.length < PAGES) pages.push(await memory(name, address, isWarm));
    const rises = pages.map(({ rise }) => rise).sort((a, b) => a - b);
    console.log(`peak memory of a page's process above its own while the page was empty (${mb(pages[0].empty)} MB), ${title}: median ${mb(median(rises))} MB, ${mb(rises[0])} to ${mb(rises.at(-1))} over ${PAGES} (goal ≤ 90 MB)`);
  }
}

/** The browser's row in the table of runtimes: an empty cache each time, and the page's process alone. */
async function row(name, url) {
  const title = { chromium: "Chromium", firefox: "Firefox" }[name];
  if (!existsSync(PATHS[name])) return { runtime: title, works: false, why: `no ${PATHS[name]}` };
  try {
    const runs = [];
    while (runs.length < LAUNCHES) {
      runs.push(await withBrowser(name, async (browser, page) => {
        await setTimeout(1000); // the browser's own start is over
        await page.goto(`${url}#first`);
        const { ms: first, kernel } = await subject(page, "first");
        const peak = Math.max(...peaksOfPages(browser.process().pid).values());
        const [best] = await subject(page, "run", { tasks: ["people", "intent"], rounds: 60 });
        return { version: (await browser.version()).split("/").at(-1), kernel, first, best, peak };
      })); // prettier-ignore
    }
    const column = (key) => runs.map((run) => run[key]).sort((a, b) => a - b);
    const { version, kernel } = runs[0];
    return { runtime: `${title} ${version}`, works: true, kernel, first: column("first")[0], ms: column("best")[0], memory: median(column("peak")) };
  } catch (error) {
    return { runtime: title, works: false, why: `no: ${error.message.split("\n")[0]}` };
  }
}

/** A slow device: Chromium slows the page's main thread down; does that reach workers? */
async function throttled(page, url) {
  await page.goto(url);
  const of = async () => [
    median(await subject(page, "run", { tasks: ["people", "intent"], rounds: 30 })),
    median(await subject(page, "worker", { name: "run", args: { tasks: ["people", "intent"], rounds: 30 } })),
  ];
  const full = await of();
  const client = await page.createCDPSession();
  await client.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  const slow = await of();
  await client.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  return { full, slow };
}

const library = await bundle("browser/rootstock.mjs");
const { address, stop } = await serve(0, new Map([
  ["/app/bench/index.html", `${PAGE}<script type="module" src="subject.js"></script>`],
  ["/app/bench/empty.html", PAGE],
  ["/app/bench/subject.js", await bundle("browser/subject.mjs")],
  ["/app/bench/rootstock.js", library],
  ["/app/bench/teach.js", await bundle("browser/teach.mjs")],
])); // prettier-ignore
const url = `${address}app/bench/index.html`;

if (values.json) {
  const rows = [];
  for (const name of values.browsers.split(",")) rows.push(await row(name, url));
  console.log(JSON.stringify(rows));
} else {
  await report();
}
stop();

/** The size of what a page loads, then each browser's figures. */
async function report() {
  const [script, ...binaries] = [library, ...["relaxed", "fixed"].map((kind) => readFileSync(here(`../build/wasm/${kind}.wasm`)))].map((part) => gzipSync(part, { level: 9 }).length);
  const largest = Math.max(...binaries);
  console.log(`a page's own JavaScript with tokenizers, and the larger of the two kernel binaries, of which it loads one, gzipped: ${script} + ${largest} = ${script + largest} bytes (goal ≤ 75,000)`);

  for (const name of values.browsers.split(",")) {
    await withBrowser(name, async (browser, page) => {
      const { cold, warm, kernel, linear } = await startTimes(page, url);
      console.log(`\n${await browser.version()}, kernel ${kernel}, linear memory ${(linear / 1e6).toFixed(1)} MB; best, median of ${rounds}`);
      await page.goto(url);
      const one = await subject(page, "run", { tasks: ["people"], rounds: 60 });
      const two = await subject(page, "run", { tasks: ["people", "intent"], rounds: 60 });
      printTable(["", "best ms", "median ms"], [
        ["import to first entities, empty cache (goal ≤ 400)", ms(cold[0]), ms(median(cold))],
        ["import to first entities, filled cache (goal ≤ 200)", ms(warm[0]), ms(median(warm))],
        ["32 tokens, one task", ms(one[0]), ms(median(one))],
        ["32 tokens, two tasks", ms(two[0]), ms(median(two))],
      ]); // prettier-ignore
      if (name !== "chromium") return;
      const { full, slow } = await throttled(page, url);
      console.log(`32 tokens, two tasks, CPU slowed down 4 times (goal < 120): page ${ms(slow[0])} ms (else ${ms(full[0])}), worker ${ms(slow[1])} ms (else ${ms(full[1])})`);
    });
    await reportMemory(name, address);
    await reportTraining(name, address);
  }
}
