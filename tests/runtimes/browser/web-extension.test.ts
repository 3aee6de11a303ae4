import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { build } from "../../../examples/web-extension/build.mjs";
import { describeBrowsers, launch } from "./browsers.ts";
import { FileServer } from "./server.ts";

const TEXT = "Marie Curie loved Warsaw.";

describeBrowsers(["chromium"], (name) => {
  it("an extension's service worker runs tasks for a content script", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rootstock-extension-"));
    const server = new FileServer();
    // The page's own policy does not bind the extension.
    server.headers.set("content-security-policy", "default-src 'none'");
    server.files.set("/index.html", `<!doctype html><html lang="en"><title>Page</title><p id="text">${TEXT}</p>`);
    await build(folder);
    const launched = await launch(name, [], { enableExtensions: [folder], pipe: true });
    try {
      const page = await launched.browser.newPage();
      await page.goto(`${await server.start()}index.html`);
      await page.evaluate(() => {
        getSelection()!.selectAllChildren(document.getElementById("text")!);
        document.dispatchEvent(new MouseEvent("mouseup"));
      });
      await page.waitForSelector("rootstock-entities");
      const lines = await page.$eval("rootstock-entities", ({ shadowRoot }) => [...shadowRoot!.querySelectorAll("div")].map(({ textContent }) => textContent));
      expect(lines.slice(0, 2)).toEqual(["PER Marie Curie", "LOC Warsaw"]);
      expect(lines[2]).toMatch(/^Mood positive \d+ %$/);
    } finally {
      await launched.close();
      await server.stop();
      rmSync(folder, { recursive: true });
    }
  });
});
