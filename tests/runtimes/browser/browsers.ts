import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer, { type Browser, type LaunchOptions } from "puppeteer-core";
import { describe, it } from "vitest";

export type BrowserName = "chromium" | "firefox";

const PATHS: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
  firefox: ["/usr/bin/firefox-esr", "/usr/bin/firefox"],
};

const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where the browser lies: an environment variable (CHROMIUM_PATH, FIREFOX_PATH), or where distributions put it. */
export function browserPath(name: BrowserName): string | null {
  const given = process.env[`${name.toUpperCase()}_PATH`];
  return [...(given === undefined ? [] : [given]), ...PATHS[name]].find(existsSync) ?? null;
}

export interface Launched {
  readonly browser: Browser;
  close(): Promise<void>;
}

/** A browser with a new, empty profile, driven through CDP (Chromium) or WebDriver BiDi (Firefox). */
export async function launch(name: BrowserName, flags: readonly string[] = [], options: Pick<LaunchOptions, "enableExtensions" | "pipe" | "protocolTimeout" | "extraPrefsFirefox"> = {}): Promise<Launched> {
  const userDataDir = mkdtempSync(join(tmpdir(), "rootstock-browser-"));
  const browser = await puppeteer.launch({
    browser: name === "chromium" ? "chrome" : "firefox",
    executablePath: browserPath(name)!,
    headless: true,
    userDataDir,
    args: [...(name === "chromium" ? CHROMIUM_FLAGS : []), ...flags],
    ...options,
  });
  return {
    browser,
    async close() {
      await browser.close();
      rmSync(userDataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * The same tests for each browser. ROOTSTOCK_RUNTIMES names the runtimes that must be there, with commas between: without it those
 * that are not installed are skipped.
 */
export function describeBrowsers(names: readonly BrowserName[], tests: (name: BrowserName) => void): void {
  const asked = process.env["ROOTSTOCK_RUNTIMES"]?.split(",").map((name) => name.trim());
  for (const name of names) {
    const isThere = browserPath(name) !== null;
    if (asked === undefined ? isThere : asked.includes(name) && isThere) describe(name, () => tests(name));
    else if (asked?.includes(name)) it(`${name} is installed, as ROOTSTOCK_RUNTIMES asks`, () => { throw new Error(`no ${name} at ${PATHS[name].join(", ")}; install it or set ${name.toUpperCase()}_PATH`); }); // prettier-ignore
    else it.skip(`${name}: ${asked === undefined ? "not installed" : "not asked for by ROOTSTOCK_RUNTIMES"}`, () => undefined);
  }
}
