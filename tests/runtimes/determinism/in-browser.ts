import { readFileSync } from "node:fs";
import type { Page } from "puppeteer-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { KERNELS } from "./case.mjs";
import { golden, type CaseResult } from "./golden.ts";
import { TEXTS } from "./text-counts.ts";
import { describeBrowsers, launch, type BrowserName, type Launched } from "../browser/browsers.ts";
import { bundle } from "../browser/bundle.ts";
import { FileServer } from "../browser/server.ts";

/** Seconds where nothing else runs; a busy machine takes longer, and puppeteer's own three minutes for a call may not do. */
const MOST_MS = 20 * 60_000;

/** The texts as they stand in texts.json, lone surrogates escaped. */
function firstTexts(): Uint8Array {
  const all = JSON.parse(readFileSync("tests/runtimes/determinism/texts.json", "utf8")) as unknown[];
  return Buffer.from(JSON.stringify(all.slice(0, TEXTS)));
}

/** The test of one browser. */
export function describeBrowser(browser: BrowserName): void {
  describeBrowsers([browser], (name) => {
    let launched: Launched;
    let server: FileServer;
    let page: Page;

    beforeAll(async () => {
      launched = await launch(name, [], { protocolTimeout: MOST_MS });
      server = new FileServer();
      server.files.set("/index.html", '<!doctype html><html lang="en"><title>Test</title><script type="module" src="/dist/subject/page.js"></script>');
      server.files.set("/dist/subject/page.js", await bundle("tests/runtimes/browser/subject/determinism.ts"));
      server.files.set("/texts.json", firstTexts());
      page = await launched.browser.newPage();
      await page.goto(`${await server.start()}index.html`);
    });

    afterAll(async () => {
      await launched?.close();
      await server?.stop();
    });

    it.each(KERNELS)("%s has the same bits as every other runtime in logits, hidden states, sentence vectors and results", async (kernel) => {
      const result = await page.evaluate((which) => (globalThis as unknown as { runProduct: (kernel: string) => Promise<CaseResult> }).runProduct(which), kernel);
      expect(result).toEqual({ texts: TEXTS, kernels: { [kernel]: golden[TEXTS] } });
    }, MOST_MS);
  });
}
