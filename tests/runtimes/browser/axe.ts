import { readFileSync } from "node:fs";
import type { Page } from "puppeteer-core";

/** Results of axe-core, as far as they are read. */
interface Audit {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[] }[];
}

/** What axe-core finds fault with in the page as it is: rules, and for each the elements and why. */
export async function faultsOfAxe(page: Page): Promise<[string, string[]][]> {
  await page.evaluate(readFileSync("node_modules/axe-core/axe.min.js", "utf8"));
  const audit = (await page.evaluate(() => (globalThis as unknown as { axe: { run: () => Promise<Audit> } }).axe.run())) as Audit;
  return audit.violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`)]);
}
