import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "puppeteer-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { trainingReport } from "../../../src/report/training-report.ts";
import { CLASSES, history, hostileHistory, NER_LABELS } from "../../report/histories.ts";
import { describeBrowsers, launch, type Launched } from "./browsers.ts";

/** Results of axe-core, as far as they are read. */
interface Audit {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[] }[];
}

const many = Array.from({ length: 77 }, (_, index) => `an intent of a long name ${index}`);
const REPORTS = {
  "named entities": history({ kind: "ner", labels: NER_LABELS }),
  classification: history({ kind: "classification", labels: CLASSES }),
  "many labels": history({ kind: "classification", labels: many }),
  "several labels a text": history({ kind: "multi-label", labels: CLASSES }),
  "no dev rows": history({ kind: "ner", labels: NER_LABELS, dev: false }),
  "hostile entities": hostileHistory("ner"),
  "hostile classes": hostileHistory("classification"),
};

describeBrowsers(["chromium", "firefox"], (name) => {
  let launched: Launched;
  let page: Page;
  const folder = mkdtempSync(join(tmpdir(), "rootstock-report-"));
  const faults: string[] = [];

  beforeAll(async () => {
    launched = await launch(name);
    page = await launched.browser.newPage();
    // Refusals of the page's policy are told on the console.
    page.on("console", (message) => void faults.push(message.text()));
    page.on("pageerror", (error) => void faults.push(String(error)));
    page.on("dialog", (dialog) => {
      faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  });

  afterAll(async () => {
    await launched?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(title: keyof typeof REPORTS): Promise<void> {
    const path = join(folder, `${title}.html`);
    writeFileSync(path, trainingReport(REPORTS[title]));
    faults.length = 0;
    await page.goto(pathToFileURL(path).href);
  }

  it.each(Object.keys(REPORTS) as (keyof typeof REPORTS)[])("%s: nothing runs or is refused, and the page is as wide as the screen", async (title) => {
    for (const width of [360, 768, 1280]) {
      await page.setViewport({ width, height: 800 });
      await open(title);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `${width} px`).toBeLessThanOrEqual(width);
    }
    expect(await page.$$eval("script, img, link, iframe, object", (found) => found.length)).toBe(0);
    expect(faults).toEqual([]);
  });

  // Firefox's driver takes no choice of theme.
  const themes = name === "chromium" ? ["light", "dark"] : [null];
  it.each(themes)("has nothing that axe-core finds fault with (theme: %s)", async (theme) => {
    const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
    await page.setViewport({ width: 1280, height: 900 });
    if (theme !== null) await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
    for (const title of Object.keys(REPORTS) as (keyof typeof REPORTS)[]) {
      if (title.startsWith("hostile")) continue;
      await open(title);
      await page.$$eval("details", (all) => all.forEach((details) => details.setAttribute("open", "")));
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: { run(): Promise<Audit> } }).axe.run());
      expect(violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html, failureSummary }) => [html, failureSummary])]), title).toEqual([]);
    }
  });
});
