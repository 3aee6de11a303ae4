import { expect, it } from "vitest";
import { rolldown } from "rolldown";
import { describeBrowsers, launch } from "./browsers.ts";
import { FileServer } from "./server.ts";

/** The example as an application's bundler makes it; the development build, whose strict mode mounts everything twice. */
async function application(): Promise<string> {
  const bundle = await rolldown({ input: "examples/react/app.jsx", platform: "browser", transform: { define: { "process.env.NODE_ENV": '"development"' } } });
  return (await bundle.generate({ format: "esm" })).output[0].code;
}

describeBrowsers(["chromium", "firefox"], (name) => {
  it("the React hook loads once mounted, follows the text, and lets go when unmounted", async () => {
    const launched = await launch(name);
    const server = new FileServer();
    server.files.set("/index.html", '<!doctype html><html lang="en"><title>React</title><div id="root"></div><script type="module" src="/dist/app/main.js"></script>');
    server.files.set("/dist/app/main.js", await application());
    try {
      const page = await launched.browser.newPage();
      const errors: unknown[] = [];
      page.on("pageerror", (error) => errors.push(error));
      await page.goto(`${await server.start()}index.html`);
      const items = (): Promise<string[]> => page.$$eval("li", (found) => found.map(({ textContent }) => textContent));
      await page.waitForFunction(() => document.querySelectorAll("li").length === 2);
      expect(await items()).toEqual(["PER Marie Curie", "LOC Warsaw"]);
      expect(await page.$eval("#mood", ({ textContent }) => textContent)).toBe("positive");
      await page.type("textarea", " Ada Lovelace lived in London.");
      await page.waitForFunction(() => document.querySelectorAll("li").length === 4);
      // As text: the test runner would rewrite the import for itself.
      await page.evaluate('import("/dist/app/main.js").then(({ unmount }) => unmount())');
      expect(await page.$eval("#root", ({ innerHTML }) => innerHTML)).toBe("");
      expect(errors).toEqual([]);
    } finally {
      await launched.close();
      await server.stop();
    }
  });
});
