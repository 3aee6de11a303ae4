import type { Page } from "puppeteer-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { faultsOfAxe } from "./axe.ts";
import { describeBrowsers, launch, type Launched } from "./browsers.ts";
import { serve } from "../../../examples/browser/serve.mjs";

describeBrowsers(["chromium", "firefox"], (name) => {
  let launched: Launched;
  let demo: { address: string; stop: () => void };
  let page: Page;
  const errors: unknown[] = [];

  beforeAll(async () => {
    launched = await launch(name);
    demo = await serve();
    page = await launched.browser.newPage();
    page.on("pageerror", (error) => errors.push(error));
  });

  afterAll(async () => {
    await launched?.close();
    demo?.stop();
  });

  beforeEach(async () => {
    await page.setViewport({ width: 1280, height: 900 });
    await page.goto(demo.address);
    await page.waitForFunction(() => document.querySelectorAll(".card.on .result > *").length === 3);
    errors.length = 0;
  });

  const textOf = (selector: string): Promise<string[]> => page.$$eval(selector, (found) => found.map((element) => (element as HTMLElement).innerText));

  it("marks entities in the text that is typed", async () => {
    await page.$eval("#text", (area) => ((area as HTMLTextAreaElement).value = ""));
    await page.type("#text", "Ada Lovelace met Charles Babbage in London.");
    await page.waitForFunction(() => document.querySelectorAll("#marks .mark").length === 3);
    expect(await textOf("#marks .mark")).toEqual(["Ada Lovelace", "Charles Babbage", "London"]);
    expect(await page.$$eval("#marks .mark", (marks) => marks.map((mark) => (mark as HTMLElement).dataset["above"]))).toEqual(["person", "person", "place"]);
    const [marks, area] = await page.evaluate(() => ["marks", "text"].map((id) => document.getElementById(id)!.getBoundingClientRect().height));
    expect(marks).toBe(area);
    expect(errors).toEqual([]);
  });

  it("keeps marks with their words while a newer run is under way", async () => {
    await page.focus("#text");
    const words = await page.evaluate(() => {
      const area = document.getElementById("text") as HTMLTextAreaElement;
      area.setRangeText("Dear Ms. ", 0, 0);
      area.dispatchEvent(new InputEvent("input"));
      return [...document.querySelectorAll("#marks .mark")].map(({ textContent }) => textContent);
    });
    expect(words).toEqual(["Ana Gomes", "Lisbon", "Gulbenkian Foundation"]);
  });

  it("grafts an adapter on and takes one off while the encoder stays", async () => {
    await page.click("#task-intent");
    await page.waitForFunction(() => document.querySelector('[data-task="intent"] .bars') !== null);
    expect((await textOf('[data-task="intent"] .bars li'))[0]).toMatch(/^Damaged card\s+50 %$/);
    await page.click("#task-entities");
    await page.waitForFunction(() => document.querySelector('[data-task="entities"] .result')!.children.length === 0);
    await page.waitForFunction(() => document.querySelectorAll("#marks .mark").length === 0);
    expect(errors).toEqual([]);
  });

  it("is used with the keyboard alone", async () => {
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement!.textContent)).toBe("Skip to the text");
    for (let presses = 0; presses < 6; presses++) await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement!.id)).toBe("task-entities");
    await page.keyboard.press("Tab");
    await page.keyboard.press(" ");
    await page.waitForFunction(() => document.querySelector('[data-task="slots"] .chips') !== null);
    expect(await page.$eval("#task-slots", (input) => (input as HTMLInputElement).checked)).toBe(true);
  });

  it("tells screen readers what was found", async () => {
    await page.waitForFunction(() => document.getElementById("summary")!.textContent !== "");
    expect(await textOf("#summary")).toEqual(["Entities: Ana Gomes, person; Lisbon, place; Gulbenkian Foundation, organisation. Banking reason: lost or stolen card. Mood: negative."]);
  });

  // WebDriver BiDi has no command for the colour scheme: Firefox shows the light one.
  describe.each(name === "chromium" ? ["light", "dark"] : ["light"])("%s", (scheme) => {
    it.each([360, 700, 1280])("has no fault that axe-core knows and nothing beside the page, at a width of %i", async (width) => {
      if (name === "chromium") await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.setViewport({ width, height: 800 });
      await page.evaluate(() => (document.querySelectorAll("#samples button")[1] as HTMLElement).click());
      await page.waitForFunction(() => document.querySelectorAll("#marks .below").length > 3 && document.getAnimations().length === 0);
      expect(await faultsOfAxe(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    });
  });
});
